"""Windows and weights before any picture was seen: published findings by kind of phrase, with room for others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...policy.language.pae_weights import PAE_WEIGHTS
from ...policy.phrase_kinds import usual_time
from ...text.prompt import FULL, Window

NEGATIVE_WINDOWS = (FULL, Window(0.2, 1.0), Window(0.5, 1.0), Window(0.0, 0.5))
MODIFIER_WINDOWS = (FULL, Window(0.5, 1.0), Window(0.0, 0.5))
SCHEDULE_WEIGHTS = PAE_WEIGHTS
_SHARE = 0.8
"""Probability of the usual window and weight; the rest is left to the others, so that PPO can find better ones."""
_NEAR = 0.8
"""Share of a weight's rest that goes to its neighbours."""


@dataclass(frozen=True, slots=True)
class ScheduleTargets:
    """[S, W] and [S, K]: probabilities of windows and weights for each phrase of the stock."""

    windows: Tensor
    weights: Tensor


def windows_of(polarity: str) -> tuple[Window, ...]:
    """The windows that a scheduled policy can choose from."""
    return NEGATIVE_WINDOWS if polarity == "negative" else MODIFIER_WINDOWS


def schedule_targets(stock: Sequence[str], polarity: str) -> ScheduleTargets:
    """For each phrase the probabilities of windows and weights; the usual one is always the likeliest."""
    windows = windows_of(polarity)
    times = [usual_time(phrase, polarity) for phrase in stock]
    return ScheduleTargets(
        torch.stack([_around(windows.index(window), len(windows), 0.0) for window, _ in times]),
        torch.stack([_around(SCHEDULE_WEIGHTS.index(weight), len(SCHEDULE_WEIGHTS), _NEAR) for _, weight in times]),
    )


def _around(usual: int, count: int, near: float) -> Tensor:
    """[count] probabilities with `_SHARE` at `usual`, and `near` of the rest at its neighbours."""
    beside = [place for place in (usual - 1, usual + 1) if 0 <= place < count] if near else []
    shares = torch.full((count,), (1 - _SHARE) * (1 - near) / (count - 1))
    shares[beside] += (1 - _SHARE) * near / max(len(beside), 1)
    shares[usual] = 0.0
    shares *= (1 - _SHARE) / shares.sum()
    shares[usual] = _SHARE
    return shares
