"""How close written negatives and modifiers are to what somebody wrote: overlap, ROUGE, variety, contradictions.

All scores run from 0 to 1. Words are lower-case runs of letters and digits, without stemming; phrases are comma parts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields

from ...policy.contradiction import is_contradicted, read_asked
from ...policy.words import phrase_key
from ..data.corpus import Modified, Row
from ..data.examples import plain_modifier

FIRST = 5
"""Modifiers that precision looks at."""
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """Lower-case words in order."""
    return _WORD.findall(text.casefold())


def phrases(text: str) -> list[str]:
    """Comma parts in order, without empty ones."""
    return [part.strip() for part in text.split(",") if part.strip()]


def overlap_f1(written: Sequence[Hashable], wanted: Sequence[Hashable]) -> float:
    """Harmonic mean of precision and recall over the items of two lists, each item as often as it occurs."""
    shared = sum((Counter(written) & Counter(wanted)).values())
    total = len(written) + len(wanted)
    return 2 * shared / total if total else 1.0


def phrase_f1(written: str, wanted: str) -> float:
    """Overlap of phrases, each counted once, in the spelling of `phrase_key`."""
    return overlap_f1(*(sorted({phrase_key(part) for part in phrases(text)}) for text in (written, wanted)))


def token_f1(written: str, wanted: str) -> float:
    """Overlap of words; the same as the F-measure of ROUGE-1."""
    return overlap_f1(words(written), words(wanted))


def rouge_n(written: str, wanted: str, n: int) -> float:
    """F-measure of ROUGE-n: overlap of runs of n words; 0 where neither text has a run that long."""
    one, other = (_runs(words(text), n) for text in (written, wanted))
    return overlap_f1(one, other) if one or other else 0.0


def rouge_l(written: str, wanted: str) -> float:
    """F-measure of ROUGE-L: twice the longest common subsequence of words over the sum of both lengths."""
    one, other = words(written), words(wanted)
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


def score_texts(prompts: Sequence[str], answers: Sequence[str], wanted: Sequence[str]) -> TextScores:
    """Score answers beside what people wrote; the three lists go together."""
    pairs = list(zip(answers, wanted, strict=True))

    return TextScores(
        count=len(pairs),
        phrase_f1=_average([phrase_f1(*pair) for pair in pairs]),
        token_f1=_average([token_f1(*pair) for pair in pairs]),
        rouge_2=_average([rouge_n(*pair, 2) for pair in pairs]),
        rouge_l=_average([rouge_l(*pair) for pair in pairs]),
        distinct_1=distinct_n(answers, 1),
        distinct_2=distinct_n(answers, 2),
        empty=_average([float(not words(text)) for text in answers]),
        contradicting=_average([float(contradictions(*pair) > 0) for pair in zip(prompts, answers, strict=True)]),
    )


def by_family(rows: Sequence[Row], answers: Sequence[str]) -> dict[str, TextScores]:
    """Scores of each family of rows, and under "balanced" their mean: no family drowns another."""
    families = {row.family: None for row in rows}
    scores = {}
    for family in families:
        chosen = [(row, text) for row, text in zip(rows, answers, strict=True) if row.family == family]
        prompts, wanted = [row.prompt for row, _ in chosen], [row.negative for row, _ in chosen]
        scores[family] = score_texts(prompts, [text for _, text in chosen], wanted)
    return scores | {"balanced": _mean(list(scores.values()))}


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
    keys = [[phrase_key(phrase) for phrase in said] for said in written]
    lines = [", ".join(said) for said in keys]

    return ModifierScores(
        count=len(rows),
        precision=_average([_share(said[:FIRST], asked) for said, asked in zip(keys, wanted, strict=True)]),
        phrase_f1=_average(
            [overlap_f1(sorted(set(said)), sorted(asked)) for said, asked in zip(keys, wanted, strict=True)]
        ),
        distinct_2=distinct_n(lines, 2),
        different=_average([float(lines.count(line) == 1) for line in lines]),
        empty=_average([float(not said) for said in keys]),
        verbatim=_average([float(is_kept) for is_kept in kept]),
    )


def _mean(scores: Sequence[TextScores]) -> TextScores:
    """Mean of every score; the counts add up."""
    values = {
        field.name: sum(getattr(one, field.name) for one in scores) / max(len(scores), 1)
        for field in fields(TextScores)
    }
    return TextScores(**{**values, "count": sum(one.count for one in scores)})


def _average(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _runs(items: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(items[start : start + n]) for start in range(len(items) - n + 1)]


def _common_subsequence(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence; memory of one row."""
    row = [0] * (len(other) + 1)
    for item in one:
        before = 0
        for place, candidate in enumerate(other, 1):
            before, row[place] = row[place], before + 1 if item == candidate else max(row[place], row[place - 1])
    return row[-1]


def _share(said: Sequence[str], asked: set[str]) -> float:
    return sum(phrase in asked for phrase in said) / len(said) if said else 0.0
