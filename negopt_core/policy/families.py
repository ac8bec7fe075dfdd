"""Families of models: what people ask for and forbid by habit where a model was trained on the same captions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ..text.word_tables import named_fields, padded, read_rows
from .phrase_kinds import Term, read_terms

WORLD = "world"
"""The demo world, whose words are in a table of their own."""
WORLD_FILE = "world.txt"


@dataclass(frozen=True, slots=True)
class Family:
    """Models that were trained on the same kind of captions and therefore know the same words."""

    name: str
    negatives: tuple[Term, ...]
    """The most useful first: what does not fit the budget is cut from the end."""
    modifiers: tuple[Term, ...] = ()
    """Put before the modifiers of the medium."""
    is_tagged: bool = False
    """True if the captions were image-board tags."""
    has_medium_words: bool = True
    """False if modifiers and style conflicts by medium would be words that the model does not know."""
    max_tokens: int = 75
    caveats: tuple[str, ...] = ()


@cache
def families() -> dict[str, Family]:
    """Every family that `rules` and the trained policies know, by name; not to be changed."""
    known = [
        Family(name, read_terms(negatives), read_terms(modifiers), captions == "tags", caveats=(caveat,) * bool(caveat))
        for name, captions, negatives, modifiers, caveat in (padded(row, 5) for row in read_rows("families.txt"))
    ]
    habits = {row[0]: read_terms(row[1]) for row in read_rows(WORLD_FILE) if len(row) == 2}
    known.append(Family(WORLD, habits["negatives"], habits["modifiers"], has_medium_words=False, max_tokens=38))
    return {family.name: family for family in known}


@cache
def phrases_for(purpose: str) -> tuple[Term, ...]:
    """A row of `phrases.txt`, such as "people negatives"."""
    return read_terms(named_fields("phrases.txt")[purpose])
