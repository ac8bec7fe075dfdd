"""docs/generated/results.md: what training gains on the demo world, by prompts, noise and a judge new to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from negopt_core.errors import TrainingError
from negopt_core.files import write_bytes, write_text
from negopt_core.lab.compare.arms import Arm
from negopt_core.lab.jobs.run import METRICS
from negopt_core.lab.make_world.card import weights_hash
from negopt_core.measure.draw import Row, draw_sheet, to_file
from negopt_core.policy.language.pae_weights import PAE_WEIGHTS
from negopt_core.policy.phrases import phrase_spans
from negopt_core.text.prompt import PromptPair
from negopt_core.world import world_dir
from studies.document import replace_between
from studies.policies.arms import PROMPT_SEED, PolicyArms
from studies.policies.curves import Curve, draw_curves, read_curve
from studies.policies.recipe import BALANCES, DATA_SIZES, ISOLATED, Recipe
from studies.policies.ship import SHIPPED_RUNS, likeliest
from studies.policies.tables import Results, added_spans, agreement_table, phrase_tables, settings_table
from studies.world.arms import FIXED, NONE, WINDOWS, negative_arm, negatives_arm
from studies.world.experiments import SEARCHED, SEARCHED_FIXED, search_negatives, search_windows
from studies.world.runner import Runner, design_of
from studies.world.search import content_features
from studies.world.settings import ReportSettings

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
    """Paint every arm, replace what stands between the marks of `document`, return the figures."""
    trained = PolicyArms.draw(prompts, folder, recipe)
    weights = weights_hash(world_dir())
    runner = Runner(world_dir(), weights, cache, recipe.paint_steps, recipe.cfg, jobs, recipe.paint_dtype)
    curves = _curves(trained)  # what is missing is said before anything is painted
    arms = [*trained.all(), *_searched(runner, trained)]
    results = Results(runner.run(design_of(trained.prompts, arms, 2, PROMPT_SEED), "eval", "arms"), recipe.seeds)
    best = max((*FIXED, SEARCHED_FIXED), key=results.reward)
    modifiers = _modifier_tables(arms, trained, search_windows(runner, _report_settings(recipe)))
    settings = _negative_settings(arms, recipe.seeds)
    text = "\n\n".join([_manifest(runner, trained), *_tables(results, settings, modifiers, best), _PICTURES])
    write_bytes(document.parent / "images" / CURVES, draw_curves("Reward of rollouts, means of ten steps", curves))
    write_bytes(document.parent / "images" / SHEET, _sheet(results, trained, best))
    replace_between(document, BEGIN, END, text)
    figures: dict[str, Any] = {"weights": weights, "recipe": asdict(recipe), "arms": results.figures()}
    write_text(document.with_suffix(".json"), json.dumps(figures, indent=1) + "\n")
    return figures


def _searched(runner: Runner, trained: PolicyArms) -> list[Arm]:
    """The searched negatives of the world's report: one for all prompts, and one for each, the room there is."""
    gains = search_negatives(runner, _report_settings(trained.recipe))
    for_each = [", ".join(gains.choose(row)) for row in content_features(trained.prompts)]
    fixed = negative_arm(SEARCHED_FIXED, ", ".join(gains.choose()))
    return [fixed, negatives_arm(SEARCHED, trained.prompts, for_each)]


def _report_settings(recipe: Recipe) -> ReportSettings:
    """Those of the world's report, sampled as here."""
    return ReportSettings(steps=recipe.paint_steps, guidance_scale=recipe.cfg)


def _manifest(runner: Runner, trained: PolicyArms) -> str:
    recipe = trained.recipe
    return (
        f"Command: `python -m negopt_core reproduce`. World {runner.weights}; {recipe.seeds} training seeds, "
        f"{recipe.sft_steps} steps of SFT, {recipe.ppo_steps} of PPO; {len(trained.prompts)} held-out prompts x 2 "
        f"noises an arm, {runner.steps} steps in {runner.dtype}, guidance {runner.guidance_scale:g}. A row without a "
        "seed is the mean of its seeds. R = quality + 3 alignment. ± is half of a 95 % interval over prompts; "
        "differences are paired. "
        "Everything is judged by the `eval` judge; training saw the `reward` judge."
    )


def _gain_of_windows(results: Results) -> str:
    windows = results.gain("scheduled-rl", "scheduled-rl-weights")
    return f"Windows alone (scheduled-rl against scheduled-rl-weights): R {windows}. How often each setting is written:"


