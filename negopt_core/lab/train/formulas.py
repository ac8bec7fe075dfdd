"""PPO's formulas, tested against numbers worked by hand: advantages, losses, the KL coefficient."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


def whiten(values: Tensor, mask: Tensor) -> Tensor:
    """Mean 0 and variance 1 over the places of the mask; 0 outside. What differs by rounding only stays next to 0."""
    kept = values[mask]
    mean, spread = kept.mean(), kept.std(unbiased=False)
    return torch.where(mask, (values - mean) / spread.clamp(min=1e-4), 0.0)


def group_advantages(rewards: Tensor, group: int, is_scaled: bool, twins: int = 1) -> Tensor:
    """[B] reward of a response minus the mean over the `group` responses to the same prompt, which stand together.

    `is_scaled` divides by the group's standard deviation, as GRPO does (arXiv 2402.03300); where all are equal, 0
    stays 0. Each `twins` responses in a row count with their mean.
    """
    rows = rewards.view(-1, twins).mean(dim=1, keepdim=True).expand(-1, twins).reshape(-1, group)
    centred = rows - rows.mean(dim=1, keepdim=True)
    if is_scaled:
        centred = centred / (rows.std(dim=1, unbiased=False, keepdim=True) + 1e-6)
    return centred.flatten()


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the places of the mask; 0 if there is none."""
    return torch.where(mask, values, 0.0).sum() / mask.sum().clamp(min=1)


def policy_loss(new: Tensor, old: Tensor, advantages: Tensor, mask: Tensor, clip: float) -> Tensor:
    """The clipped surrogate: -mean of min(ratio A, clip(ratio, 1 - clip, 1 + clip) A) with ratio = exp(new - old)."""
    ratio = (new - old).exp()
    clipped = ratio.clamp(1 - clip, 1 + clip)
    return -masked_mean(torch.minimum(ratio * advantages, clipped * advantages), mask)


def clip_fraction(new: Tensor, old: Tensor, mask: Tensor, clip: float) -> Tensor:
    """Share of actions whose ratio has left the clip range."""
    return masked_mean((((new - old).exp() - 1).abs() > clip).float(), mask)


@dataclass(slots=True)
class KLController:
    """The KL coefficient. With a target it is raised and lowered to keep the divergence there."""

    coefficient: float
    """What the divergence is multiplied with; PAE's code has 0.02."""
    target: float = 0.0
    """Nats a response; 0 keeps the coefficient fixed."""
    rate: float = 0.1
    """How fast the coefficient moves: K_beta of arXiv 1909.08593."""

    def update(self, divergence: float) -> None:
        """Adapt to the divergence of the last step, in nats a response."""
        if self.target > 0:
            error = max(-0.2, min(0.2, divergence / self.target - 1))
            self.coefficient *= 1 + self.rate * error


@dataclass(slots=True)
class RunningMoments:
    """Mean and variance over everything seen so far (Chan's pairwise update)."""

    count: float = 0.0
    mean: float = 0.0
    squares: float = 0.0
    """Sum of squared distances from the mean."""

    def update(self, values: Tensor) -> None:
        """Take in a batch."""
        values = values.double()
        size, mean = len(values), float(values.mean())
        squares = float((values - mean).square().sum())
        total, shift = self.count + size, mean - self.mean
        self.squares += squares + shift**2 * self.count * size / total
        self.mean += shift * size / total
        self.count = total

    @property
    def spread(self) -> float:
        """Standard deviation; 1 while nothing has varied."""
        return (self.squares / self.count) ** 0.5 if self.count and self.squares > 0 else 1.0

    def standardise(self, values: Tensor) -> Tensor:
        """Values as distances from the mean in units of the spread."""
        return (values - self.mean) / self.spread
