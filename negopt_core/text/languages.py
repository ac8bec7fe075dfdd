"""Words of other languages as the English words that the tables know. Whole sentences are not translated."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from .word_tables import entries, named_fields

_HAN, _KANA, _HANGUL, _CYRILLIC = r"一-鿿㐀-䶿", r"぀-ヿ", r"가-힯", r"Ѐ-ӿ"
_UNSPACED = re.compile(f"[{_HAN}{_KANA}{_HANGUL}]+")
_WORD = re.compile(r"[^\W\d_]+")
_LATIN = ("de", "fr", "es", "pt", "it")
_SHORTEST_STEM = 5
_LONGEST_ENDING = 3
_LONGEST_RUN = 3


class Word(NamedTuple):
    """An English word for one that was written in another language."""

    english: str
    written: str


def read_foreign(text: str, languages: Mapping[str, Mapping[str, str]], knows: Callable[[str], bool]) -> list[Word]:
    """English words for those of other languages in a text; `knows` says which words are English.

    A Latin word is read in the language whose articles and prepositions the text has; without any, in every language
    that has it, but only if it is no English word.
    """
    known = [word for run in _UNSPACED.findall(text) for word in _read_unspaced(run, text, languages)]
    words = [word.casefold() for word in _WORD.findall(text) if not _UNSPACED.match(word)]
    if any(re.match(f"[{_CYRILLIC}]", word) for word in words):
        known += _read_spaced(words, languages.get("ru", {}), inflected=True)
    guessed = guess_language(words)
    if guessed in _LATIN:
        for language in _alike(words, guessed):
            known += _read_spaced(words, languages.get(language, {}), inflected=True)
    elif guessed == "" or _is_short_tie(words):
        strange = [word for word in words if not knows(word)]
        names = {word.casefold() for word in _WORD.findall(text)[1:] if word[:1].isupper()}
        for language in _LATIN:  # only German writes its nouns with a capital; elsewhere that is somebody's name
            common = strange if language == "de" else [word for word in strange if word not in names]
            known += _read_spaced(common, languages.get(language, {}), inflected=False)
    return list(dict.fromkeys(known))


def guess_language(words: list[str]) -> str:
    """The language with the most of its function words in the text; "" if it has none of any."""
    counts = _counts(words)
    best = max(counts, key=lambda name: (counts[name], name == "en"))
    return best if counts[best] else ""


def _counts(words: list[str]) -> dict[str, int]:
    return {name: sum(word in listed for word in words) for name, listed in _function_words().items()}


def _alike(words: list[str], guessed: str) -> list[str]:
    """The languages that have as many function words in a text as the guessed one: "un" is of four."""
    counts = _counts(words)
    return [name for name in _LATIN if counts.get(name) == counts[guessed]]


def _is_short_tie(words: list[str]) -> bool:
    """True where the only function word is English and another language's alike: the "in" of "gatto in stile"."""
    counts = _counts(words)
    return counts.get("en") == 1 and any(counts.get(name) == 1 for name in _LATIN)


@cache
def _function_words() -> dict[str, frozenset[str]]:
    """Articles, prepositions and their like, by language."""
    return {name: frozenset(entries(listed)) for name, listed in named_fields("function_words.txt").items()}


def _read_unspaced(run: str, text: str, languages: Mapping[str, Mapping[str, str]]) -> list[Word]:
    """The longest known words from the left on."""
    names = (
        ("ko",) if re.search(f"[{_HANGUL}]", run) else ("ja", "zh") if re.search(f"[{_KANA}]", text) else ("zh", "ja")
    )
    known, at = [], 0
    tables = [languages.get(name, {}) for name in names]
    longest = max((len(word) for table in tables for word in table), default=0)
    while at < len(run):
        for length in range(min(longest, len(run) - at), 0, -1):
            part = run[at : at + length]
            english = next((table[part] for table in tables if part in table), "")
            if english:
                known.append(Word(english, part))
                at += length
                break
        else:
            at += 1
    return known


def _read_spaced(words: list[str], table: Mapping[str, str], inflected: bool) -> list[Word]:
    known, at = [], 0
    while at < len(words):
        for length in range(min(_LONGEST_RUN, len(words) - at), 0, -1):
            run = " ".join(words[at : at + length])
            english = table.get(run) or (_stem(run, table) if inflected and length == 1 else "")
            if english:
                known.append(Word(english, run))
                at += length
                break
        else:
            at += 1
    return known


def _stem(word: str, table: Mapping[str, str]) -> str:
    """The entry that is the word with another ending: `собаку` for `собака`, `Hunde` for `Hund`."""
    if len(word) < _SHORTEST_STEM:
        return ""
    for cut in range(1, _LONGEST_ENDING + 1):
        stem = word[:-cut]
        if len(stem) < _SHORTEST_STEM - 1:
            break
        if stem in table:
            return table[stem]
        near = [stem + ending for ending in ("a", "e", "o", "en", "er", "а", "я", "ь", "о", "й", "к", "ка", "ие", "ый")]
        for one in near:
            if one in table:
                return table[one]
    return ""
