"""The words of a prompt in one spelling, so that phrases can be compared whatever their case, number or dialect."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"['’]s\b")
_A1111_WEIGHT = re.compile(r":\s*[\d.]+\s*(?=\))")
LONGEST_RUN = 4
"""Phrases of up to this many words are looked up in an index; longer ones are searched for."""

_IRREGULAR = {
    "men": "man",
    "women": "woman",
    "children": "child",
    "people": "person",
    "feet": "foot",
    "teeth": "tooth",
    "mice": "mouse",
    "geese": "goose",
    "leaves": "leaf",
    "wolves": "wolf",
    "knives": "knife",
}
_NOT_PLURAL = ("glasses", "canvas", "lens", "lowres", "highres", "absurdres", "christmas", "texas", "atlas")
_BRITISH = (("colour", "color"), ("grey", "gray"))


def words_of(text: str) -> list[str]:
    """The words in order, each in its singular, American, lower-case spelling."""
    plain = _POSSESSIVE.sub("", _A1111_WEIGHT.sub("", text.casefold()))
    return [_normal(word) for word in _WORD.findall(plain)]


def phrase_key(text: str) -> str:
    """What makes two phrases the same: their words, joined by spaces."""
    return " ".join(words_of(text))


def listed(text: str) -> tuple[str, ...]:
    """The entries of a table row that is written as one string with commas."""
    return tuple(text.split(", "))


def word_runs(words: Sequence[str]) -> frozenset[str]:
    """Every run of one to `LONGEST_RUN` neighbouring words, joined by spaces."""
    return frozenset(
        " ".join(words[first : first + length])
        for length in range(1, LONGEST_RUN + 1)
        for first in range(len(words) - length + 1)
    )


def _normal(word: str) -> str:
    if word in _IRREGULAR or word in _NOT_PLURAL:
        return _IRREGULAR.get(word, word)
    for british, american in _BRITISH:
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
