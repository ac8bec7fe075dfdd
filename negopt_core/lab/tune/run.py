"""`audit` and `tune` as functions: from what a user says to a report, and for `tune` a policy folder."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...devices import AUTO
from ...errors import PromptError
from ...files import write_text
from ...json_text import read_json
from ...paint.choice import COMFY, Choice, paints_world, policy_name, read_size
from ...paint.open import open_painter
from ...policy import load_policy
from ...policy.loglinear.policy import tables_fingerprint
from ...policy.store import default_policy
from ...policy.tuned.effects import SIDES, Stock
from ...provenance.record import shown_place
from ...scorers.table import REFEREE, Loader, as_referee, read_weights
from ...text.df_text import format_prompt
from ...text.prompt import DFPrompt
from ...tune.audit import AuditPlan
from ...tune.candidates import candidates, own_options, rivals_of, split_prompts
from ...tune.evidence import Source
from ...tune.journal import Journal, in_use
from ...tune.report import audit_report, tune_report
from ...tune.rounds import Limits, Reader
from ...tune.table import save_tuned
from ...tune.tune import TunePlan
from ..compare.gallery import Gallery
from ..compare.prompt_sets import load_prompts
from .drive import Bench, drive, seconds_a_picture
from .report import write_report
from .settings import AuditRun, Judged, TuneRun

log = logging.getLogger("negopt")
REPORT, PAGE, PICTURES = "report.json", "report.html", "pictures"


def run_audit(run: AuditRun) -> dict[str, Any]:
    """Audit the user's own texts; returns the report, or with --plan the cost."""
    choice, weights = run.choice(run.model), read_weights(run.reward_line)
    stock = Stock(tuple(own_options(run.negative, run.modifiers)))
    reader = Reader(stock, choice.family, is_free=True)
    prompts = tuple(item.prompt for item in load_prompts(run.prompts, run.prompt_folder))
    with in_use(run.folder):
        bench = open_bench(run, choice, weights)
        source = _source(bench, choice)
        plan = AuditPlan(reader, prompts, source, weights, run.pictures, referee_weights(run), run.seed)
        journal = Journal.open(run.folder, _decided(run, prompts, stock, source))
        cost = _cost(plan, journal, bench, run, run.pictures)
        if run.minutes is not None:
            plan = replace(plan, pictures=max(int(run.minutes * 60 / cost["seconds_a_picture"]), 32))
        if run.plan:
            return {"plan": cost}
        _read_clicks(run.clicks, journal)
        drive(plan, journal, bench, plan.pictures)
        report = audit_report(plan, journal) | {"cost": cost}
        return _finish(run.folder, report, journal, bench, f"negopt audit: {shown_place(run.model)}")


def run_tune(run: TuneRun) -> dict[str, Any]:
    """Learn, check, and write the policy if it wins; returns the report, or with --plan the cost."""
    choice = run.choice(run.model)
    prompts = [item.prompt for item in load_prompts(run.prompts, run.prompt_folder)]
    parts = _tune_parts(run, choice, prompts)
    with in_use(run.folder):
        bench = open_bench(run, choice, parts["weights"])
        source = _source(bench, choice)
        plan = TunePlan(source=source, **parts)
        journal = Journal.open(run.folder, _decided(run, prompts, plan.reader.stock, source))
        checked = run.check * (2 + len(plan.rivals))
        cost = _cost(plan, journal, bench, run, run.pictures + checked)
        if run.minutes is not None:
            plan = replace(plan, pictures=max(int(run.minutes * 60 / cost["seconds_a_picture"]) - checked, 64))
        if run.plan:
            return {"plan": cost}
        _read_clicks(run.clicks, journal)
        drive(plan, journal, bench, plan.pictures + checked)
        report = tune_report(plan, journal) | {"cost": cost}
        if report["kept"]:
            report["policy"] = str(_save(run, plan, journal, report))
        return _finish(run.folder, report, journal, bench, f"negopt tune: {shown_place(run.model)}")


def _tune_parts(run: TuneRun, choice: Choice, prompts: Sequence[str]) -> dict[str, Any]:
    """What a plan takes, but for the source of its pictures."""
    learned, fresh = split_prompts(prompts)
    sides = tuple(side for side in SIDES if side in run.mode.split(","))
    if not sides:
        raise PromptError(f"--mode is negative, modifiers or both with a comma between, got {run.mode!r}")
    policy = load_policy(run.policy or _default(choice))
    own = [one for one in own_options(run.negative, run.modifiers) if one.side in sides]
    stock = Stock(tuple(dict.fromkeys((*own, *candidates(policy, learned, sides, run.stock)))))
    rivals, rival_stock = rivals_of(policy, fresh, own, stock, sides)
    return {
        "reader": Reader(stock, choice.family),
        "prompts": tuple(learned),
        "fresh": tuple(fresh),
        "weights": read_weights(run.reward_line),
        "rivals": rivals,
        "rival_stock": rival_stock,
        "pictures": run.pictures,
        "refined": run.refined,
        "check": run.check,
        "referee": referee_weights(run),
        "seed": run.seed,
    }


