"""Contestants side by side: rows of several training seeds are their mean, differences are paired by prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from negopt_core.measure.statistics import Interval, mean_interval
from negopt_core.scorers.fidelity import divergence, inception_score
from studies.world import arms
from studies.world.outcome import ALIGNMENT_WEIGHT, Outcome
from studies.world.tables import table

_HEAD = ("", "quality", "to none", "alignment", "to none", "fidelity", "Inception Score", "R to none", "R to {}")


@dataclass(frozen=True)
class Board:
    """Outcomes by name. A name without a seed stands for the mean of `name-0`, `name-1`, ..."""

    outcomes: dict[str, Outcome]
    seeds: int

    def members(self, name: str) -> list[Outcome]:
        """The outcomes behind a row."""
        if name in self.outcomes:
            return [self.outcomes[name]]
        return [self.outcomes[f"{name}-{seed}"] for seed in range(self.seeds)]

    def quality(self, name: str) -> Tensor:
        """[P] quality, averaged over noises and training seeds."""
        return torch.stack([one.mean_quality for one in self.members(name)]).mean(dim=0)

    def alignment(self, name: str) -> Tensor:
        """[P] alignment, likewise."""
        return torch.stack([one.alignment for one in self.members(name)]).mean(dim=0)

    def rewards(self, name: str) -> Tensor:
        """[P] R = quality + 3 alignment, likewise."""
        return self.quality(name) + ALIGNMENT_WEIGHT * self.alignment(name)

    def reward(self, name: str) -> float:
        """Mean R."""
        return float(self.rewards(name).mean())

    @cached_property
    def _marginal(self) -> Tensor:
        """p_ref of fidelity: how often each class comes in pictures without a negative."""
        return self.outcomes[arms.NONE].posteriors.flatten(0, 1).mean(dim=0)

    def fidelity(self, name: str) -> Tensor:
        """[P] KL(p(y|x) || p_ref), averaged over noises and training seeds."""
        parts = [divergence(one.posteriors, self._marginal).mean(dim=1) for one in self.members(name)]
        return torch.stack(parts).mean(dim=0)

    def inception(self, name: str) -> float:
        """Inception Score over all pictures of a training seed, averaged over seeds."""
        scores = [inception_score(one.posteriors.flatten(0, 1))[0] for one in self.members(name)]
        return sum(scores) / len(scores)

    def gain(self, name: str, other: str) -> Interval:
        """Paired difference of R."""
        return mean_interval(self.rewards(name) - self.rewards(other))

    def table(self, names: Sequence[str], reference: str) -> str:
        """One row for each name; the last column is against `reference`, if that is not none."""
        columns = len(_HEAD) - (reference == arms.NONE)
        head = [column.format(reference) for column in _HEAD]
        return table(head[:columns], [self._row(name, reference)[:columns] for name in names])

    def _row(self, name: str, reference: str) -> list[str]:
        none = arms.NONE
        return [
            name,
            str(mean_interval(self.quality(name))),
            str(mean_interval(self.quality(name) - self.quality(none))) if name != none else "",
            str(mean_interval(self.alignment(name))),
            str(mean_interval(self.alignment(name) - self.alignment(none))) if name != none else "",
            str(mean_interval(self.fidelity(name))),
            f"{self.inception(name):.2f}",
            str(self.gain(name, none)) if name != none else "",
            str(self.gain(name, reference)) if name != reference else "",
        ]

    def gap_closed(self, name: str, floor: str, ceiling: str) -> str:
        """How much of the way from the best fixed negative to the searched one a policy goes."""
        room = self.reward(ceiling) - self.reward(floor)
        share = f"{(self.reward(name) - self.reward(floor)) / room:.0%}" if room > 0 else "no"
        return (
            f"The best fixed negative is `{floor}`; the searched negatives are {self.gain(ceiling, floor)} above it. "
            f"`{name}` is {self.gain(name, floor)} above it: {share} of the room."
        )

    def differences(self, pairs: Sequence[tuple[str, str]]) -> str:
        """Paired differences of R, quality, alignment and fidelity."""
        rows = []
        for name, other in pairs:
            parts = [
                mean_interval(values(name) - values(other)) for values in (self.quality, self.alignment, self.fidelity)
            ]
            rows.append([f"{name} - {other}", str(self.gain(name, other)), *map(str, parts)])
        return table(["", "R", "quality", "alignment", "fidelity"], rows)

    def by_seed(self, names: Sequence[str], reference: str) -> str:
        """R over a reference for each training seed: what the intervals over prompts do not hold."""
        seeds = range(self.seeds)
        rows = [[name, *(str(self.gain(f"{name}-{seed}", reference)) for seed in seeds)] for name in names]
        return table([f"R over {reference}", *(f"seed {seed}" for seed in seeds)], rows)

    def wins(self, name: str, others: Sequence[str]) -> str:
        """Share of prompts on which R is higher, ties half."""
        rows = []
        for other in others:
            difference = self.rewards(name) - self.rewards(other)
            share = (difference > 0).double() + 0.5 * (difference == 0).double()
            rows.append([f"{name} against {other}", str(mean_interval(share))])
        return table(["", "win rate"], rows)

    def figures(self) -> dict[str, dict[str, float]]:
        """Means of every single contestant."""
        return {
            name: {
                "quality": round(float(one.quality.mean()), 4),
                "alignment": round(float(one.hits.mean()), 4),
                "R": round(float(one.reward.mean()), 4),
            }
            for name, one in self.outcomes.items()
        }
