"""What a picture is made with, what then belongs to it and what does not; and who is in it."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache

from ..text.word_tables import entries, read_rows, word_set
from .words import words_of

MEDIA_FILE = "media.txt"


@dataclass(frozen=True, slots=True)
class Medium:
    """One way of making a picture."""

    name: str
    asks: tuple[str, ...]
    """A prompt with one of these wants it; in the spelling of `words.words_of`."""
    own: tuple[str, ...]
    """More words that belong to it and are never negated when it is asked for; in the same spelling."""
    conflicts: tuple[str, ...]
    """Words for what it is not, the commonest mix-up first."""


@cache
def media() -> tuple[Medium, ...]:
    """Every medium of the table."""
    return tuple(
        Medium(name, entries(asks), entries(own), entries(conflicts))
        for name, asks, own, conflicts, _ in read_rows(MEDIA_FILE)
    )


def names_a_body(phrase: str) -> bool:
    """True for "bad hands" and its like: nothing for a picture without people or animals."""
    return not word_set("body").isdisjoint(words_of(phrase))


def shows_people(words: AbstractSet[str]) -> bool:
    """True if a prompt of these words (as `words_of` spells them) shows people: hands and faces can go wrong."""
    return not words.isdisjoint(word_set("people"))


def shows_animals(words: AbstractSet[str]) -> bool:
    """True if a prompt of these words shows an animal: legs, tails and heads can go wrong."""
    return not words.isdisjoint(word_set("animals"))


def shows_a_body(words: AbstractSet[str]) -> bool:
    """True if a prompt of these words shows people or animals."""
    return shows_people(words) or shows_animals(words)
