"""How close written modifiers are to what somebody put behind the same subject. All scores run from 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...policy.words import phrase_key
from ..data.corpus import Modified
from ..data.examples import plain_modifier
from .text import distinct_n, phrases

FIRST = 5
"""Modifiers that precision looks at."""


@dataclass(frozen=True, slots=True)
class ModifierScores:
    """Means over subjects."""

    count: int
    precision: float
    """Share of the first five modifiers that the person wrote too; 0 where nothing was written."""
    phrase_f1: float
    distinct_2: float
    """Different pairs of neighbouring words over all of them: 1 if nothing is ever said twice."""
    different: float
    """Share of subjects whose modifiers no other subject got."""
    empty: float
    verbatim: float
    """Share of positives that begin with the subject, unchanged."""


def score_modifiers(rows: Sequence[Modified], positives: Sequence[str]) -> ModifierScores:
    """Score positives, each the subject of the row at its place with modifiers behind it."""
    kept = [positive.startswith(row.subject) for row, positive in zip(rows, positives, strict=True)]
    written = [
        phrases(positive[len(row.subject) :]) if is_kept else []
        for row, positive, is_kept in zip(rows, positives, kept, strict=True)
    ]
    wanted = [{phrase_key(plain_modifier(phrase)) for phrase in row.modifiers} for row in rows]
    found = [[phrase_key(phrase) for phrase in said] for said in written]
    lines = [", ".join(said) for said in found]

    def mean(values: Sequence[float]) -> float:
        return sum(values) / len(values) if values else 0.0

    return ModifierScores(
        count=len(rows),
        precision=mean([_share(said[:FIRST], asked) for said, asked in zip(found, wanted, strict=True)]),
        phrase_f1=mean([_f1(set(said), asked) for said, asked in zip(found, wanted, strict=True)]),
        distinct_2=distinct_n(lines, 2),
        different=mean([float(lines.count(line) == 1) for line in lines]),
        empty=mean([float(not said) for said in found]),
        verbatim=mean([float(is_kept) for is_kept in kept]),
    )


def _share(said: Sequence[str], asked: set[str]) -> float:
    return sum(phrase in asked for phrase in said) / len(said) if said else 0.0


def _f1(said: set[str], asked: set[str]) -> float:
    total = len(said) + len(asked)
    return 2 * len(said & asked) / total if total else 1.0
