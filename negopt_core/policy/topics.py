"""What asking for one thing means for other words, as `topics.txt` says; looked up by `contradiction`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ..text.word_tables import entries, padded, read_rows


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing that a prompt can ask for. All but `negate` is in the spelling of `words.words_of`."""

    asks: tuple[str, ...]
    """A prompt with one of these asks for it; none of them is ever negated then."""
    same: tuple[str, ...] = ()
    """More words that mean it, or come with it: not negated either."""
    opposite: tuple[str, ...] = ()
    """Words that would work against it: never added as modifiers."""
    negate: tuple[str, ...] = ()
    """Antonyms worth a place in the negative."""


@cache
def topics() -> tuple[Topic, ...]:
    """Every topic of the table."""
    return tuple(Topic(*map(entries, padded(row, 4))) for row in read_rows("topics.txt"))
