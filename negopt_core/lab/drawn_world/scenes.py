"""What is in a picture of the drawn world, exactly: the ground truth that everything else is measured against."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache

import torch
from torch import Tensor

from . import vocabulary as words

MAX_FAULTS = 3
_MODIFIED = 0.13
"""Probability of each modifier."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """A batch of B scenes; every field is a tensor whose first axis is the batch. Rendering one is deterministic."""

    thing: Tensor
    """[B] index into THINGS."""
    style: Tensor
    """[B] index into STYLES."""
    place: Tensor
    """[B] index into PLACES."""
    time: Tensor
    """[B] index into TIMES."""
    shift: Tensor
    """[B] -1, 0 or 1: how many eighths of the width the thing stands to the right of the middle."""
    variant: Tensor
    """[B] 0 or 1: on which side the sun stands and the cloud."""
    severity: Tensor
    """[B, 8] severity 0..1 of each fault, in the order of FAULTS."""
    modified: Tensor
    """[B, 8] 0 or 1 for each of MODIFIERS."""
    phase: Tensor
    """[B, 3] uniform 0..1: what no word describes; place of the watermark, pattern of noise, side of a crop."""

    def __len__(self) -> int:
        return len(self.thing)

    def __getitem__(self, index: slice | Tensor) -> Scenes:
        return Scenes(**{field.name: getattr(self, field.name)[index] for field in fields(self)})

    def has(self, modifier: str) -> Tensor:
        """[B] 0 or 1."""
        return self.modified[:, list(words.MODIFIERS).index(modifier)]

    def of_fault(self, fault: str) -> Tensor:
        """[B] severity 0..1."""
        return self.severity[:, list(words.FAULTS).index(fault)]


def joined(*parts: Scenes) -> Scenes:
    """One batch after the other."""
    return Scenes(**{field.name: torch.cat([getattr(part, field.name) for part in parts]) for field in fields(Scenes)})


def true_quality(scenes: Scenes) -> Tensor:
    """[B] ground truth, 1..10: 5.5, less what is wrong, plus what is good."""
    effects = quality_effects()[scenes.style, scenes.time]
    bonuses = torch.tensor(list(words.MODIFIERS.values()))
    return (words.BASE_QUALITY + (scenes.severity * effects).sum(dim=1) + scenes.modified @ bonuses).clamp(1.0, 10.0)


def quality_effects() -> Tensor:
    """[4, 3, 8] quality that each fault at severity 1 adds, by style and time."""
    return torch.tensor(
        [
            [[words.quality_effect(fault, style, time) for fault in words.FAULTS] for time in words.TIMES]
            for style in words.STYLES
        ]
    )


def sample_clean_scenes(count: int, seed: int) -> Scenes:
    """Draw scenes with nothing wrong and no modifier: what a plain prompt asks for."""
    return _sample_content(count, torch.Generator().manual_seed(seed))


def sample_scenes(count: int, seed: int) -> Scenes:
    """Draw scenes from the world's own distribution; faults depend on the content and on the modifiers."""
    rng = torch.Generator().manual_seed(seed)
    content = _sample_content(count, rng)
    modified = (torch.rand(count, len(words.MODIFIERS), generator=rng) < _MODIFIED).float()
    names = list(words.MODIFIERS)
    modified[:, names.index("tiny")] *= 1 - modified[:, names.index("close-up")]
    content = replace(content, modified=modified)
    return replace(content, severity=_sample_faults(content, rng))


def _sample_content(count: int, rng: torch.Generator) -> Scenes:
    def draw(size: int) -> Tensor:
        return torch.randint(size, (count,), generator=rng)

    return Scenes(
        thing=draw(len(words.THINGS)),
        style=draw(len(words.STYLES)),
        place=draw(len(words.PLACES)),
        time=draw(len(words.TIMES)),
        shift=draw(3) - 1,
        variant=draw(2),
        severity=torch.zeros(count, len(words.FAULTS)),
        modified=torch.zeros(count, len(words.MODIFIERS)),
        phase=torch.rand(count, 3, generator=rng),
    )


@cache
def fault_rates() -> Tensor:
    """[style, place, time, thing, fault]; 12,288 numbers, the same for every batch."""
    return torch.tensor(
        [
            [
                [
                    [
                        [words.fault_rate(fault, style, place, time, thing) for fault in words.FAULTS]
                        for thing in range(len(words.THINGS))
                    ]
                    for time in words.TIMES
                ]
                for place in words.PLACES
            ]
            for style in words.STYLES
        ]
    )


def _sample_faults(scenes: Scenes, rng: torch.Generator) -> Tensor:
    """[B, 8]: at most three faults, none beside its opposite, each of severity .6 to 1."""
    names = list(words.FAULTS)
    rate = fault_rates()[scenes.style, scenes.place, scenes.time, scenes.thing]
    for modifier, (fault, share) in words.FLATTERED.items():
        rate[:, names.index(fault)] += share * scenes.has(modifier)
    draw = torch.rand(rate.shape, generator=rng)
    margin = torch.where(draw < rate, rate - draw, -1.0)
    for one, other in words.OPPOSITES:
        first, second = margin[:, names.index(one)].clone(), margin[:, names.index(other)].clone()
        margin[:, names.index(one)] = torch.where(first < second, -1.0, first)
        margin[:, names.index(other)] = torch.where(first < second, second, -1.0)
    is_kept = (margin >= margin.topk(MAX_FAULTS, dim=1).values[:, -1:]) & (margin > 0)
    return torch.where(is_kept, 0.6 + 0.4 * torch.rand(rate.shape, generator=rng), 0.0)
