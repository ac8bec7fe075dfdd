"""The words of a prompt in one spelling, so that phrases can be compared whatever their case, number or dialect."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from ..text.word_tables import Pairs, entries, named_fields, pairs

_WORD = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"['’]s\b")
_A1111_WEIGHT = re.compile(r":\s*[\d.]+\s*(?=\))")
_KEPT_WORDS = 20_000
LONGEST_RUN = 4
"""Phrases of up to this many words are looked up in an index; longer ones are searched for."""


class _Spelling(NamedTuple):
    """Words whose singular no rule gives, words that are no plurals, and British parts of words with the American."""

    irregular: dict[str, str]
    not_plural: tuple[str, ...]
    british: Pairs


def words_of(text: str) -> list[str]:
    """The words in order, each in its singular, American, lower-case spelling."""
    plain = _POSSESSIVE.sub("", _A1111_WEIGHT.sub("", text.casefold()))
    return list(map(_normal, _WORD.findall(plain)))


def phrase_key(text: str) -> str:
    """What makes two phrases the same: their words, joined by spaces."""
    return " ".join(words_of(text))


def word_runs(words: Sequence[str]) -> frozenset[str]:
    """Every run of one to `LONGEST_RUN` neighbouring words, joined by spaces."""
    return frozenset(
        " ".join(words[first : first + length])
        for length in range(1, LONGEST_RUN + 1)
        for first in range(len(words) - length + 1)
    )


@cache
def _spelling() -> _Spelling:
    rows = named_fields("spelling.txt")
    return _Spelling(dict(pairs(rows["irregular"])), entries(rows["not plural"]), pairs(rows["british"]))


@lru_cache(maxsize=_KEPT_WORDS)
def _normal(word: str) -> str:
    spelling = _spelling()
    if word in spelling.irregular or word in spelling.not_plural:
        return spelling.irregular.get(word, word)
    for british, american in spelling.british:
        word = word.replace(british, american)
    return _singular(word)


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "sses", "xes", "zes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
