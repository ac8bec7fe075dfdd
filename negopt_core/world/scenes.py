"""What is in a picture of the demo world, exactly: the ground truth that everything else is measured against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from . import vocabulary as words

MAX_DEGRADATIONS = 3
_ENHANCED = 0.4
"""Probability that a scene carries the enhancement its medium makes likely; half of that for another one."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """A batch of B scenes; every field is a tensor whose first axis is the batch. Rendering one is deterministic."""

    medium: Tensor
    """[B] index into MEDIUMS."""
    place: Tensor
    """[B] index into PLACES."""
    time: Tensor
    """[B] index into TIMES."""
    shape: Tensor
    """[B, 2] indices into SHAPES; the second counts only if there is a relation."""
    colour: Tensor
    """[B, 2] indices into COLOURS."""
    relation: Tensor
    """[B] index into RELATIONS; 0 = one object."""
    severity: Tensor
    """[B, 10] severity 0..1 of each degradation, in the order of DEGRADATIONS."""
    enhanced: Tensor
    """[B, 6] 0 or 1 for each of ENHANCEMENTS."""
    pose: Tensor
    """[B, 4] centre x, centre y (0..1, y down), radius (fraction of the side), angle (radians)."""
    phase: Tensor
    """[B, 8] uniform 0..1: everything in a picture that no word describes."""

    def __len__(self) -> int:
        return len(self.medium)

    def __getitem__(self, index: slice | Tensor) -> Scenes:
        return Scenes(**{field.name: getattr(self, field.name)[index] for field in fields(self)})

    def to(self, device: str) -> Scenes:
        """The same scenes on another device."""
        return Scenes(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})

    @property
    def has_second(self) -> Tensor:
        """[B] bool: is there a second object."""
        return self.relation > 0


def true_quality(scenes: Scenes) -> Tensor:
    """[B] ground truth, 1..10: 5.5, less what is wrong, plus what is good."""
    device = scenes.severity.device
    effects = quality_effects().to(device)[scenes.medium, scenes.time]
    bonuses = torch.tensor(list(words.ENHANCEMENTS.values()), device=device)
    quality = words.BASE_QUALITY + (scenes.severity * effects).sum(dim=1) + scenes.enhanced @ bonuses
    return quality.clamp(1.0, 10.0)


def quality_effects() -> Tensor:
    """[4, 3, 10] quality that each degradation at severity 1 adds, by medium and time."""
    return torch.tensor(
        [
            [[words.quality_effect(name, medium, time) for name in words.DEGRADATIONS] for time in words.TIMES]
            for medium in words.MEDIUMS
        ]
    )


def sample_scenes(count: int, seed: int) -> Scenes:
    """Draw scenes from the world's own distribution; degradations and enhancements depend on the content."""
    rng = torch.Generator().manual_seed(seed)
    return _happen(_sample_content(count, rng), rng)


def sample_scenes_of(content: Mapping[str, Tensor], seed: int) -> Scenes:
    """Draw what may go wrong and well in scenes of one object whose medium, place, time, shape and colour [B] are
    given."""
    rng = torch.Generator().manual_seed(seed)
    drawn = _sample_content(len(content["medium"]), rng)
    given = dict(content)
    for name in ("shape", "colour"):
        given[name] = torch.stack([content[name], content[name]], dim=1)
    return _happen(replace(drawn, relation=torch.zeros_like(drawn.relation), **given), rng)


def _happen(content: Scenes, rng: torch.Generator) -> Scenes:
    enhanced = _sample_enhancements(content, rng)
    severity = _sample_degradations(replace(content, enhanced=enhanced), rng)
    return _pose(replace(content, enhanced=enhanced, severity=severity))


def sample_clean_scenes(count: int, seed: int) -> Scenes:
    """Draw scenes with nothing wrong and nothing enhanced: what a plain prompt asks for."""
    return _pose(_sample_content(count, torch.Generator().manual_seed(seed)))


