"""`eval` as one function: prompts, arms and metrics of the settings, the study, the report and its page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ...devices import AUTO
from ...errors import PromptError
from ...files import check_folder, write_text
from ...paint.choice import COMFY, Choice, policy_name, read_size
from ...paint.open import open_painter
from ...provenance.record import shown_place
from ..jobs.processes import Processes
from .arms import Writer, parse_arm
from .gallery import Gallery
from .metrics import Wanted, load_metrics, names_for
from .page import write_page
from .prompt_sets import load_prompts
from .report import make_report
from .settings import EvalRun, EvalSettings
from .study import Design, Sweep, run_study
from .votes import gather, read_votes, tally

REPORT, PAGE = "report.json", "report.html"


def run_eval(run: EvalRun, processes: Processes) -> dict[str, Any] | None:
    """Paint and score what is missing; write report.json and report.html. Several processes share the painting.

    Returns the report; None in a process that does not lead. PromptError before painting for what cannot be measured.
    """
    if run.batch < 1 or run.wall < 0:
        raise PromptError(f"--batch is at least 1 and --wall at least 0, got {run.batch} and {run.wall}")
    votes = [read_votes(path) for path in run.votes]
    check_folder(run.output)
    choice = run.settings.choice(run.settings.model)
    settings = replace(run.settings, steps=choice.steps, cfg=choice.cfg)
    design = read_design(settings, run.prompt_folder)
    writer = Writer(run.policies, settings.seed, lambda name: policy_name(name, choice))
    for arm in design.arms:
        writer.write(arm, design.items[:1] if arm.kind != "file" else design.items)
    metrics = load_metrics(wanted := _wanted(run, design))
    settings = replace(settings, metrics=tuple(names_for(wanted)))
    gallery = _gallery(run, settings, choice, None if run.settings.model.startswith(COMFY) else processes.device)
    findings = run_study(design, writer, gallery, metrics, run.batch, processes=processes)
    if findings is None:
        return None
    values = asdict(settings) | {"model": shown_place(settings.model), "prompts": shown_place(settings.prompts)}
    report = make_report(findings, gallery, values)
    report["votes"] = tally(gather(votes, report["id"]), [arm["name"] for arm in report["arms"]], report["reference"])
    write_text(run.output / REPORT, json.dumps(report, indent=1) + "\n")
    page = write_page(report, gallery, f"negopt eval: {report['model']}", _about(report), run.wall)
    write_text(run.output / PAGE, page)
    return report


def read_design(settings: EvalSettings, prompt_folders: Sequence[Path]) -> Design:
    """Prompts, arms and sweeps of the settings."""
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


def _wanted(run: EvalRun, design: Design) -> Wanted:
    return Wanted(
        run.settings.metrics,
        run.places,
        run.settings.model,
        pictures=len(design.items) * design.seeds,
        splits=run.settings.splits,
        reference=run.reference,
        is_recipes=run.is_recipes_metrics,
        device=run.device or AUTO,
    )


def _gallery(run: EvalRun, settings: EvalSettings, choice: Choice, device: str | None) -> Gallery:
    """The painter, on `device` unless the user says where, and the folder of what it has painted."""
    width, height = read_size(settings.size)
    paint = choice.settings(
        height=height, width=width, batch_size=run.batch, sampler=settings.sampler, weighting=settings.weighting
    )
    painter = open_painter(choice.path, paint, device=run.device or device, offload=run.offload)
    return Gallery(run.cache or run.output / "cache", painter, choice.model)


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
