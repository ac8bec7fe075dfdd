"""How close a written negative is to what somebody wrote: phrase and word overlap, ROUGE, variety, contradictions.

All scores run from 0 to 1. Words are lower-case runs of letters and digits, without stemming; phrases are comma parts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields

from ...policy.contradiction import is_contradicted, read_asked
from ...policy.words import phrase_key
from ..data.corpus import Row

_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """Lower-case words in order."""
    return _WORD.findall(text.casefold())


def phrases(text: str) -> list[str]:
    """Comma parts in order, without empty ones."""
    return [part.strip() for part in text.split(",") if part.strip()]


def overlap_f1(found: Sequence[Hashable], wanted: Sequence[Hashable]) -> float:
    """Harmonic mean of precision and recall over the items of two lists, each item as often as it occurs."""
    shared = sum((Counter(found) & Counter(wanted)).values())
    total = len(found) + len(wanted)
    return 2 * shared / total if total else 1.0


def phrase_f1(found: str, wanted: str) -> float:
    """Overlap of phrases, each counted once, in the spelling of `phrase_key`."""
    return overlap_f1(*(sorted({phrase_key(part) for part in phrases(text)}) for text in (found, wanted)))


def token_f1(found: str, wanted: str) -> float:
    """Overlap of words; the same as the F-measure of ROUGE-1."""
    return overlap_f1(words(found), words(wanted))


def rouge_n(found: str, wanted: str, n: int) -> float:
    """F-measure of ROUGE-n: overlap of runs of n words; 0 where neither text has a run that long."""
    one, other = (_runs(words(text), n) for text in (found, wanted))
    return overlap_f1(one, other) if one or other else 0.0


def rouge_l(found: str, wanted: str) -> float:
    """F-measure of ROUGE-L: twice the longest common subsequence of words over the sum of both lengths."""
    one, other = words(found), words(wanted)
    total = len(one) + len(other)
    return 2 * _common_subsequence(one, other) / total if total else 1.0


def distinct_n(texts: Sequence[str], n: int) -> float:
    """Different runs of n words over all of them: 1 if nothing is ever said twice; 0 if there is no such run."""
    runs = [run for text in texts for run in _runs(words(text), n)]
    return len(set(runs)) / len(runs) if runs else 0.0


def contradictions(prompt: str, negative: str) -> int:
    """How many phrases of the negative forbid what the prompt asks for."""
    asked = read_asked(prompt)
    return sum(is_contradicted(phrase, asked) for phrase in phrases(negative))


@dataclass(frozen=True, slots=True)
class TextScores:
    """Means over a set of answers."""

    count: int
    phrase_f1: float
    token_f1: float
    rouge_2: float
    rouge_l: float
    distinct_1: float
    distinct_2: float
    empty: float
    """Share of answers without a word."""
    contradicting: float
    """Share of answers that forbid something that the prompt asks for."""


def score_texts(prompts: Sequence[str], found: Sequence[str], wanted: Sequence[str]) -> TextScores:
    """Score answers beside what people wrote; the three lists go together."""
    pairs = list(zip(found, wanted, strict=True))

    def mean(values: Sequence[float]) -> float:
        return sum(values) / len(values) if values else 0.0

    return TextScores(
        count=len(pairs),
        phrase_f1=mean([phrase_f1(*pair) for pair in pairs]),
        token_f1=mean([token_f1(*pair) for pair in pairs]),
        rouge_2=mean([rouge_n(*pair, 2) for pair in pairs]),
        rouge_l=mean([rouge_l(*pair) for pair in pairs]),
        distinct_1=distinct_n(found, 1),
        distinct_2=distinct_n(found, 2),
        empty=mean([float(not words(text)) for text in found]),
        contradicting=mean([float(contradictions(*pair) > 0) for pair in zip(prompts, found, strict=True)]),
    )


def by_family(rows: Sequence[Row], found: Sequence[str]) -> dict[str, TextScores]:
    """Scores of each family of rows, and under "balanced" their mean: no family drowns another."""
    families = {row.family: None for row in rows}
    scores = {}
    for family in families:
        chosen = [(row, text) for row, text in zip(rows, found, strict=True) if row.family == family]
        prompts, wanted = [row.prompt for row, _ in chosen], [row.negative for row, _ in chosen]
        scores[family] = score_texts(prompts, [text for _, text in chosen], wanted)
    return scores | {"balanced": _mean(list(scores.values()))}


def _mean(scores: Sequence[TextScores]) -> TextScores:
    """Mean of every score; the counts add up."""
    values = {
        field.name: sum(getattr(one, field.name) for one in scores) / max(len(scores), 1)
        for field in fields(TextScores)
    }
    return TextScores(**{**values, "count": sum(one.count for one in scores)})


def _runs(found: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(found[start : start + n]) for start in range(len(found) - n + 1)]


def _common_subsequence(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence; memory of one row."""
    row = [0] * (len(other) + 1)
    for item in one:
        before = 0
        for place, candidate in enumerate(other, 1):
            before, row[place] = row[place], before + 1 if item == candidate else max(row[place], row[place - 1])
    return row[-1]