def _sample_content(count: int, rng: torch.Generator) -> Scenes:
    def draw(table: tuple[str, ...], *size: int) -> Tensor:
        return torch.randint(len(table), (count, *size), generator=rng)

    second = torch.rand(count, generator=rng) < 0.3
    return Scenes(
        medium=draw(words.MEDIUMS),
        place=draw(words.PLACES),
        time=draw(words.TIMES),
        shape=draw(words.SHAPES, 2),
        colour=draw(words.COLOURS, 2),
        relation=torch.where(second, 1 + torch.randint(2, (count,), generator=rng), 0),
        severity=torch.zeros(count, len(words.DEGRADATIONS)),
        enhanced=torch.zeros(count, len(words.ENHANCEMENTS)),
        pose=torch.rand(count, 4, generator=rng),
        phase=torch.rand(count, 8, generator=rng),
    )


def _sample_enhancements(scenes: Scenes, rng: torch.Generator) -> Tensor:
    names = list(words.ENHANCEMENTS)
    likely = torch.tensor([names.index(words.MEDIUM_ENHANCEMENTS[medium]) for medium in words.MEDIUMS])[scenes.medium]
    rate = torch.full((len(scenes), len(names)), _ENHANCED / 4)
    rate[torch.arange(len(scenes)), likely] = _ENHANCED
    return (torch.rand(rate.shape, generator=rng) < rate).float()


def _sample_degradations(scenes: Scenes, rng: torch.Generator) -> Tensor:
    table = torch.tensor(
        [
            [
                [
                    [words.degradation_rate(name, medium, time, shape) for name in words.DEGRADATIONS]
                    for shape in words.SHAPES
                ]
                for time in words.TIMES
            ]
            for medium in words.MEDIUMS
        ]
    )
    rate = _flattered(table[scenes.medium, scenes.time, scenes.shape[:, 0]], scenes.enhanced)
    draw = torch.rand(rate.shape, generator=rng)
    margin = _without_opposites(torch.where(draw < rate, rate - draw, -1.0))
    kept = margin >= margin.topk(MAX_DEGRADATIONS, dim=1).values[:, -1:]
    severity = 0.55 + 0.45 * torch.rand(rate.shape, generator=rng)
    return torch.where(kept & (margin > 0), severity, 0.0)


def _flattered(rate: Tensor, enhanced: Tensor) -> Tensor:
    """Raise the rates of the faults that come with an enhancement."""
    faults, better = list(words.DEGRADATIONS), list(words.ENHANCEMENTS)
    rate = rate.clone()
    for name, (fault, share) in words.FLATTERED.items():
        rate[:, faults.index(fault)] += share * enhanced[:, better.index(name)]
    return rate


def _without_opposites(margin: Tensor) -> Tensor:
    """Of two faults that exclude each other keep the one with the larger margin."""
    names = list(words.DEGRADATIONS)
    margin = margin.clone()
    for one, other in words.OPPOSITES:
        first, second = margin[:, names.index(one)].clone(), margin[:, names.index(other)].clone()
        margin[:, names.index(one)] = torch.where(first < second, -1.0, first)
        margin[:, names.index(other)] = torch.where(first < second, second, -1.0)
    return margin


def _pose(scenes: Scenes) -> Scenes:
    """Where the objects stand. On purpose some words move things: cinematic scenes show a small subject, glossy ones
    a close-up, textured ones a macro shot, cropped ones push it over the edge, and a dramatic camera is tilted; so it
    matters *when* such a word acts."""
    uniform = scenes.pose
    cinematic, glossy, textured = (
        scenes.enhanced[:, list(words.ENHANCEMENTS).index(name)] for name in ("cinematic", "glossy", "textured")
    )
    cropped = scenes.severity[:, list(words.DEGRADATIONS).index("cropped")]
    radius = 0.235 + 0.05 * uniform[:, 2]
    radius = torch.where(scenes.has_second, radius * 0.72, radius)
    macro = torch.where(scenes.has_second, 1.25, 1.85)
    factor = torch.where(textured > 0, macro, 1 + 0.28 * glossy)
    radius = radius * torch.where(cinematic > 0, 0.55, factor)
    x = 0.5 + 0.12 * (uniform[:, 0] - 0.5)
    y = 0.55 + 0.08 * (uniform[:, 1] - 0.5) + 0.08 * cinematic
    side = torch.where(uniform[:, 3] < 0.5, -1.0, 1.0)
    x = torch.where(cropped > 0, 0.5 + side * (0.34 + 0.12 * cropped), x)
    angle = 0.3 * (uniform[:, 3] - 0.5)
    return replace(scenes, pose=torch.stack([x, y, radius, angle], dim=1))