def _tables(results: Results, settings: str, modifiers: list[str], best: str) -> list[str]:
    fixed = [*FIXED, SEARCHED_FIXED]
    stages = ("plain", "random", "sft", "rl-plain", "rl")
    return [
        "### NegOpt: negatives",
        results.table([NONE, *fixed, *NEGATIVES, SEARCHED], "negative-sft"),
        results.gap_closed("negative-rl", best, SEARCHED),
        "### Scheduled negatives: the same words alone, with their weights, with weights and windows",
        results.table([f"{kind}-rl{part}" for kind, part in SCHEDULED], "scheduled-rl-plain"),
        _gain_of_windows(results),
        settings,
        "### The likeliest words, which `suggest` writes where no seed is named",
        results.table([NONE, best, *map(likeliest, SHIPPED_RUNS.values())], best),
        "### Reward balance, quality : alignment : fidelity",
        results.table(
            ["negative-sft-0", *(f"balance-{name.replace(':', '-')}" for name in BALANCES)], "negative-sft-0"
        ),
        "### PAE: modifiers",
        results.table([NONE, *(f"modifiers-{stage}" for stage in stages)], "modifiers-plain"),
        results.wins("modifiers-rl", (NONE, "modifiers-plain", "modifiers-random", "modifiers-sft")),
        "### What the modifiers are, when they act and how strongly",
        *modifiers,
        "### One reward alone",
        results.table(["modifiers-sft-0", *(f"modifiers-{label}" for label in ISOLATED)], "modifiers-sft-0"),
        "### Both sides",
        results.table([NONE, "negative-rl", "modifiers-rl", "both-rl"], NONE),
        "### How much data",
        results.table(_size_rows(), "negative-sft-0"),
        "### Differences and training seeds",
        results.differences(_pairs()),
        results.by_seed(("negative-rl", "scheduled-rl", "modifiers-rl"), NONE),
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


def _modifier_tables(arms: list[Arm], trained: PolicyArms, best: Mapping[str, str]) -> list[str]:
    """What the trained policies write, over all training seeds; `best` is the world's best window of a modifier."""
    pairs = _pairs_of(arms, "modifiers-rl", trained.recipe.seeds)
    spans = [span for written in pairs for span in added_spans(trained.prompts, written)]
    question = (
        "Do they agree with the best windows of the world? Those are from the search of `world report`: each modifier "
        "alone, in three windows, on other prompts and noise, by the `reward` judge."
    )
    return [*phrase_tables(spans, WINDOWS, PAE_WEIGHTS), question, agreement_table(spans, WINDOWS, best)]


def _negative_settings(arms: list[Arm], seeds: int) -> str:
    """When and how strongly the phrases of scheduled negatives act."""
    written = [pair for pairs in _pairs_of(arms, "scheduled-rl", seeds) for pair in pairs]
    return settings_table([span for pair in written for span in phrase_spans(pair.negative.spans)], WINDOWS)


def _pairs_of(arms: list[Arm], kind: str, seeds: int) -> list[tuple[PromptPair, ...]]:
    """What the policies of one kind write, one item for each training seed."""
    names = {f"{kind}-{seed}" for seed in range(seeds)}
    return [arm.pairs for arm in arms if arm.name in names]


def _curves(trained: PolicyArms) -> dict[str, Curve]:
    """The learning curves of the first training seed."""
    curves = {}
    for training in trained.recipe.trainings():
        if training.name.endswith("-rl-0") or training.name == "rl-only":
            metrics = trained.folder / training.name / "run" / METRICS
            if not metrics.exists():
                raise TrainingError(f"{metrics} is missing; train first: leave out --only measure")
            curves[training.name] = read_curve(metrics, training.pictures_a_step)
    return curves


def _sheet(results: Results, trained: PolicyArms, best: str) -> bytes:
    """A JPEG of the first prompts' pictures under each kind of policy."""
    rows = [_row(results, name) for name in (NONE, best, "rules", *(f"{kind}-0" for kind in SHOWN))]
    footer = f"The first {COLUMNS} held-out prompts, the same noise in every row, training seed 0: not chosen."
    sheet = draw_sheet("Negatives and modifiers, trained", trained.prompts[:COLUMNS], rows, footer)
    return to_file(sheet, "JPEG")


def _row(results: Results, name: str) -> Row:
    scores = results.arms[name]
    captions = [f"quality {quality:.1f}" for quality in scores.quality[:COLUMNS, 0].tolist()]
    note = "quality {quality:.2f}, alignment {alignment:.2f} over all prompts".format(**scores.means)
    return Row(name, note, scores.pictures[:COLUMNS].float() / 255, tuple(captions))
