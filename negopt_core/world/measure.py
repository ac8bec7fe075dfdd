"""How good the world is, in numbers: judges against ground truth, painter against judges, with intervals."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..paint.base import Painter
from ..prompt import PromptPair
from . import vocabulary as words
from .captions import Facts, content_caption, read_prompt
from .judges import Judge, Verdict, alignment, judge_pictures
from .render import render
from .scenes import Scenes, true_quality
from .train_judges import draw_scenes

ATTRIBUTES = ("medium", "place", "time", "shape", "colour")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over independent items and half the width of its 95 % interval."""

    mean: float
    half_width: float

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.half_width:.2f}"


def estimate(values: Tensor) -> Estimate:
    """Mean of [N] values with a normal 95 % interval."""
    values = values.double()
    spread = float(values.std()) if len(values) > 1 else float("nan")
    return Estimate(float(values.mean()), 1.96 * spread / len(values) ** 0.5)


def measure_judge(judge: Judge, count: int, seed: int) -> dict[str, float]:
    """A judge on rendered scenes it has not seen: R2 of quality, accuracy per attribute, AUC per flag."""
    scenes = draw_scenes(count, seed)
    verdict = judge_pictures(judge, render(scenes))
    truth = true_quality(scenes)
    residual = (verdict.quality - truth).square().mean() / truth.var(unbiased=False)
    found = {"quality R2": float(1 - residual)}
    targets = _targets(scenes)
    found |= {
        f"{head} accuracy": float((verdict.logits[head].argmax(1) == targets[head]).float().mean()) for head in targets
    }
    for head, names, flags in (
        ("degradations", words.DEGRADATIONS, scenes.severity > 0),
        ("enhancements", words.ENHANCEMENTS, scenes.enhanced > 0),
    ):
        found |= {f"{name} AUC": auc(verdict.logits[head][:, i], flags[:, i]) for i, name in enumerate(names)}
    return found


def _targets(scenes: Scenes) -> dict[str, Tensor]:
    return {
        "medium": scenes.medium,
        "place": scenes.place,
        "time": scenes.time,
        "shape": scenes.shape[:, 0],
        "colour": scenes.colour[:, 0],
    }


def auc(scores: Tensor, flags: Tensor) -> float:
    """Probability that a positive scores above a negative (ties count half)."""
    positive, negative = scores[flags], scores[~flags]
    above = (positive[:, None] > negative[None]).double() + 0.5 * (positive[:, None] == negative[None]).double()
    return float(above.mean()) if len(positive) and len(negative) else float("nan")


def draw_prompts(count: int, seed: int) -> list[str]:
    """Plain captions of single objects, drawn at random from the whole grammar."""
    rng = random.Random(seed)
    return [
        content_caption(
            Facts(
                medium=rng.choice(words.MEDIUMS),
                place=rng.choice(words.PLACES),
                time=rng.choice(words.TIMES),
                objects=((rng.choice(words.COLOURS), rng.choice(words.SHAPES)),),
                relation="",
                degradations=(),
                enhancements=(),
                quality=words.BASE_QUALITY,
            )
        )
        for _ in range(count)
    ]


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to paint the prompts, and what came out."""

    name: str
    quality: Tensor
    """[prompts], averaged over seeds."""
    alignment: Tensor
    """[prompts], averaged over seeds."""
    found: dict[str, Tensor]
    """Per attribute, [prompts * seeds] 0 or 1."""
    flags: Tensor
    """[9] how often the judge sees each degradation."""


def paint_arm(
    name: str, pairs: Sequence[PromptPair], prompts: Sequence[str], seeds: int, painter: Painter, judge: Judge
) -> tuple[Arm, Tensor]:
    """Paint every pair with `seeds` seeds, the same noise for a prompt in every arm. Returns the pictures too."""
    numbers = [1_000 * index + k for index in range(len(pairs)) for k in range(seeds)]
    images = painter.paint([pair for pair in pairs for _ in range(seeds)], numbers)
    requests = [read_prompt(prompt) for prompt in prompts for _ in range(seeds)]
    verdict = judge_pictures(judge, images)
    arm = Arm(
        name,
        verdict.quality.view(-1, seeds).mean(1),
        alignment(verdict, requests).view(-1, seeds).mean(1),
        {head: _hits(verdict, head, [getattr(request, head) for request in requests]) for head in ATTRIBUTES},
        (verdict.logits["degradations"] > 0).double().mean(0),
    )
    return arm, images


def _hits(verdict: Verdict, head: str, wanted: Sequence[int | None]) -> Tensor:
    found = verdict.logits[head].argmax(1).tolist()
    return torch.tensor([value == want for value, want in zip(found, wanted, strict=True) if want is not None]).double()
