"""docs/results.md: what training gains on the demo world, on prompts, noise and a judge that no training saw."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..files import write_text
from ..policy.phrases import phrase_spans, without_prefix
from ..world import world_dir
from ..world.card import weights_hash
from ..world.report import arms
from ..world.report.experiments import SEARCHED, SEARCHED_FIXED, ReportSettings, search_negatives
from ..world.report.search import content_features
from ..world.report.studio import Arm, Batch, Studio
from ..world.report.tables import table
from .board import Board
from .contestants import PROMPT_SEED, Contest
from .recipe import BALANCES, DATA_SIZES, ISOLATED, Recipe

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
NEGATIVES = ("people", "rules", "rl-only", "negative-sft", "negative-rl", "scheduled-sft", "scheduled-rl")


def write_results(folder: Path, document: Path, recipe: Recipe, prompts: int, jobs: int, cache: Path) -> dict[str, Any]:
    """Paint every contestant, replace what stands between the markers of `document`, return the figures."""
    contest = Contest.draw(prompts, folder, recipe)
    studio = Studio(world_dir(), weights_hash(world_dir()), cache, recipe.paint_steps, recipe.cfg, jobs)
    batch = Batch(contest.prompts, 2, PROMPT_SEED, "eval")
    everybody = [*contest.arms(), *_searched(studio, contest)]
    board = Board(studio.paint(batch, everybody, "contestants"), recipe.seeds)
    text = "\n\n".join([_manifest(studio, contest), *_tables(board, contest, everybody)])
    before, _, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    write_text(document, f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
    figures: dict[str, Any] = {"weights": studio.weights, "recipe": asdict(recipe), "arms": board.figures()}
    write_text(document.with_suffix(".json"), json.dumps(figures, indent=1) + "\n")
    return figures


def _searched(studio: Studio, contest: Contest) -> list[Arm]:
    """The searched negatives of the world's report: one for all prompts, and one for each, the room there is."""
    settings = ReportSettings(steps=contest.recipe.paint_steps, guidance_scale=contest.recipe.cfg)
    gains = search_negatives(studio, settings)
    for_each = [", ".join(gains.choose(row)) for row in content_features(contest.prompts)]
    return [
        arms.with_negative(SEARCHED_FIXED, contest.prompts, ", ".join(gains.choose())),
        arms.with_negatives(SEARCHED, contest.prompts, for_each),
    ]


def _manifest(studio: Studio, contest: Contest) -> str:
    return (
        f"Command: `python -m negopt_core reproduce`. World {studio.weights}; {len(contest.prompts)} held-out prompts "
        f"x 2 noises an arm, {studio.steps} steps, guidance {studio.guidance_scale:g}, {contest.recipe.seeds} training "
        "seeds (a row without a seed is their mean). R = quality + 3 alignment. ± is half of a 95 % interval over "
        "prompts; differences are paired. Everything is judged by the `eval` judge; training saw the `reward` judge."
    )


def _tables(board: Board, contest: Contest, everybody: list[Arm]) -> list[str]:
    fixed = [*arms.FIXED, SEARCHED_FIXED]
    best = max(fixed, key=board.reward)
    unscheduled = [f"scheduled-rl-{seed}, all steps" for seed in range(contest.recipe.seeds)]
    stages = ("plain", "random", "sft", "rl-plain", "rl")
    return [
        "### NegOpt: negatives",
        board.table([arms.NONE, *fixed, *NEGATIVES, SEARCHED], "negative-sft"),
        board.gap_closed("negative-rl", best, SEARCHED),
        "### Scheduled negatives: the same words at all steps",
        board.table(["scheduled-rl", *unscheduled], "scheduled-rl"),
        "### Reward balance, quality : alignment : fidelity",
        board.table(["negative-sft", *(f"balance-{name.replace(':', '-')}" for name in BALANCES)], "negative-sft"),
        "### PAE: modifiers",
        board.table([arms.NONE, *(f"modifiers-{stage}" for stage in stages)], "modifiers-plain"),
        board.wins("modifiers-rl", (arms.NONE, "modifiers-plain", "modifiers-random", "modifiers-sft")),
        "### Which windows were learned",
        _window_table(everybody, contest),
        "### One reward alone",
        board.table(["modifiers-sft", *(f"modifiers-{label}" for label in ISOLATED)], "modifiers-sft"),
        "### Both sides",
        board.table([arms.NONE, "negative-rl", "modifiers-rl", "both-rl"], arms.NONE),
        "### How much data",
        board.table(_size_rows(), "negative-sft"),
    ]


def _size_rows() -> list[str]:
    sizes = [f"negative-{count}-{stage}-0" for count in DATA_SIZES.values() for stage in ("sft", "rl")]
    return [*sizes, "negative-sft", "negative-rl"]


def _window_table(everybody: list[Arm], contest: Contest) -> str:
    """How often each phrase was written in each window, over all training seeds."""
    counts: dict[str, Counter[str]] = {}
    names = {window: name for name, window in arms.WINDOWS.items()}
    for arm in everybody:
        if arm.name.startswith("modifiers-rl-") and arm.name.rpartition("-")[2].isdecimal() and "plain" not in arm.name:
            for prompt, pair in zip(contest.prompts, arm.pairs, strict=True):
                for span in phrase_spans(without_prefix(pair.positive, prompt) or ()):
                    counts.setdefault(span.text, Counter())[names.get(span.window, "other")] += 1
    rows = [
        [phrase, str(sum(found.values())), *(f"{found[name] / sum(found.values()):.2f}" for name in arms.WINDOWS)]
        for phrase, found in sorted(counts.items(), key=lambda item: -sum(item[1].values()))
    ]
    return table(["modifier", "times", *arms.WINDOWS], rows)