def _save(run: TuneRun, plan: TunePlan, journal: Journal, report: Mapping[str, Any]) -> Path:
    facts = {"model": shown_place(run.model), "reward": run.reward_line, "seed": run.seed}
    rewards = {name: one["value"] for name, one in report["means"].items() if one["value"] is not None}
    folder = run.output or run.folder / "policy"
    return save_tuned(folder, plan.evidence(journal), plan.weights, Limits(), facts, rewards)


def open_bench(run: Judged, choice: Choice, weights: Mapping[str, float]) -> Bench:
    """The painter with its settings, and the scorers of the reward."""
    width, height = read_size(run.size)
    paint = choice.settings(height=height, width=width, batch_size=run.batch)
    device = None if run.model.startswith(COMFY) else run.device
    painter = open_painter(choice.path, paint, device=device, offload=run.offload, dtype=run.paint_dtype)
    loader = Loader(run.places, "reward", run.device or AUTO)
    referee = replace(loader, role="eval")  # with the same networks
    return Bench(
        Gallery(run.folder / PICTURES, painter, run.model),
        {name: loader.scorer(name) for name in weights},
        {name: referee.scorer(name.removeprefix(REFEREE)) for name in referee_weights(run)},
        run.batch,
    )


def referee_weights(run: Judged) -> dict[str, float]:
    """Of the last check, under names of their own; the demo world has a judge that nothing learns from."""
    line = run.referee or (run.reward_line if paints_world(run.model) else "")
    return as_referee(read_weights(line))


def _default(choice: Choice) -> str:
    return policy_name(default_policy(), choice)


def _source(bench: Bench, choice: Choice) -> Source:
    settings = bench.gallery.painter.settings
    size = f"{settings.width or ''}x{settings.height or ''}"
    sampling = f"{settings.steps} steps, cfg {settings.guidance_scale:g}, {settings.sampler}, {size}"
    return Source(choice.family, bench.gallery.model_hash or bench.gallery.model, tables_fingerprint(), sampling)


def _decided(run: Judged, prompts: Sequence[str], stock: Stock, source: Source) -> dict[str, Any]:
    return {
        "kind": type(run).__name__,
        "model": source.model,
        "sampling": source.sampling,
        "reward": run.reward_line,
        "prompts": list(prompts),
        "stock": [format_prompt(DFPrompt((one.span,))) for one in stock.options],
        "seed": run.seed,
    }


def _cost(plan: Any, journal: Journal, bench: Bench, run: Judged, total: int) -> dict[str, Any]:
    """Measured on the pictures of the first round, which are kept."""
    if not journal.rounds:
        journal.ask(plan.next(journal))
    seconds = seconds_a_picture(bench, journal.rounds[0], run.folder)
    cost = {"pictures": total, "seconds_a_picture": round(seconds, 3), "minutes": round(total * seconds / 60, 1)}
    log.info(
        "%d pictures at most, %.2f s each: %.0f minutes; Ctrl-C stops, the same command goes on",
        total,
        seconds,
        cost["minutes"],
    )
    return cost


def _read_clicks(paths: Sequence[Path], journal: Journal) -> None:
    """Clicks of the page; each once."""
    known = {(one.better, one.worse) for one in journal.clicks}
    asks = {one.key: one for row in journal.rounds for one in row.asks}
    for path in paths:
        try:
            rows = read_json(path.read_bytes())["clicks"]
            pairs = [((a, tuple(one)), (b, tuple(two))) for (a, one), (b, two) in rows]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PromptError(f"{path} holds no clicks ({error}); export them on the page of this run") from error
        for better, worse in pairs:
            if better not in asks or worse not in asks:
                raise PromptError(f"{path} is about pictures of another run; export it on this run's page")
            if (better, worse) not in known:
                journal.prefer(asks[better], asks[worse])


def _finish(folder: Path, report: dict[str, Any], journal: Journal, bench: Bench, title: str) -> dict[str, Any]:
    write_text(folder / REPORT, json.dumps(report, indent=1) + "\n")
    write_text(folder / PAGE, write_report(report, journal, _paths(journal, bench), title))
    return report | {"page": str(folder / PAGE), "json": str(folder / REPORT)}


def _paths(journal: Journal, bench: Bench) -> dict[Any, Path]:
    paths: dict[Any, Path] = {}
    for row in journal.rounds:
        for one in row.asks:
            if one.key in journal.scores:
                paths[one.key] = bench.path(row, one)
    return paths
