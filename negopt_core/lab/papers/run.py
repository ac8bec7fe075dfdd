"""`train negopt` and `train pae` as one function: plan, then stage by stage; a stage that is done is not done again."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from ...errors import TrainingError
from ...files import check_folder, hash_file, write_text
from ...json_text import read_json
from ...policy.folder_check import folder_hash
from ...policy.language.folder import save_policy
from ..compare.run_eval import PAGE, REPORT, run_eval
from ..compare.settings import EvalRun, EvalSettings
from ..data.pairs import Pair
from ..jobs.processes import ALONE, check_alone
from ..jobs.run import RunFolder
from ..train.run_sft import run_sft
from ..train.settings import SFTRun, SFTSettings
from .confident import keep_confident
from .data import CONFIDENT, PEOPLE, TEST_PROMPTS, gather, held_out_prompts, write_parts
from .learn import devices_of, learn, ppo_run
from .pace import measure_pace
from .plan import Plan, check_disk, make_plan
from .settings import Paper, PaperRun
from .start import open_start
from .task import NEEDS_REFERENCE, Task, make_task

log = logging.getLogger("negopt")
DONE, SUMMARY = "done.json", "summary.json"
LEAST_PAIRS = 50
_SHOWN = 64
"""Pairs that the measurement uses."""

Stages = Mapping[str, Callable[[], dict[str, Any]]]


def run_paper(paper: Paper, run: PaperRun, agree: Callable[[Plan], bool]) -> dict[str, Any]:
    """Everything from data to report; goes on where it was stopped, after the last whole stage or checkpoint.

    `agree` sees the plan before anything is written; it is not asked again about a run that has begun. Returns
    `plan` (None for a run that goes on) and, if it ran, the `summary`.
    """
    check_alone(f"train {paper.key}")
    task = make_task(paper, run)
    check_folder(run.folder)
    has_begun = (run.folder / DONE).exists()
    plan = None if has_begun and not run.plan else plan_of(task)
    if plan and (run.plan or not agree(plan)):
        return {"plan": plan}
    inputs = {"start_sha256": folder_hash(task.start)}
    if run.pairs.is_file():
        inputs["pairs_sha256"] = hash_file(run.pairs)
    if plan:
        check_disk(plan, run.folder)
    folder = RunFolder.open(run.folder, {name: str(value) for name, value in task.decided().items()}, inputs)
    done = _do(folder.folder, _stages(task))
    summary = _summary(task, done)
    write_text(folder.folder / SUMMARY, json.dumps(summary, indent=1) + "\n")
    return {"plan": plan, "summary": summary}


def plan_of(task: Task) -> Plan:
    """Count the data, measure this device, reckon."""
    found = gather(task)
    pairs = list(_first(found))
    if not pairs:
        raise TrainingError(f"{task.run.pairs} holds no pairs of polarity {task.paper.polarity}; see `data --help`")
    if found.counts["distinct"] < LEAST_PAIRS:
        raise TrainingError(
            f"{task.run.pairs} has {found.counts['distinct']} different pairs, too few to split; {LEAST_PAIRS} are the "
            "least, and a few thousand the least to learn from"
        )
    return make_plan(task, measure_pace(task, pairs), found.counts)


def _first(pairs: Any) -> Iterator[Pair]:
    yield from islice(pairs, _SHOWN)


def _do(folder: Path, stages: Stages) -> dict[str, dict[str, Any]]:
    """Each stage that is not done yet, and what all of them found."""
    path = folder / DONE
    try:
        done = dict(read_json(path.read_text(encoding="utf-8"))) if path.exists() else {}
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError(
            f"{path} is damaged ({error!r}); delete it: finished stages are found again, nothing is trained twice"
        ) from error
    for number, (name, work) in enumerate(stages.items(), 1):
        if name in done:
            log.info("%d of %d, %s: done", number, len(stages), name)
            continue
        if not path.exists():
            write_text(path, "{}\n")
        log.info("%d of %d, %s", number, len(stages), name)
        done[name] = work()
        write_text(path, json.dumps(done, indent=1) + "\n")
    return done


def _stages(task: Task) -> Stages:
    run = task.run.folder

    def start() -> dict[str, Any]:
        save_policy(open_start(task), run / "start")
        return {"folder": "start"}

    def confident() -> dict[str, Any]:
        return keep_confident(task, run / "data", run / "filter")

    def sft() -> dict[str, Any]:
        _, measured = run_sft(_sft_run(task, run))
        return {"losses": measured}

    def ppo() -> dict[str, Any]:
        prompts = held_out_prompts(run / "data", task)
        return learn(task, ppo_run(task, run / "sft" / "export", run / "data" / "rl.jsonl", run / "ppo"), prompts)

    def report() -> dict[str, Any]:
        found = run_eval(_eval_run(task, run), ALONE)
        assert found is not None
        return {"id": found["id"], "page": f"report/{PAGE}", "json": f"report/{REPORT}"}

    return {
        "data": lambda: write_parts(task, run / "data"),
        **({"filter": confident} if task.budget.filter_pairs else {}),
        "start": start,
        "sft": sft,
        "ppo": ppo,
        "report": report,
    }


def _sft_run(task: Task, run: Path) -> SFTRun:
    settings = SFTSettings(
        steps=task.budget.sft_steps,
        batch_size=task.budget.sft_batch,
        learning_rate=task.paper.sft_rate,
        augment=task.paper.augment,
        seed=task.run.seed,
    )
    return SFTRun(
        folder=run / "sft",
        pairs=str(run / "data" / (CONFIDENT if task.budget.filter_pairs else "sft.jsonl")),
        held_out=str(run / "data" / "val.jsonl"),
        policy=run / "start",
        name=f"{task.name}-sft",
        threads=task.run.threads,
        device=devices_of(task).policy,
        sft=settings,
    )


def _eval_run(task: Task, run: Path) -> EvalRun:
    """What people wrote, SFT and RL against nothing added."""
    kind = "policy-negative" if task.paper.polarity == "negative" else "policy-modifiers"
    prompts = run / "data" / TEST_PROMPTS
    arms = ("none", f"people=file:{run / 'data' / PEOPLE}", f"sft={kind}:{run / 'sft' / 'export'}")
    pictures = sum(1 for line in prompts.read_text(encoding="utf-8").splitlines() if line)
    settings = EvalSettings(
        model=task.run.model,
        prompts=str(prompts),
        arms=(*arms, f"rl={kind}:{task.policy}"),
        metrics=task.metrics,
        seed=task.paper.seed,
        same_noise=task.paper.same_noise,
        sampler=task.sampler,
        size=task.run.size,
        splits=min(10, pictures),
        steps=task.paint_steps,
        cfg=task.cfg,
    )
    return EvalRun(
        settings=settings,
        source=task.run.source,
        reference=task.run.reference,
        batch=task.run.batch,
        device=task.run.device,
        output=run / "report",
    )


def _summary(task: Task, done: Mapping[str, Any]) -> dict[str, Any]:
    """The whole run in a few figures: data, losses, held-out rewards, and each metric with its gain over each arm."""
    report: Any = read_json((task.run.folder / done["report"]["json"]).read_text(encoding="utf-8"))
    table: dict[str, dict[str, float | None]] = {}
    for row in report["results"]:
        table.setdefault(row["metric"], {})[row["arm"]] = row["mean"]["value"]
    for row in report["sets"]:
        table.setdefault(row["metric"], {})[row["arm"]] = row["value"]
    return {
        "paper": task.paper.title,
        "model": report["model"],
        "policy": str(task.policy),
        "page": str(task.run.folder / done["report"]["page"]),
        "data": done["data"],
        **({"filter": done["filter"]} if "filter" in done else {}),
        "sft": done["sft"]["losses"],
        "best_step": done["ppo"]["best_step"],
        "held_out_rewards": done["ppo"]["held_out_rewards"],
        "metrics": table,
        "rl_gain_percent": {name: _gains(arms) for name, arms in table.items() if name not in NEEDS_REFERENCE},
        "win_rates": [
            {"metric": row["metric"], "arm": row["arm"], "value": row["win_rate"]["value"]}
            for row in report["results"]
            if "win_rate" in row
        ],
        "absent": report["absent"],
    }


def _gains(arms: Mapping[str, float | None]) -> dict[str, float]:
    """By how many per cent `rl` is above each other arm, as the papers say it; only where both are above 0."""
    mine = arms.get("rl") or 0.0
    return {
        name: round(100 * (mine / value - 1), 2)
        for name, value in arms.items()
        if name != "rl" and value and value > 0 < mine
    }
