"""PPO's losses and its leash to the reference (arXiv 1707.06347, 1909.08593): pure functions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the places of the mask; 0 if there is none."""
    return torch.where(mask, values, 0.0).sum() / mask.sum().clamp(min=1)


def policy_loss(new: Tensor, old: Tensor, advantages: Tensor, mask: Tensor, clip: float) -> Tensor:
    """The clipped surrogate: -mean of min(ratio A, clip(ratio, 1 - clip, 1 + clip) A) with ratio = exp(new - old)."""
    ratio = (new - old).exp()
    clipped = ratio.clamp(1 - clip, 1 + clip)
    return -masked_mean(torch.minimum(ratio * advantages, clipped * advantages), mask)


def value_loss(new: Tensor, old: Tensor, returns: Tensor, mask: Tensor, clip: float) -> Tensor:
    """Half the larger of two squared errors: of the value, and of the value held within `clip` of the old one."""
    held = old + (new - old).clamp(-clip, clip)
    return 0.5 * masked_mean(torch.maximum((new - returns).square(), (held - returns).square()), mask)


def clip_fraction(new: Tensor, old: Tensor, mask: Tensor, clip: float) -> Tensor:
    """Share of actions whose ratio has left the clip range."""
    return masked_mean((((new - old).exp() - 1).abs() > clip).float(), mask)


@dataclass(slots=True)
class KLController:
    """The price of leaving the reference. With a target it is raised and lowered to keep the divergence there."""

    coefficient: float
    """Price of one nat; PAE's code has 0.02."""
    target: float = 0.0
    """Nats a response; 0 keeps the price fixed."""
    rate: float = 0.1
    """How fast the price moves: K_beta of arXiv 1909.08593."""

    def update(self, divergence: float) -> None:
        """Adapt to the divergence of the last step, in nats a response."""
        if self.target > 0:
            error = max(-0.2, min(0.2, divergence / self.target - 1))
            self.coefficient *= 1 + self.rate * error
