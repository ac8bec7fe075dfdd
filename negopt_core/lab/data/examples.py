"""From the corpus to what a small policy learns from: a closed stock of phrases, and examples over it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...policy.contradiction import is_contradicted, is_unwelcome, read_asked
from ...policy.families import families, phrases_for
from ...policy.language.reader import SHORT_FAMILIES, TAGGED_FAMILIES
from ...policy.media import names_a_body, shows_a_body
from ...policy.words import phrase_key, words_of
from .corpus import Modified, Row, Weights

_LONGEST_PHRASE = 6
"""Words in a phrase of the stock."""


@dataclass(frozen=True, slots=True)
class Example:
    """What one answer teaches: `phrases` are places in the stock, in the order in which they are written."""

    prompt: str
    phrases: tuple[int, ...]
    weight: float = 1.0
    group: str = ""


def fit_stock(answers: Iterable[tuple[Sequence[str], float]], size: int, least: int) -> list[str]:
    """The `size` phrases that weigh most, heaviest first, of those in at least `least` answers.

    Spellings of one phrase count together and the commonest is kept.
    """
    weights: dict[str, float] = {}
    counts: Counter[str] = Counter()
    spellings: dict[str, Counter[str]] = {}
    for phrases, weight in answers:
        for key, phrase in {phrase_key(phrase): phrase for phrase in phrases}.items():
            if key and len(key.split()) <= _LONGEST_PHRASE and phrase.isascii() and "." not in phrase:
                weights[key] = weights.get(key, 0.0) + weight
                counts[key] += 1
                spellings.setdefault(key, Counter())[" ".join(phrase.lower().split())] += 1
    heaviest = sorted((key for key in weights if counts[key] >= least), key=lambda key: (-weights[key], key))[:size]
    return [spellings[key].most_common(1)[0][0] for key in heaviest]


def negative_examples(rows: Sequence[Row], stock: Sequence[str], weights: Weights) -> list[Example]:
    """Rows as examples, commonest phrases first; without what the prompt asks for, and without empty ones."""
    places = {phrase_key(phrase): place for place, phrase in enumerate(stock)}
    examples = []
    for row in rows:
        asked, has_body = read_asked(row.prompt), shows_a_body(frozenset(words_of(row.prompt)))
        said = {
            places[key]
            for span in row.spans
            if (key := phrase_key(span.text)) in places
            and not is_contradicted(span.text, asked)
            and (has_body or not names_a_body(span.text))
        }
        if said:
            examples.append(Example(row.prompt, tuple(sorted(said)), weights.of(row), row.group))
    return examples


def table_phrases() -> list[str]:
    """Phrases that the families' tables need in a stock."""
    tables = [families()[family].negatives for family in ("sdxl", *SHORT_FAMILIES, *TAGGED_FAMILIES)]
    return list(dict.fromkeys(phrase for table in (*tables, phrases_for("people negatives")) for phrase, _ in table))


def modifier_examples(rows: Sequence[Modified], stock: Sequence[str]) -> list[Example]:
    """Subjects with those of their modifiers that are in the stock, in the order in which people wrote them."""
    places = {phrase_key(phrase): place for place, phrase in enumerate(stock)}
    examples = []
    for row in rows:
        asked = read_asked(row.subject)
        said = dict.fromkeys(
            places[key]
            for phrase in map(plain_modifier, row.modifiers)
            if (key := phrase_key(phrase)) in places and not is_unwelcome(phrase, asked)
        )
        if said:
            examples.append(Example(row.subject, tuple(said), group=row.subject))
    return examples


_SPACED = re.compile(r"\b(\d) (?=[a-z]\b|\d\b)")


def plain_modifier(phrase: str) -> str:
    """A modifier as it is usually spelled: "8 k" is "8k", no brackets, no stops at its ends."""
    return _SPACED.sub(r"\1", re.sub(r"[()\[\]{}\"|]", "", phrase.lower())).strip(" .!:;-")


_ARTIST = re.compile(r"\b(?:by|art of|style of)\s+(.+)")
_NAME = re.compile(r"[a-z][a-z.'-]*(?: [a-z][a-z.'-]*){0,2}")
_AND = re.compile(r"\s+(?:and|&)\s+")


def artist_names(prompts: Sequence[str], least: int = 2) -> frozenset[str]:
    """Names that people put after "by", of one to three words: what a stock of modifiers leaves out.

    A name stands after "by" at least `least` times, and in a tenth of its places if it is one word ("night" is none),
    in a fiftieth if it is more. Surnames alone count too.
    """
    parts = [part.strip() for prompt in prompts for part in prompt.lower().split(",")]
    counts: Counter[str] = Counter()
    for part in parts:
        if credit := _ARTIST.search(part):
            counts.update(name for name in _AND.split(credit.group(1).strip(" .")) if _NAME.fullmatch(name))
    runs: Counter[str] = Counter(run for part in parts for run in _runs(part) if run in counts)
    names = {
        name
        for name, count in counts.items()
        if count >= least and count >= runs[name] * (0.02 if " " in name else 0.1)
    }
    surnames = {name.split()[-1] for name in names if " " in name}
    plain = Counter(word for part in parts for word in set(part.split()))
    within = Counter(word for name in names for word in surnames & set(name.split()) for _ in range(runs[name]))
    return frozenset(names | {word for word in surnames if within[word] >= 0.5 * plain[word]})


def names_an_artist(phrase: str, artists: frozenset[str]) -> bool:
    """True for "greg rutkowski", "by wlop" and their like."""
    return bool({"by", "style"} & set(phrase.lower().split())) or not _runs(phrase.lower()).isdisjoint(artists)


def _runs(text: str) -> set[str]:
    words = [word.strip(".") for word in text.split()]
    return {" ".join(words[first : first + size]) for size in (1, 2, 3) for first in range(len(words) - size + 1)}


def modifier_answers(rows: Sequence[Modified], artists: frozenset[str]) -> list[tuple[list[str], float]]:
    """What `fit_stock` needs: the modifiers of prompts that begin alike count once, however often one was tried."""
    by_start: dict[str, dict[str, None]] = {}
    for row in rows:
        said = by_start.setdefault(" ".join(row.subject.lower().split()[:3]), {})
        said.update((phrase, None) for part in row.modifiers if (phrase := plain_modifier(part)))
    return [([phrase for phrase in said if not names_an_artist(phrase, artists)], 1.0) for said in by_start.values()]
