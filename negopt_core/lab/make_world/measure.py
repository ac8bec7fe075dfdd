"""How good the world is, in numbers: judges against ground truth, painter against judges."""

from __future__ import annotations

import hashlib
import random
from typing import Literal

import torch
from torch import Tensor

from ...world import vocabulary as words
from ...world.captions import Facts, content_caption
from ...world.judges import Judge, join_verdicts, judge_pictures
from ...world.render import render
from ...world.scenes import Scenes, true_quality
from .train_judges import draw_scenes

_AT_ONCE = 200
"""Scenes rendered at the same time."""

Part = Literal["all", "train", "held-out"]

ATTRIBUTES = ("medium", "place", "time", "shape", "colour")


def measure_judge(judge: Judge, count: int, seed: int) -> dict[str, float]:
    """A judge on rendered scenes it has not seen: R2 of quality, accuracy per attribute, AUC per flag."""
    scenes = draw_scenes(count, seed)
    parts = torch.split(torch.arange(count), _AT_ONCE)
    verdict = join_verdicts([judge_pictures(judge, render(scenes[rows])) for rows in parts])
    truth = true_quality(scenes)
    residual = (verdict.quality - truth).square().mean() / truth.var(unbiased=False)
    figures = {"quality R2": float(1 - residual)}
    targets = _targets(scenes)
    for head, target in targets.items():
        right = (verdict.logits[head].argmax(1) == target).float()
        figures |= {f"{head} accuracy": float(right.mean()), f"{head}, clean scenes": float(right[: count // 4].mean())}
    for head, names, flags in (
        ("degradations", words.DEGRADATIONS, scenes.severity > 0),
        ("enhancements", words.ENHANCEMENTS, scenes.enhanced > 0),
    ):
        figures |= {f"{name} AUC": auc(verdict.logits[head][:, i], flags[:, i]) for i, name in enumerate(names)}
    return figures


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


def draw_prompts(count: int, seed: int, objects: int = 1, part: Part = "all") -> list[str]:
    """Plain captions of one or two objects, drawn at random; `part` keeps to prompts for training or to the others."""
    rng = random.Random(seed)
    prompts: list[str] = []
    while len(prompts) < count:
        prompt = content_caption(
            Facts(
                medium=rng.choice(words.MEDIUMS),
                place=rng.choice(words.PLACES),
                time=rng.choice(words.TIMES),
                objects=tuple((rng.choice(words.COLOURS), rng.choice(words.SHAPES)) for _ in range(objects)),
                relation=rng.choice(words.RELATIONS[1:]) if objects == 2 else "",
                degradations=(),
                enhancements=(),
                quality=words.BASE_QUALITY,
            )
        )
        if part == "all" or is_held_out(prompt) == (part == "held-out"):
            prompts.append(prompt)
    return prompts


def is_held_out(prompt: str) -> bool:
    """One in five prompts, by their SHA-1: nothing trains on them, whatever its seed."""
    return hashlib.sha1(prompt.encode()).digest()[0] % 5 == 0
