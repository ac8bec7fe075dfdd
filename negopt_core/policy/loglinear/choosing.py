"""Phrases with their gains, and which of them are said: the best one after the other, within limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ..phrases import SEPARATOR
from ..words import words_of

LEAST_GAIN = 0.3
"""Phrases with less are not said."""
_SAME_HEAD = 0.55


@dataclass(frozen=True, slots=True)
class Reason:
    """One part of a gain: what it is from, which source, how much."""

    because: str
    source: str
    """"prompt", "model", "knowledge", "people" or "pictures"."""
    effect: float
    concept: str = ""
    """The concept of the prompt that it comes with, if it is one's."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A phrase with its gain, how sure that is, and why."""

    phrase: str
    gain: float
    sd: float
    reasons: tuple[Reason, ...]


Limit = Callable[[Choice], Mapping[str, int]]
"""Groups that a phrase belongs to, and how many of each are said."""


def best(
    choices: Iterable[Choice],
    is_blocked: Callable[[Choice], bool],
    limit: Limit,
    room: int,
    has_extras: bool,
    max_tokens: int,
    count_tokens: Callable[[str], int],
) -> list[Choice]:
    """The best phrases one after the other, each worth less for every one of its head that was taken before.

    `room` is how many; with `has_extras` what the painting model's makers recommend has place beside it.
    """
    left = sorted((one for one in choices if one.gain >= LEAST_GAIN), key=lambda one: (-one.gain, one.phrase))
    head_of = {one.phrase: _head(one.phrase) for one in left}
    taken: list[Choice] = []
    heads: Counter[str] = Counter()
    said: Counter[str] = Counter()
    tokens = 0
    while top := _pop_best(left, lambda one: one.gain * _SAME_HEAD ** heads[head_of[one.phrase]]):
        cost = count_tokens(top.phrase + (SEPARATOR if taken else ""))
        is_extra = has_extras and is_of_family(top)
        groups = limit(top)
        if any(said[group] >= most for group, most in groups.items()):
            continue
        if (room <= 0 and not is_extra) or tokens + cost > max_tokens or is_blocked(top):
            continue
        said.update(groups.keys())
        tokens += cost
        room -= not is_extra
        taken.append(top)
        heads[head_of[top.phrase]] += 1
    return taken


def is_of_family(choice: Choice) -> bool:
    """True for what the painting model's makers recommend."""
    return any(reason.source == "model" for reason in choice.reasons)


def _pop_best(left: list[Choice], worth: Callable[[Choice], float]) -> Choice | None:
    """Take out of `left` the first of the phrases that are worth most; None if that is too little, or none is left."""
    best = max(left, key=worth, default=None)
    if best is None or worth(best) < LEAST_GAIN:
        return None
    left.remove(best)
    return best


def _head(phrase: str) -> str:
    words = words_of(phrase)
    return words[-1] if words else phrase
