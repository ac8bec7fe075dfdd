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
from ..token_estimate import estimate_tokens

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

    @classmethod
    def of(cls, stock: Stock, tokens: tuple[int, int], most: tuple[int, int]) -> Room:
        """For a stock: each phrase costs its tokens and a comma's."""
        return cls(
            np.array([estimate_tokens(one.span.text + ", ") for one in stock.options], float),
            np.array([SIDES.index(one.side) for one in stock.options], np.int64),
            (float(tokens[0]), float(tokens[1])),
            most,
        )


def best_set(
    gains: Array, pairs: Array, text_of: NDArray[np.int64], room: Room, allowed: NDArray[np.bool_] | None = None
) -> list[int]:
    """Places of the options with the highest sum that fits: one is put in, taken out or changed for another at a time,
    for as long as the sum grows; the best first."""
    open_ = np.ones(len(gains), bool) if allowed is None else allowed
    chosen: list[int] = []
    for _ in range(4 * len(gains)):
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
    places = np.array(chosen, np.int64)
    texts = text_of[places]
    own = pairs.diagonal()
    beside = 2 * pairs[:, texts].sum(1) + own  # of coming in beside all that is chosen
    loss = gains[places] + beside[texts] - 2 * own[texts]  # of going
    value = gains + beside[text_of]
    change = np.vstack([value, value - 2 * pairs[np.ix_(texts, text_of)] - loss[:, None]])  # row 0: nothing goes
    is_said = np.isin(text_of, texts)
    is_new = ~is_said | np.vstack([np.zeros(len(gains), bool), text_of == texts[:, None]])
    is_new[:, places] = False
    change[~(is_new & open_ & _fitting(places, room))] = -np.inf
    row, into = np.unravel_index(int(change.argmax()), change.shape) if change.size else (0, 0)
    gone = int(loss.argmin()) if len(chosen) else -1
    if gone >= 0 and -loss[gone] > max(float(change[row, into]), _LEAST):
        return chosen[gone], None
    if not change.size or change[row, into] <= _LEAST:
        return None
    return (None if row == 0 else chosen[int(row) - 1]), int(into)


def _fitting(places: NDArray[np.int64], room: Room) -> NDArray[np.bool_]:
    """[1 + k, V] True for options that have a place while nothing, or the k-th of the chosen, goes."""
    sides = room.sides[places]
    fits = np.ones((1 + len(places), len(room.costs)), bool)
    for side in (0, 1):
        mine = sides == side
        going = np.concatenate([[False], mine])
        count = mine.sum() - going
        tokens = room.costs[places][mine].sum() - np.concatenate([[0.0], np.where(mine, room.costs[places], 0.0)])
        has_room = (count < room.most[side])[:, None] & (room.costs <= room.tokens[side] - tokens[:, None])
        fits &= (room.sides != side) | has_room
    return fits
