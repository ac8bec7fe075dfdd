"""Effects of phrases on a reward, as pictures taught them, and the set of phrases with the best sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import PolicyError
from ...text.prompt import Span, Window
from ..loglinear.knowledge import Side

Array = NDArray[np.float64]
SIDES: tuple[Side, Side] = ("negative", "modifiers")
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Option:
    """A phrase on one side with the weight and window it is tried with."""

    side: Side
    span: Span

    @property
    def text(self) -> tuple[Side, str]:
        """Side and words: options of the same words are said one at a time."""
        return self.side, self.span.text

    def to_row(self) -> list[Any]:
        """As files have it: side, words, weight, window."""
        return [self.side, self.span.text, self.span.weight, self.span.window.start, self.span.window.end]

    @classmethod
    def from_row(cls, row: Any) -> Option:
        """The option of `to_row`; ValueError, TypeError or PromptError for anything else."""
        side, text, weight, start, end = row
        if side not in SIDES:
            raise ValueError(f"a side is negative or modifiers, got {str(side)[:40]!r}")
        return cls(side, Span(str(text), float(weight), Window(float(start), float(end))))


@dataclass(frozen=True, slots=True)
class Stock:
    """V options of T texts; texts stand in the order of their first option. PolicyError for an option that is twice."""

    options: tuple[Option, ...]

    def __post_init__(self) -> None:
        if len(set(self.options)) != len(self.options):
            twice = next(one for one in self.options if self.options.count(one) > 1)
            raise PolicyError(f"{twice.span.text!r} is twice in the stock; each phrase once")

    @property
    def texts(self) -> tuple[tuple[Side, str], ...]:
        """[T] side and words."""
        return tuple(dict.fromkeys(one.text for one in self.options))

    @property
    def text_of(self) -> NDArray[np.int64]:
        """[V] place of each option's text."""
        place = {text: number for number, text in enumerate(self.texts)}
        return np.array([place[one.text] for one in self.options], np.int64)


@dataclass(frozen=True, slots=True)
class Effects:
    """gain of a set S of options for a prompt that is about z, of which `before` was thought:

    sum over S of (option + phrase + concept z + belief before + size) + sum over texts j, k of S of pairs_jk.
    """

    phrase: Array
    """[T]."""
    concept: Array
    """[T, C]."""
    option: Array
    """[V] what weight and window add."""
    belief: float
    """How far earlier knowledge holds: reward for each unit of it."""
    size: float
    """What any phrase brings."""
    pairs: Array
    """[T, T], symmetric; what phrases beside each other add, each with itself too."""

    def gains(self, text_of: NDArray[np.int64], concepts: Array, before: Array) -> Array:
        """[V] of each option, without what pairs add; `concepts` [C], `before` [T]."""
        texts = self.phrase + self.concept @ concepts + self.belief * before + self.size
        return np.asarray(self.option + texts[text_of])


@dataclass(frozen=True, slots=True)
class Room:
    """What a set may hold."""

    costs: Array
    """[V] tokens of each option."""
    sides: NDArray[np.int64]
    """[V] 0 for negatives, 1 for modifiers."""
    tokens: tuple[float, float]
    """The most of each side."""
    most: tuple[int, int]
    """The most phrases of each side."""


def best_set(
    gains: Array, pairs: Array, text_of: NDArray[np.int64], room: Room, allowed: NDArray[np.bool_] | None = None
) -> list[int]:
    """Places of the options with the highest sum that fits: one is put in, taken out or changed for another at a time,
    for as long as the sum grows; the best first."""
    count = len(gains)
    open_ = np.ones(count, bool) if allowed is None else allowed
    chosen: list[int] = []
    for _ in range(4 * count):
        step = _best_step(chosen, gains, pairs, text_of, room, open_)
        if step is None:
            break
        out, into = step
        chosen = [one for one in chosen if one != out] + ([] if into is None else [into])
    return sorted(chosen, key=lambda one: -gains[one])


def _best_step(
    chosen: Sequence[int], gains: Array, pairs: Array, text_of: NDArray[np.int64], room: Room, open_: NDArray[np.bool_]
) -> tuple[int | None, int | None] | None:
    """(what goes, what comes) of the change that adds most; None if none does."""
    texts = text_of[list(chosen)]
    beside = 2 * pairs[:, texts].sum(1) + pairs.diagonal() if len(chosen) else pairs.diagonal()
    value = gains + beside[text_of]  # of coming in beside all that is chosen
    said = set(texts.tolist())
    best, found = _LEAST, None  # type: tuple[float, tuple[int | None, int | None] | None]
    fits = _fitting(chosen, room)
    for one in np.flatnonzero(open_ & fits):
        if text_of[one] not in said and value[one] > best:
            best, found = float(value[one]), (None, int(one))
    for gone in chosen:
        text = text_of[gone]
        loss = gains[gone] + beside[text] - 2 * pairs[text, text]
        if -loss > best:
            best, found = float(-loss), (int(gone), None)
        swapped = value - 2 * pairs[text_of, text] - loss
        others = _fitting([one for one in chosen if one != gone], room) & open_
        for one in np.flatnonzero(others & (swapped > best)):
            if one not in chosen and (text_of[one] not in said or text_of[one] == text) and swapped[one] > best:
                best, found = float(swapped[one]), (int(gone), int(one))
    return found


def _fitting(chosen: Sequence[int], room: Room) -> NDArray[np.bool_]:
    """[V] True for options that still have a place."""
    fits = np.ones(len(room.costs), bool)
    for side in (0, 1):
        mine = [one for one in chosen if room.sides[one] == side]
        full = len(mine) >= room.most[side]
        left = room.tokens[side] - sum(room.costs[one] for one in mine)
        fits &= (room.sides != side) | ((room.costs <= left) & (not full))
    return fits
