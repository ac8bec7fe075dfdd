"""`eval`: ways of writing side by side, on the same prompts and noise, as figures and as a page."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MissingPackage, ModelError, PolicyError, PromptError
from ..files import check_folder, write_text
from ..scorers.table import SET_METRICS
from .models import MODEL_HELP, Choice, add_model_arguments, choose, own_device, policy_name, read_size
from .output import add_json, emit
from .scorers import NAMES, add_sources, read_sources, refuse_toys, toys_among

if TYPE_CHECKING:
    from ..lab.compare.gallery import Gallery
    from ..lab.compare.recipe import EvalSettings
    from ..lab.compare.study import Design, Metrics
    from ..lab.compare.votes import VoteFile
    from ..lab.jobs.processes import Processes

log = logging.getLogger("negopt")

_LIST = ("arms", "sweeps")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command. Settings have no default here: what is not given comes from the recipe, then from there."""
    from ..lab.compare.arms import HELP

    parser = commands.add_parser(
        "eval", help="compare policies and texts: same prompts, same noise; run again to resume"
    )
    parser.add_argument("--recipe", metavar="NAME|FILE", help="settings as JSON; flags take their place")
    parser.add_argument("--model", help=MODEL_HELP)
    parser.add_argument("--prompts", metavar="SET", help="NAME[:COUNT] of a set, a file, or world[:COUNT]")
    parser.add_argument("--prompt-folder", type=Path, action="append", default=[], metavar="DIR", help="where sets are")
    parser.add_argument("--arm", dest="arms", action="append", metavar="ARM", help=HELP)
    parser.add_argument(
        "--sweep",
        dest="sweeps",
        action="append",
        metavar="SIDE=ARM",
        help="negative or modifiers of an arm from every --starts on",
    )
    parser.add_argument("--starts", type=_numbers, metavar="LIST", help="shares of the run (default 0,0.1,...,0.6)")
    parser.add_argument("--against", metavar="ARM", help="the arm that others are compared with (default the first)")
    parser.add_argument("--metrics", type=_names, metavar="LIST", help=f"of {', '.join((*NAMES, *SET_METRICS))}")
    parser.add_argument("--reference", type=Path, metavar="DIR", help="real pictures for fid, cmmd and world-fid")
    parser.add_argument("--seeds", type=int, help="pictures of each prompt in each arm (default 1)")
    parser.add_argument("--seed", type=int, help="first seed (default 0)")
    parser.add_argument("--same-noise", action="store_const", const=True, help="the same seeds for every prompt")
    add_model_arguments(parser)
    parser.add_argument("--size", metavar="WxH", help="pixels (default: the model's own)")
    parser.add_argument("--sampler", help="sampler (default: the model's own)")
    parser.add_argument("--weighting", help="what a weight does (default pae)")
    parser.add_argument("--splits", type=int, help="splits of an Inception Score (default 10)")
    parser.add_argument("--policies", type=Path, action="append", default=[], metavar="DIR", help="folder to look in")
    parser.add_argument("--batch", type=int, default=8, help="pictures painted at the same time (default 8)")
    parser.add_argument("--device", help="cpu, cuda, mps (default: the GPU if there is one)")
    parser.add_argument("--offload", action="store_true", help="keep weights in main memory")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="pictures and scores (default: cache in the output)")
    parser.add_argument(
        "--votes", type=Path, action="append", default=[], metavar="FILE", help="votes exported from the page"
    )
    parser.add_argument("--wall", type=int, default=24, help="rows of pictures in the page (default 24)")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/eval"), metavar="DIR")
    add_sources(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"numbers from 0 to 1 with commas between, got {text!r}") from error


def run(args: argparse.Namespace) -> int:
    """Paint and score what is missing; write report.json and report.html. Several processes share the painting."""
    from ..lab.jobs.processes import joined

    logging.getLogger("negopt").setLevel(logging.INFO)
    with joined() as processes:
        if not processes.is_leader:
            logging.getLogger("negopt").setLevel(logging.WARNING)
        return _run(args, processes)


