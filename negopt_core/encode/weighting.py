"""What a weight does to a text encoder's output: one rule for each convention that hosts use.

A weight acts on the tokens of its own words. BOS, EOS and padding always have weight 1. Two rules reach further by
their nature: `pae` rescales the whole row to keep its mean, and `compel` blends whole rows for weights below 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import torch

from ..errors import PromptError

Rule = Literal["pae", "pae-raw", "comfy", "compel", "none"]
"""
pae      multiply a token's state by its weight, then restore the mean of the row (arXiv 2404.04095; A1111 does so too)
pae-raw  multiply only, as A1111 does with its "No norm" emphasis
comfy    move a token's state along the line from the empty prompt's state there: `empty + w * (state - empty)`
compel   the `comfy` move, and for each phrase below 1 a blend with the row encoded without that phrase
none     weights are ignored
"""

RULES: tuple[Rule, ...] = get_args(Rule)

MAX_RESTORE = 10.0
"""Largest factor by which `pae` may rescale a row; beyond it the mean is too near 0 to divide by."""

_NEGLIGIBLE = 1e-3  # `pae`: a mean this small beside the mean size of the entries is rounding, not a scale
_FAINTEST = 1e-5  # `compel`: the blend's share grows without bound as a weight goes to 0


def check_rule(rule: str) -> Rule:
    """The rule of that name; raises PromptError for an unknown one."""
    for known in RULES:
        if rule == known:
            return known
    raise PromptError(f"no weighting rule is called {rule!r}; use one of {', '.join(RULES)}")


def needs_empty(rule: Rule) -> bool:
    """True if the rule compares with the empty prompt."""
    return rule in ("comfy", "compel")


def needs_masked(rule: Rule, weight: float) -> bool:
    """True if the rule needs the row encoded once more with the phrase of this weight hidden."""
    return rule == "compel" and weight < 1.0


def weigh(
    rule: Rule,
    states: torch.Tensor,
    weights: Sequence[float],
    empty: torch.Tensor | None = None,
    masked: Sequence[tuple[float, torch.Tensor]] = (),
) -> torch.Tensor:
    """Apply one weight to each token's state; a row whose weights are all 1 comes back as it is.

    `states` is [tokens, channels], `empty` is the empty prompt's states (for `comfy` and `compel`), and `masked` holds
    for `compel` each phrase below 1: its weight and the row encoded without it. The result has the dtype of `states`.
    """
    if rule == "none" or all(weight == 1.0 for weight in weights):
        return states
    column = torch.tensor(weights, dtype=torch.float32, device=states.device)[:, None]
    if rule in ("pae", "pae-raw"):
        scaled = states.float() * column
        return (_restore_mean(scaled, states.float()) if rule == "pae" else scaled).to(states.dtype)
    if empty is None:
        raise ValueError(f"the rule {rule!r} needs the states of the empty prompt")
    moved = _move_from_empty(states, empty, column)
    return moved.to(states.dtype) if rule == "comfy" else _blend(moved, empty, column, masked).to(states.dtype)


def _restore_mean(scaled: torch.Tensor, original: torch.Tensor) -> torch.Tensor:
    """Rescale to the mean over tokens and channels that the row had, unless it is too near 0 to carry a scale."""
    before, after = float(original.mean()), float(scaled.mean())
    noise = _NEGLIGIBLE * float(original.abs().mean())
    if min(abs(before), abs(after)) <= noise or not 0.0 < before / after <= MAX_RESTORE:
        return scaled
    return scaled * (before / after)


def _move_from_empty(states: torch.Tensor, empty: torch.Tensor, column: torch.Tensor) -> torch.Tensor:
    base, here = empty.float(), states.float()
    return torch.where(column == 1.0, here, base + (here - base) * column)  # weight 1 stays exact, rounding included


def _blend(
    moved: torch.Tensor, empty: torch.Tensor, column: torch.Tensor, masked: Sequence[tuple[float, torch.Tensor]]
) -> torch.Tensor:
    """Average the row with the rows that lack a phrase: share 0 at weight 1, equal at 0.5, everything towards 0."""
    total = 1.0
    blended = moved
    for weight, without in masked:
        share = math.tan((1.0 - max(weight, _FAINTEST)) * math.pi / 2)
        blended = blended + share * _move_from_empty(without, empty, column)
        total += share
    return blended / total
