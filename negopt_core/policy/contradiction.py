"""Whether a phrase works against what a prompt asks for: the rule that every suggestion obeys, whatever its policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ..text.unwanted import read_wishes
from ..text.word_tables import word_set
from .media import Medium, media, names_a_body
from .structure import without_names
from .topics import Topic, topics
from .words import LONGEST_RUN, word_runs, words_of


@dataclass(frozen=True, slots=True)
class Asked:
    """What a prompt asks for, read once and looked up often."""

    words: frozenset[str]
    runs: frozenset[str]
    padded: str
    """All words, joined and surrounded by spaces, for phrases longer than the index holds."""
    topics: tuple[Topic, ...]
    media: tuple[Medium, ...]
    spared: frozenset[str]
    """Phrases that must not be negated."""
    opposed: frozenset[str]
    """Phrases that must not be added."""


def read_asked(prompt: str) -> Asked:
    """Read what a prompt asks for, without what it does not want and the names of fields; linear in its length."""
    words = words_of(without_names(read_wishes(prompt).wanted))
    runs = word_runs(words)
    asked_topics = tuple(topic for topic in topics() if not runs.isdisjoint(topic.asks))
    asked_media = tuple(medium for medium in media() if not runs.isdisjoint(medium.asks))
    spared = [phrase for topic in asked_topics for phrase in (*topic.asks, *topic.same)]
    spared += [phrase for medium in asked_media for phrase in (*medium.asks, *medium.own)]
    return Asked(
        words=frozenset(words),
        runs=runs,
        padded=f" {' '.join(words)} ",
        topics=asked_topics,
        media=asked_media,
        spared=frozenset(spared),
        opposed=frozenset(phrase for topic in asked_topics for phrase in topic.opposite),
    )


def is_contradicted(phrase: str, asked: Asked) -> bool:
    """True if `phrase` in a negative prompt would forbid something that the prompt asks for.

    That is: the prompt says the phrase itself, or shares a content word with it, or asks for something that `topics`
    or `media` know to need it. "low quality" and "high quality" share only words that carry no content.
    """
    return works_against(read_phrase(phrase), asked)


@dataclass(frozen=True, slots=True)
class PhraseWords:
    """What the rule needs to know of a phrase, so that a stock is read once and not for every prompt."""

    words: tuple[str, ...]
    """Without fillers."""
    content: frozenset[str]
    runs: frozenset[str]
    has_body: bool
    """True for "bad hands" and its like."""


def read_phrase(phrase: str) -> PhraseWords:
    """Read a phrase."""
    all_words = words_of(phrase)
    fillers = word_set("fillers")
    words = [word for word in all_words if word not in fillers]
    content = frozenset(word for word in words if _is_content(word))
    runs = word_runs(all_words) | word_runs(words)
    faults = word_set("faults").intersection(words)
    if faults and len(words) > len(faults):
        content &= faults
        runs = frozenset(run for run in runs if not faults.isdisjoint(run.split()))
    return PhraseWords(tuple(words), content, runs, names_a_body(phrase))


def works_against(phrase: PhraseWords, asked: Asked) -> bool:
    """`is_contradicted` for a phrase that was read before."""
    if not phrase.words:
        return False
    if not phrase.content.isdisjoint(asked.words) or not asked.spared.isdisjoint(phrase.runs):
        return True
    return _contains(asked, phrase.words)


def is_unwelcome(modifier: str, asked: Asked) -> bool:
    """True if adding `modifier` to the prompt would repeat what it says or work against it."""
    words = words_of(modifier)
    if not words or any(word in asked.words for word in words if _is_content(word)) or _contains(asked, words):
        return True
    return not asked.opposed.isdisjoint(word_runs(words))


def names_another_medium(modifier: str, asked: Asked) -> bool:
    """True for "digital painting" behind "a photo of a fox": the prompt names media, and this is none of them."""
    if not asked.media:
        return False
    runs = word_runs(words_of(modifier))
    return any(not runs.isdisjoint(medium.asks) for medium in media() if medium not in asked.media)


def _is_content(word: str) -> bool:
    return word not in _empty_words()


@cache
def _empty_words() -> frozenset[str]:
    """Words that say nothing of what is in the picture."""
    return word_set("fillers") | word_set("qualifiers") | word_set("neutral")


def _contains(asked: Asked, words: Sequence[str]) -> bool:
    run = " ".join(words)
    return run in asked.runs if len(words) <= LONGEST_RUN else f" {run} " in asked.padded
