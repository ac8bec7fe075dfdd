"""What `rules` writes for the demo world, which knows no words but its own; nothing here acts for another family."""

from __future__ import annotations

from functools import cache

from ..text.word_tables import read_rows
from .contradiction import Asked
from .families import WORLD_FILE, Family
from .phrase_kinds import Term, read_terms


@cache
def world_table(what: str) -> dict[str, tuple[Term, ...]]:
    """Rows of the world's table by word: "medium" has what improves it, "fault" what goes wrong most often with it."""
    return {row[1]: read_terms(row[2]) for row in read_rows(WORLD_FILE) if row[0] == what}


def world_negatives(asked: Asked, family: Family, essentials: int) -> list[Term]:
    """Likely faults, the first `essentials` of the family's habit, the media that were not asked for, the rest."""
    faults = [term for word, terms in world_table("fault").items() if word in asked.words for term in terms]
    return [*faults, *family.negatives[:essentials], *_other_media(asked), *family.negatives[essentials:]]


def world_modifiers(asked: Asked, family: Family) -> list[Term]:
    """The family's habit, and what improves the media that were asked for."""
    improving = [term for medium, terms in world_table("medium").items() if medium in asked.words for term in terms]
    return [*family.modifiers, *improving]


def _other_media(asked: Asked) -> list[Term]:
    known = world_table("medium")
    return [(name, "style") for name in known if name not in asked.words] if not asked.words.isdisjoint(known) else []
