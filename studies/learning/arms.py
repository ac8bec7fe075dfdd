"""The learners: each gives, for a number of pictures, a set of words for every held-out prompt."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from negopt_core.files import make_folder, write_text
from negopt_core.json_text import read_json
from negopt_core.lab.jobs.processes import ALONE
from negopt_core.lab.jobs.run import Listeners, Loop, RunFolder, run_steps
from negopt_core.lab.make_world.measure import draw_prompts
from negopt_core.lab.train.run_ppo import filled_in, make_trainer
from negopt_core.lab.train.settings import PPORun, PPOSettings
from negopt_core.paint.base import ModelPainter
from negopt_core.paint.choice import choose
from negopt_core.paint.open import open_painter
from negopt_core.policy import SuggestOptions, suggest
from negopt_core.policy.language.folder import save_policy
from negopt_core.policy.loglinear.policy import tables_fingerprint
from negopt_core.policy.store import SHIPPED, load_policy
from negopt_core.policy.tuned.effects import Option, Stock
from negopt_core.scorers.table import Loader
from negopt_core.text.prompt import PromptPair, Span
from negopt_core.tune.evidence import Evidence, Picture, Source
from negopt_core.tune.posterior import fit
from negopt_core.tune.rounds import Ask, Limits, Reader, drawn_pairs, random_pairs, topics_of
from negopt_core.tune.tune import best_sets
from negopt_core.world import vocabulary as words
from studies.learning.settings import LearningSettings
from studies.world.search import content_features, fit_gains, random_negatives

STOCK = (
    *(word for synonyms in words.DEGRADATIONS.values() for word in synonyms),
    *words.BAD_WORDS,
    *words.GOOD_WORDS,
    *words.FASHION_WORDS,
    *words.ENHANCEMENTS,
)
"""The phrases that the world's policies choose from."""
ALIGNMENT = 3.0
_PAIRS = 16
_AGAIN = 1.2
"""The variances are searched again when there are so many times the pictures."""
Reward = Callable[[torch.Tensor, Sequence[str]], torch.Tensor]
Texts = dict[str, list[str]]
"""Held-out prompt -> negative, in order; by number of pictures."""


def world_painter(steps: int, dtype: str) -> ModelPainter:
    """The demo world's."""
    choice = choose("world", steps=steps)
    return open_painter(choice.path, choice.settings(batch_size=32), dtype=dtype)


def world_reward(role: str) -> Reward:
    """R = quality + 3 alignment."""
    loader = Loader({}, role)
    quality, alignment = loader.scorer("world-quality"), loader.scorer("world-alignment")
    return lambda images, prompts: (quality(images, prompts) + ALIGNMENT * alignment(images, prompts)).double()


def tuned(settings: LearningSettings, seed: int, held_out: Sequence[str], is_random: bool = False) -> Texts:
    """The engine of `tune` on negatives, without its last stages."""
    stock = Stock(tuple(Option("negative", Span(word)) for word in STOCK))
    sets = learned_sets(settings, seed, held_out, stock, is_random)
    return {count: [", ".join(one.span.text for one in each) for each in found] for count, found in sets.items()}


def learned_sets(
    settings: LearningSettings, seed: int, held_out: Sequence[str], stock: Stock, is_random: bool = False
) -> dict[str, list[list[Option]]]:
    """By number of pictures, the best set for each held-out prompt; `is_random`: sets drawn blindly, the same model."""
    reader, limits = Reader(stock, "sd15"), Limits()
    painter, reward = world_painter(settings.train_steps, settings.paint_dtype), world_reward("reward")
    rng, prompts = np.random.default_rng(seed), iter(draw_prompts(4000, 7 * seed + 11, part="train"))
    evidence = Evidence(Source("world", "", tables_fingerprint(), ""), stock, {})
    found: dict[str, list[list[Option]]] = {}
    posterior, searched = None, 0
    while len(evidence.pictures) < settings.budgets[-1]:
        rows = [(next(prompts), int(rng.integers(2**31))) for _ in range(_PAIRS)]
        if is_random or posterior is None or len(evidence.pictures) < 4 * _PAIRS:
            asks = random_pairs(reader, rows, limits, rng)
        else:
            asks = drawn_pairs(posterior, evidence, reader, rows, limits, rng)
        before = len(evidence.pictures)
        evidence = _told(evidence, reader, asks, painter, reward)
        is_due = posterior is None or len(evidence.pictures) >= _AGAIN * searched
        searched = len(evidence.pictures) if is_due else searched
        known = None if is_due or posterior is None else posterior.deviations.tolist()
        posterior = fit(evidence.data({"R": 1.0}), known)
        for budget in settings.budgets:
            if before < budget <= len(evidence.pictures):
                sets = best_sets(posterior.mean(), evidence, reader, held_out, limits)
                found[str(len(evidence.pictures))] = [[stock.options[one] for one in each] for each in sets]
    return found