def _run(args: argparse.Namespace, processes: Processes) -> int:
    from ..lab.compare.arms import Writer
    from ..lab.compare.recipe import EvalSettings, make_settings, read_recipe
    from ..lab.compare.study import run_study
    from ..lab.compare.votes import read_votes

    if args.batch < 1 or args.wall < 0:
        raise PromptError(f"--batch is at least 1 and --wall at least 0, got {args.batch} and {args.wall}")
    flags = {field.name: getattr(args, field.name) for field in fields(EvalSettings)}
    settings = make_settings(read_recipe(args.recipe) if args.recipe else {}, flags)
    votes = [read_votes(path) for path in args.votes]
    check_folder(args.output)
    choice = choose(settings.model, settings.steps, settings.cfg)
    settings = replace(settings, steps=choice.steps, cfg=choice.cfg)
    settings = replace(settings, metrics=_for_this_model(settings, is_recipes=bool(args.recipe and not args.metrics)))
    design = read_design(settings, args.prompt_folder)
    check_splits(settings, len(design.items) * design.seeds)
    writer = Writer(tuple(args.policies), settings.seed, lambda name: policy_name(name, choice))
    for arm in design.arms:
        writer.write(arm, design.items[:1] if arm.kind != "file" else design.items)
    metrics = load_metrics(settings, read_sources(args.source), args.reference)
    gallery = open_gallery(args, settings, choice, own_device(choice.path, processes))
    findings = run_study(design, writer, gallery, metrics, args.batch, processes=processes)
    return 0 if findings is None else _finish(args, settings, gallery, findings, votes)


def _for_this_model(settings: EvalSettings, is_recipes: bool) -> tuple[str, ...]:
    """The metrics without the demo world's, which a recipe lists beside others for any model; refused if only those."""
    toys = toys_among(settings.model, settings.metrics)
    rest = tuple(name for name in settings.metrics if name not in toys)
    if not (is_recipes and rest):
        refuse_toys(settings.model, settings.metrics, "--metrics")
    return rest


def read_design(settings: EvalSettings, prompt_folders: Sequence[Path]) -> Design:
    """Prompts, arms and sweeps of the settings."""
    from ..lab.compare.arms import parse_arm
    from ..lab.compare.prompt_sets import load_prompts
    from ..lab.compare.study import Design, Sweep

    sweeps = []
    for text in settings.sweeps:
        side, sign, arm = text.partition("=")
        if not sign or not settings.starts:
            raise PromptError(f"a sweep is SIDE=ARM with at least one start, got {text!r} and {settings.starts}")
        sweeps.append(Sweep(side.strip(), arm.strip(), tuple(settings.starts)))
    return Design(
        load_prompts(settings.prompts, prompt_folders),
        tuple(parse_arm(text) for text in settings.arms),
        tuple(sweeps),
        settings.seeds,
        settings.seed,
        settings.same_noise,
        settings.against,
    )


def check_splits(settings: EvalSettings, pictures: int) -> None:
    """PromptError before anything is painted if an Inception Score is asked for with more splits than pictures."""
    from ..scorers.features import INCEPTION_SCORES

    scores = [name for name in settings.metrics if name in INCEPTION_SCORES]
    if scores and not 1 <= settings.splits <= pictures:
        raise PromptError(
            f"{scores[0]} over {pictures} pictures an arm cannot have {settings.splits} splits; use --splits "
            f"{pictures} or less"
        )


def load_metrics(settings: EvalSettings, places: dict[str, str], reference: Path | None) -> Metrics:
    """What can be measured here; a metric whose weights or library are missing is left out with the reason."""
    from ..lab.compare.study import Metrics, list_pictures
    from ..scorers import features
    from ..scorers import table as scorers

    if reference is not None:
        list_pictures(reference)
    found, sets, absent = [], [], {}
    for name in dict.fromkeys(settings.metrics):
        if name not in (*NAMES, *SET_METRICS):
            raise PromptError(f"no metric is called {name!r}; there are {', '.join((*NAMES, *SET_METRICS))}")
        try:
            if name in SET_METRICS:
                sets.append(features.load_set_metric(name, places, settings.splits))
            else:
                found.append((scorers.load_named(name, places, "eval"), scorers.identify(name, places, "eval")))
        except (ModelError, PromptError, PolicyError, MissingPackage) as error:
            log.warning("%s is not measured: %s", name, error)
            absent[name] = str(error)
    return Metrics(tuple(found), tuple(sets), reference, absent)


