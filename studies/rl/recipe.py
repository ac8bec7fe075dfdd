"""The training runs of the study, as command lines."""

from __future__ import annotations

from pathlib import Path

from studies.policies.recipe import GROUP_MEAN, Recipe, Training
from studies.rl.settings import RLSettings
from studies.rl.stock import STOCK, TOKENIZER, TWO, pairs_file

ALGORITHMS: dict[str, tuple[str, ...]] = {
    "group": GROUP_MEAN,
    "grpo": ("--advantage", "grpo"),
    "reinforce": (*GROUP_MEAN, "--epochs", "1", "--kl", "0"),
    "reinforce, 4 x rate": (*GROUP_MEAN, "--epochs", "1", "--kl", "0", "--rate", "0.0012"),
}
"""One pass over a round leaves every ratio at 1, so that the clip never acts: REINFORCE with the group's mean."""
FLAT = ("--flat-schedule",)
SCHEDULES: dict[str, tuple[str, ...]] = {
    "prior": (),
    "flat": FLAT,
    "flat, 3 x rate": (*FLAT, "--rate", "0.001"),
}
"""What each run of modifiers has beyond PPO as docs/generated/results.md has it."""
TWO_WORDS = "two words"
"""Runs with a flat prior and only the two modifiers whose windows the world's sweep finds to be worth something."""

KEPT = "world-quality:1,world-alignment:20:0:plain"
"""Quality counts; alignment only where it falls below that of the plain prompt's picture, and then 20 times."""


def recipe_of(settings: RLSettings) -> Recipe:
    """As `reproduce`, with the study's own length."""
    return Recipe(seeds=settings.seeds, ppo_steps=settings.steps, paint_dtype=settings.paint_dtype)


def trainings(settings: RLSettings, part: str, stock: Path) -> list[Training]:
    """Every run of a part; what a run needs stands before it. `stock` is the folder that `write_stock` filled."""
    recipe = recipe_of(settings)
    runs: list[Training] = []
    for seed in range(settings.seeds):
        if part == "algorithms":
            runs.append(recipe.sft("negative", seed))
            runs += [
                recipe.ppo("negative", seed, name=run_name(part, name, seed), steps=settings.short, how=how)
                for name, how in ALGORITHMS.items()
            ]
        elif part == "windows":
            runs.append(recipe.sft("modifiers", seed, scheduled=True))
            runs += [
                recipe.ppo("modifiers", seed, name=run_name(part, name, seed), how=(*GROUP_MEAN, *how))
                for name, how in SCHEDULES.items()
            ]
            runs += _two_word_runs(recipe, stock, seed)
        elif part == "stock":
            runs += _stock_runs(settings, recipe, stock, seed)
        else:
            runs += _referee_runs(settings, recipe, seed)
    return runs


def _two_word_runs(recipe: Recipe, stock: Path, seed: int) -> list[Training]:
    start = ("sft", "--pairs", "world", "--stock", str(stock / TWO), "--polarity", "modifiers", "--scheduled")
    return [
        Training(f"two-sft-{seed}", (*start, "--train-steps", str(recipe.sft_steps // 2), "--seed", str(seed))),
        recipe.ppo("", seed, f"two-sft-{seed}", name=run_name("windows", TWO_WORDS, seed), how=(*GROUP_MEAN, *FLAT)),
    ]


def _stock_runs(settings: RLSettings, recipe: Recipe, stock: Path, seed: int) -> list[Training]:
    """Supervised training on habits, PPO from there and from a policy that knows nothing, short and long."""
    start = ("sft", "--pairs", str(pairs_file(stock, seed)), "--stock", str(stock / STOCK), "--tokenizer")
    supervised = (*start, str(stock / TOKENIZER), "--polarity", "negative", "--seed", str(seed), "--train-steps")
    runs = [
        Training(f"stock-sft-{seed}", (*supervised, str(recipe.sft_steps))),
        Training(f"stock-untrained-{seed}", (*supervised, "1", "--rate", "1e-09")),
    ]
    for begun in ("sft", "untrained"):
        for length, steps in (("short", settings.brief), ("long", settings.long)):
            name = run_name("stock", f"{begun}, {length}", seed)
            runs.append(recipe.ppo("", seed, start=f"stock-{begun}-{seed}", name=name, steps=steps))
    return runs


def _referee_runs(settings: RLSettings, recipe: Recipe, seed: int) -> list[Training]:
    """A policy of each side as the other parts train it, and modifiers that are to keep alignment."""
    return [
        recipe.sft("negative", seed),
        recipe.ppo("negative", seed, name=run_name("algorithms", "group", seed), steps=settings.short),
        recipe.sft("modifiers", seed, scheduled=True),
        recipe.ppo("modifiers", seed, name=run_name("windows", "prior", seed)),
        recipe.ppo("modifiers", seed, name=run_name("referee", "kept", seed), reward=KEPT),
    ]


def run_name(part: str, what: str, seed: int) -> str:
    """The folder of a run, and the name of its arm."""
    return f"{part}-{what.replace(', ', '-').replace(' ', '-')}-{seed}"
