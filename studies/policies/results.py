"""docs/results.md: what training gains on the demo world, on prompts, noise and a judge that no training saw."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image

from negopt_core.errors import TrainingError
from negopt_core.files import write_bytes, write_text
from negopt_core.lab.jobs.run import METRICS
from negopt_core.lab.make_world.card import weights_hash
from negopt_core.measure.sheet import Row, draw_sheet
from negopt_core.policy.language.pae_weights import PAE_WEIGHTS
from negopt_core.policy.phrases import phrase_spans
from negopt_core.text.prompt import PromptPair
from negopt_core.world import world_dir
from studies.policies.board import Board
from studies.policies.contestants import PROMPT_SEED, Contest
from studies.policies.curves import Curve, draw_curves, read_curve
from studies.policies.habits import added_spans, agreement_table, habit_tables, settings_table
from studies.policies.recipe import BALANCES, DATA_SIZES, ISOLATED, Recipe
from studies.policies.ship import SHIPPED_RUNS, likeliest
from studies.world import arms
from studies.world.experiments import SEARCHED, SEARCHED_FIXED, search_negatives, search_windows
from studies.world.search import content_features
from studies.world.settings import ReportSettings
from studies.world.studio import Arm, Batch, Studio

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
CURVES, SHEET, COLUMNS = "results-curves.png", "results-sheet.jpg", 6
SHOWN = ("negative-sft", "negative-rl", "scheduled-rl", "modifiers-sft", "modifiers-rl", "both-rl")
"""Kinds on the sheet of pictures."""
_PICTURES = f"""### Learning

![Reward against pictures painted](images/{CURVES})

### Pictures

![The same prompts and noise under each policy](images/{SHEET})"""
SCHEDULED = (("negative", ""), ("scheduled", "-plain"), ("scheduled", "-weights"), ("scheduled", ""))
NEGATIVES = (
    "people",
    "rules",
    "rules, all steps",
    "rl-only",
    "negative-sft",
    "negative-rl",
    "scheduled-sft",
    "scheduled-rl",
)


def write_results(folder: Path, document: Path, recipe: Recipe, prompts: int, jobs: int, cache: Path) -> dict[str, Any]:
    """Paint every contestant, replace what stands between the markers of `document`, return the figures."""
    contest = Contest.draw(prompts, folder, recipe)
    studio = Studio(
        world_dir(), weights_hash(world_dir()), cache, recipe.paint_steps, recipe.cfg, jobs, recipe.paint_dtype
    )
    batch = Batch(contest.prompts, 2, PROMPT_SEED, "eval")
    curves = _curves(contest)  # what is missing is said before anything is painted
    everybody = [*contest.arms(), *_searched(studio, contest)]
    board = Board(studio.paint(batch, everybody, "contestants"), recipe.seeds)
    best = max((*arms.FIXED, SEARCHED_FIXED), key=board.reward)
    habits = _habits(everybody, contest, search_windows(studio, _report_settings(recipe)))
    settings = _negative_settings(everybody, recipe.seeds)
    text = "\n\n".join([_manifest(studio, contest), *_tables(board, settings, habits, best), _PICTURES])
    write_bytes(document.parent / "images" / CURVES, draw_curves("Reward of rollouts, means of ten steps", curves))
    write_bytes(document.parent / "images" / SHEET, _sheet(board, contest, best))
    before, _, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    write_text(document, f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
    figures: dict[str, Any] = {"weights": studio.weights, "recipe": asdict(recipe), "arms": board.figures()}
    write_text(document.with_suffix(".json"), json.dumps(figures, indent=1) + "\n")
    return figures


def _searched(studio: Studio, contest: Contest) -> list[Arm]:
    """The searched negatives of the world's report: one for all prompts, and one for each, the room there is."""
    gains = search_negatives(studio, _report_settings(contest.recipe))
    for_each = [", ".join(gains.choose(row)) for row in content_features(contest.prompts)]
    return [
        arms.with_negative(SEARCHED_FIXED, contest.prompts, ", ".join(gains.choose())),
        arms.with_negatives(SEARCHED, contest.prompts, for_each),
    ]


def _report_settings(recipe: Recipe) -> ReportSettings:
    """Those of the world's report, sampled as here."""
    return ReportSettings(steps=recipe.paint_steps, guidance_scale=recipe.cfg)


def _manifest(studio: Studio, contest: Contest) -> str:
    recipe = contest.recipe
    return (
        f"Command: `python -m negopt_core reproduce`. World {studio.weights}; {recipe.seeds} training seeds, "
        f"{recipe.sft_steps} steps of SFT, {recipe.ppo_steps} of PPO; {len(contest.prompts)} held-out prompts x 2 "
        f"noises an arm, {studio.steps} steps in {studio.dtype}, guidance {studio.guidance_scale:g}. A row without a "
        "seed is the mean of its seeds. R = quality + 3 alignment. ± is half of a 95 % interval over prompts; "
        "differences are paired. "
        "Everything is judged by the `eval` judge; training saw the `reward` judge."
    )


def _gain_of_windows(board: Board) -> str:
    windows = board.gain("scheduled-rl", "scheduled-rl-weights")
    return f"Windows alone (scheduled-rl against scheduled-rl-weights): R {windows}. How often each setting is written:"


