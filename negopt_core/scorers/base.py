"""The scorer port, and the one form that both papers' rewards take: `Scorer`, `RewardTerm`, `Reward`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ..errors import ModelError


class Scorer(Protocol):
    """Gives each picture a number; frozen, no gradients."""

    @property
    def name(self) -> str:
        """What the score is called in tables and logs."""
        ...

    def __call__(self, images: Tensor, prompts: Sequence[str]) -> Tensor:
        """Score pictures [B, 3, H, W] in 0..1, each against the prompt at its own place -> [B]."""
        ...


@dataclass(frozen=True, slots=True)
class RewardTerm:
    """One scorer's share of a reward: `weight * s`, or with a floor the hinge `weight * min(0, s - floor)`.

    With a baseline, `s` is the picture's score minus `baseline` times the score of the plain prompt's picture.
    """

    scorer: Scorer
    weight: float = 1.0
    floor: float | None = None
    baseline: float = 0.0
    """beta of PAE's equation 4 (arXiv 2404.04095), 0 or more; at 0, the paper's choice, no plain picture is needed."""

    def __post_init__(self) -> None:
        given = {"weight": self.weight, "floor": self.floor, "baseline": self.baseline}
        if not all(number is None or math.isfinite(number) for number in given.values()):
            raise ModelError(f"a reward term needs finite numbers, got {given}")
        if self.baseline < 0.0:
            raise ModelError(f"a baseline takes the plain picture's score off, so it is 0 or more, got {self.baseline}")

    def value(self, scores: Tensor, plain: Tensor | None = None) -> Tensor:
        """[B] scores -> [B] contribution to the reward; `plain` [B] are those of the plain prompt's pictures."""
        if self.baseline:
            if plain is None:
                raise ModelError(
                    f"{self.scorer.name} is measured against the plain prompt's picture; give those pictures too"
                )
            scores = scores - self.baseline * plain
        return self.weight * (scores if self.floor is None else (scores - self.floor).clamp(max=0.0))


@dataclass(frozen=True, slots=True)
class Scored:
    """A batch's reward and what it is made of."""

    total: Tensor
    """[B]."""
    terms: Mapping[str, Tensor]
    """Contribution of each term by its scorer's name, each [B]; they add up to `total`."""


@dataclass(frozen=True, slots=True)
class Reward:
    """A sum of terms. NegOpt (arXiv 2403.07605): aesthetics 5, alignment 1, fidelity 1. PAE (arXiv 2404.04095):
    aesthetics 1, CLIP 20 with floor 0.28, PickScore 1 with floor 18."""

    terms: tuple[RewardTerm, ...]

    def __post_init__(self) -> None:
        names = [term.scorer.name for term in self.terms]
        if not names or len(set(names)) != len(names):
            raise ModelError(f"a reward needs at least one term and each scorer once, got {names}")

    @property
    def needs_plain(self) -> bool:
        """True if a term is measured against the picture of the plain prompt."""
        return any(term.baseline for term in self.terms)

    def __call__(self, images: Tensor, prompts: Sequence[str], plain: Tensor | None = None) -> Scored:
        """Reward pictures [B, 3, H, W]; raises ModelError where pictures, prompts or scores do not match.

        `plain` [B, 3, H, W], needed only if `needs_plain`: the plain prompts' pictures from the same noise.
        """
        for name, pictures in (("", images), ("plain ", plain)):
            if pictures is not None and len(pictures) != len(prompts):
                raise ModelError(
                    f"every {name}picture needs its own prompt, got {len(pictures)} pictures and {len(prompts)} prompts"
                )
        contributions = {}
        for term in self.terms:
            base = None if plain is None or not term.baseline else _checked(term.scorer, plain, prompts)
            contributions[term.scorer.name] = term.value(_checked(term.scorer, images, prompts), base)
        return Scored(torch.stack(list(contributions.values())).sum(dim=0), contributions)


def _checked(scorer: Scorer, images: Tensor, prompts: Sequence[str]) -> Tensor:
    scores = scorer(images, prompts)
    if scores.shape != (len(images),):
        raise ModelError(f"{scorer.name} gave scores of shape {list(scores.shape)} for {len(images)} pictures")
    if not bool(torch.isfinite(scores).all()):
        raise ModelError(
            f"{scorer.name} gave a score that is not a finite number; look at the pictures and its weights"
        )
    return scores.float()