def open_gallery(args: argparse.Namespace, settings: EvalSettings, choice: Choice, device: str | None) -> Gallery:
    """The painter, on `device` unless the user says where, and the folder of what it has painted."""
    from ..lab.compare.gallery import Gallery
    from ..paint.base import PaintSettings
    from ..paint.open import open_painter

    width, height = read_size(settings.size)
    wanted: dict[str, Any] = {"sampler": settings.sampler, "weighting": settings.weighting}
    paint = PaintSettings(choice.steps, choice.cfg, height, width, batch_size=args.batch, **wanted)
    painter = open_painter(choice.path, paint, device=args.device or device, offload=args.offload)
    return Gallery(args.cache or args.output / "cache", painter, choice.model)


def _finish(
    args: argparse.Namespace, settings: EvalSettings, gallery: Gallery, findings: Any, votes: Sequence[VoteFile]
) -> int:
    from ..lab.compare.page import write_page
    from ..lab.compare.report import make_report
    from ..lab.compare.votes import gather, tally
    from ..provenance.record import shown_place

    values = asdict(settings) | {"model": shown_place(settings.model), "prompts": shown_place(settings.prompts)}
    report = make_report(findings, gallery, values)
    report["votes"] = tally(gather(votes, report["id"]), [arm["name"] for arm in report["arms"]], report["reference"])
    about = _about(report)
    write_text(args.output / "report.json", json.dumps(report, indent=1) + "\n")
    title = f"negopt eval: {report['model']}"
    write_text(args.output / "report.html", write_page(report, gallery, title, about, args.wall))
    brief = {name: report[name] for name in ("reference", "results", "sets", "absent", "votes", "notes")}
    places = {name: str(args.output / f"report.{name}") for name in ("json", "html")}
    emit(args, {**places, **brief}, "\n".join([*_table(report), "", *report["notes"], f"report: {places['html']}"]))
    return 0


def _about(report: dict[str, Any]) -> str:
    settings = report["settings"]
    world = " Pictures and scores are those of negopt's small demo world, not of a real image model." * (
        report["model"] == "world" or report["painter"].get("checkpoint") == ""
    )
    return (
        f"{len(report['prompts'])} prompts x {settings['seeds']} seeds, {settings['steps']} steps, guidance "
        f"{settings['cfg']:g}, sampler {settings['sampler']}; weights {report['model_hash'] or 'not told'}"
        f"; negopt {report['negopt']}.{world}"
    )


def _table(report: dict[str, Any]) -> list[str]:
    """The results as lines for a terminal."""
    lines = []
    width = max(len(arm["name"]) for arm in report["arms"])
    for metric in report["metrics"]:
        lines.append(metric["name"])
        for row in report["results"]:
            if row["metric"] == metric["name"]:
                lines.append(f"  {row['arm']:{width}}  {_shown(row['mean'])}{_compared(row)}")
    lines += [
        f"{row['metric']}  {row['arm']}: {row['value']:.3f}" for row in report["sets"] if row["value"] is not None
    ]
    return [*lines, *(f"{name} is not measured: {why}" for name, why in report["absent"].items())]


def _compared(row: dict[str, Any]) -> str:
    if "difference" not in row:
        return "  (reference)"
    p = "-" if row["p_holm"] is None else f"{row['p_holm']:.3f}"
    return f"  difference {_shown(row['difference'])}  win rate {_shown(row['win_rate'])}  p (Holm) {p}"


def _shown(found: dict[str, Any]) -> str:
    if found["value"] is None:
        return "-"
    span = "" if found["low"] is None else f" [{found['low']:.3f}, {found['high']:.3f}]"
    return f"{found['value']:.3f}{span}"