def _told(evidence: Evidence, reader: Reader, asks: Sequence[Ask], painter: ModelPainter, reward: Reward) -> Evidence:
    images = painter.paint([one.pair(reader.stock) for one in asks], [one.seed for one in asks])
    rewards = reward(images, [one.prompt for one in asks]).tolist()
    pictures = [Picture(one.group, one.options, {"R": value}) for one, value in zip(asks, rewards, strict=True)]
    return replace(evidence, topics={**evidence.topics, **topics_of(reader, asks)}).plus(pictures)


def regression(settings: LearningSettings, seed: int, held_out: Sequence[str]) -> Texts:
    """`world report`'s search: random negatives beside none, one ridge regression; its baselines are counted."""
    painter, reward = world_painter(settings.train_steps, settings.paint_dtype), world_reward("reward")
    found: Texts = {}
    for budget in settings.budgets:
        prompts = draw_prompts(budget // 2, 7 * seed + 13, part="train")
        negatives = random_negatives(prompts, seed)
        seeds = list(range(1_000_000 * (seed + 1), 1_000_000 * (seed + 1) + len(prompts)))
        plain = reward(painter.paint([PromptPair.plain(one) for one in prompts], seeds), prompts)
        pairs = [PromptPair.plain(one, ", ".join(each)) for one, each in zip(prompts, negatives, strict=True)]
        gains = fit_gains(prompts, negatives, reward(painter.paint(pairs, seeds), prompts) - plain)
        found[str(budget)] = [", ".join(gains.choose(row)) for row in content_features(held_out)]
    return found


def ppo(settings: LearningSettings, seed: int, held_out: Sequence[str], folder: Path) -> Texts:
    """PPO from the shipped SFT policy, as docs/generated/results.md has it; its likeliest words at several steps."""
    run = filled_in(
        PPORun(
            folder=folder,
            output=folder / "export",
            policy=SHIPPED / "world-negative-sft",
            prompts="world",
            reward=f"world-quality:1,world-alignment:{ALIGNMENT:g}",
            steps=settings.ppo_steps[-1],
            save_every=settings.ppo_steps[0],
            paint_steps=settings.train_steps,
            paint_dtype=settings.paint_dtype,
            ppo=PPOSettings(seed=seed),
        )
    )
    trainer = make_trainer(run, world_painter(settings.train_steps, settings.paint_dtype), ALONE)

    def keep(step: int) -> None:
        if step in settings.ppo_steps:
            save_policy(trainer.actors.policy, folder / f"policy-{step}")

    loop, listeners = Loop(run.steps, run.save_every, ("reward", "kl")), Listeners(on_save=keep)
    opened = RunFolder.open(folder, {"seed": str(seed)})
    run_steps(opened, trainer, lambda: trainer.step()[0], loop, f"ppo {seed}", listeners)
    found: Texts = {}
    for step in settings.ppo_steps:
        answers = suggest(load_policy(str(folder / f"policy-{step}")), held_out, SuggestOptions(modes=("negative",)))
        found[str(32 * step)] = [one.negative for one in answers]
    return found


def kept(path: Path, make: Callable[[], Any]) -> Any:
    """What a file holds, made if it is not there."""
    if not path.exists():
        make_folder(path.parent)
        write_text(path, json.dumps(make()) + "\n")
    return read_json(path.read_bytes())


def measure(settings: LearningSettings, held_out: Sequence[str], negatives: Sequence[str]) -> list[float]:
    """[P] R by the eval judge, one picture a prompt, the same noise for every learner."""
    painter, reward = world_painter(settings.paint_steps, settings.paint_dtype), world_reward("eval")
    pairs = [PromptPair.plain(*one) for one in zip(held_out, negatives, strict=True)]
    return list(map(float, reward(painter.paint(pairs, range(900_000, 900_000 + len(pairs))), held_out)))


def learners(settings: LearningSettings, held_out: Sequence[str]) -> Mapping[str, Callable[[int], Texts]]:
    """By name: seed -> texts."""
    return {
        "tune": lambda seed: tuned(settings, seed, held_out),
        "random": lambda seed: tuned(settings, seed, held_out, is_random=True),
        "regression": lambda seed: regression(settings, seed, held_out),
        "ppo": lambda seed: ppo(settings, seed, held_out, settings.folder / f"ppo-{seed}"),
    }