def _tables(board: Board, settings: str, habits: list[str], best: str) -> list[str]:
    fixed = [*arms.FIXED, SEARCHED_FIXED]
    stages = ("plain", "random", "sft", "rl-plain", "rl")
    return [
        "### NegOpt: negatives",
        board.table([arms.NONE, *fixed, *NEGATIVES, SEARCHED], "negative-sft"),
        board.gap_closed("negative-rl", best, SEARCHED),
        "### Scheduled negatives: the same words alone, with their weights, with weights and windows",
        board.table([f"{kind}-rl{part}" for kind, part in SCHEDULED], "scheduled-rl-plain"),
        _gain_of_windows(board),
        settings,
        "### The likeliest words, which `suggest` writes where no seed is named",
        board.table([arms.NONE, best, *map(likeliest, SHIPPED_RUNS.values())], best),
        "### Reward balance, quality : alignment : fidelity",
        board.table(["negative-sft-0", *(f"balance-{name.replace(':', '-')}" for name in BALANCES)], "negative-sft-0"),
        "### PAE: modifiers",
        board.table([arms.NONE, *(f"modifiers-{stage}" for stage in stages)], "modifiers-plain"),
        board.wins("modifiers-rl", (arms.NONE, "modifiers-plain", "modifiers-random", "modifiers-sft")),
        "### What the modifiers are, when they act and how strongly",
        *habits,
        "### One reward alone",
        board.table(["modifiers-sft-0", *(f"modifiers-{label}" for label in ISOLATED)], "modifiers-sft-0"),
        "### Both sides",
        board.table([arms.NONE, "negative-rl", "modifiers-rl", "both-rl"], arms.NONE),
        "### How much data",
        board.table(_size_rows(), "negative-sft-0"),
        "### Differences and training seeds",
        board.differences(_pairs()),
        board.by_seed(("negative-rl", "scheduled-rl", "modifiers-rl"), arms.NONE),
    ]


def _pairs() -> list[tuple[str, str]]:
    """The differences that the page's text speaks of."""
    others = ("negative-sft", "people", "rules", "rules, all steps", SEARCHED_FIXED, SEARCHED, "rl-only")
    pairs = [("negative-rl", other) for other in others]
    pairs += [("scheduled-rl", other) for other in ("negative-rl", "scheduled-rl-weights", "rules, all steps")]
    pairs += [("modifiers-rl", "modifiers-rl-plain"), ("both-rl", "negative-rl"), ("both-rl", "modifiers-rl")]
    pairs += [(f"balance-{name}", "balance-1-1-1") for name in ("5-1-1", "1-5-1", "1-1-5")]
    return [*pairs, *((f"negative-{count}-rl-0", "negative-rl-0") for count in DATA_SIZES.values())]


def _size_rows() -> list[str]:
    sizes = [f"negative-{count}-{stage}-0" for count in DATA_SIZES.values() for stage in ("sft", "rl")]
    return [*sizes, "negative-sft-0", "negative-rl-0"]


def _habits(everybody: list[Arm], contest: Contest, best: Mapping[str, str]) -> list[str]:
    """What the trained policies write, over all training seeds; `best` is the world's best window of a modifier."""
    pairs = _pairs_of(everybody, "modifiers-rl", contest.recipe.seeds)
    spans = [span for written in pairs for span in added_spans(contest.prompts, written)]
    told = (
        "Do they agree with the best windows of the world? Those are from the search of `world report`: each modifier "
        "alone, in three windows, on other prompts and noise, by the `reward` judge."
    )
    return [*habit_tables(spans, arms.WINDOWS, PAE_WEIGHTS), told, agreement_table(spans, arms.WINDOWS, best)]


def _negative_settings(everybody: list[Arm], seeds: int) -> str:
    """When and how strongly the phrases of scheduled negatives act."""
    written = [pair for pairs in _pairs_of(everybody, "scheduled-rl", seeds) for pair in pairs]
    return settings_table([span for pair in written for span in phrase_spans(pair.negative.spans)], arms.WINDOWS)


def _pairs_of(everybody: list[Arm], kind: str, seeds: int) -> list[tuple[PromptPair, ...]]:
    """What the policies of one kind write, one item for each training seed."""
    names = {f"{kind}-{seed}" for seed in range(seeds)}
    return [arm.pairs for arm in everybody if arm.name in names]


def _curves(contest: Contest) -> dict[str, Curve]:
    """The learning curves of the first training seed."""
    found = {}
    for training in contest.recipe.trainings():
        if training.name.endswith("-rl-0") or training.name == "rl-only":
            metrics = contest.folder / training.name / "run" / METRICS
            if not metrics.exists():
                raise TrainingError(f"{metrics} is missing; train first: leave out --only measure")
            found[training.name] = read_curve(metrics, training.pictures_a_step)
    return found


def _sheet(board: Board, contest: Contest, best: str) -> bytes:
    """A JPEG of the first prompts' pictures under each kind of policy."""
    rows = [_row(board, name) for name in (arms.NONE, best, "rules", *(f"{kind}-0" for kind in SHOWN))]
    footer = f"The first {COLUMNS} held-out prompts, the same noise in every row, training seed 0: not chosen."
    sheet = draw_sheet("Negatives and modifiers, trained", contest.prompts[:COLUMNS], rows, footer)
    with Image.open(io.BytesIO(sheet)) as picture, io.BytesIO() as stream:
        picture.save(stream, "JPEG", quality=88)
        return stream.getvalue()


def _row(board: Board, name: str) -> Row:
    outcome = board.outcomes[name]
    captions = [f"quality {quality:.1f}" for quality in outcome.quality[:COLUMNS, 0].tolist()]
    note = f"quality {float(outcome.quality.mean()):.2f}, alignment {float(outcome.hits.mean()):.2f} over all prompts"
    return Row(name, note, outcome.pictures[:COLUMNS].float() / 255, tuple(captions))
