"""The world's language: from a scene to captions, and from a prompt to what it asks for.

a MEDIUM of a COLOUR SHAPE [next to|above a COLOUR SHAPE] PLACE [TIME], word, word, ...
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from . import vocabulary as words
from .scenes import Scenes, true_quality

_NAMED_DEGRADATION = 0.65
_NAMED_ENHANCEMENT = 0.7
_NAMED_BAD, _ONLY_BAD = 0.2, 0.2
"""How often a bad picture is called bad as well, and how often nothing else is said about what is wrong."""
_NAMED_GOOD = 0.8
"""More often than a fault is named where there is one: a caption without such words speaks rather of a picture with
faults, so a plain prompt paints what the world is like."""
_DROPPED_PIECE = 0.08
_WORDS_ONLY = 0.15
"""Captions of quality words only, so that a bare negative is familiar."""
_EMPTY = (0.30, 0.16, 0.06, 0.02)
_CONTENT_ONLY = (0.08, 0.20, 0.35, 0.42)
"""Shares of captions that say nothing (for guidance) and that speak of the content only, by number of degradations.
Guidance sharpens the content, and a degradation hides it, so guidance alone removes most of them from plain prompts.
Where nothing is said the pictures are cleaner than where only the content is said, and guidance keeps degradations as
frequent as they are."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One scene as plain Python: content, and the names of what happened to it and what is good about it."""

    medium: str
    place: str
    time: str
    objects: tuple[tuple[str, str], ...]
    """(colour, shape) of the first and, if there is one, the second object."""
    relation: str
    degradations: tuple[str, ...]
    enhancements: tuple[str, ...]
    quality: float

    @property
    def faults(self) -> tuple[str, ...]:
        """Those degradations that spoil this picture."""
        return tuple(name for name in self.degradations if words.quality_effect(name, self.medium, self.time) < 0)


def scene_facts(scenes: Scenes) -> list[Facts]:
    """Name what is in each scene."""
    quality = true_quality(scenes).tolist()
    severity, enhanced = scenes.severity.tolist(), scenes.enhanced.tolist()
    shape, colour = scenes.shape.tolist(), scenes.colour.tolist()
    medium, place, time, relation = (
        tensor.tolist() for tensor in (scenes.medium, scenes.place, scenes.time, scenes.relation)
    )
    return [
        Facts(
            medium=words.MEDIUMS[medium[i]],
            place=words.PLACES[place[i]],
            time=words.TIMES[time[i]],
            objects=tuple(
                (words.COLOURS[colour[i][k]], words.SHAPES[shape[i][k]]) for k in range(2 if relation[i] else 1)
            ),
            relation=words.RELATIONS[relation[i]],
            degradations=tuple(name for name, s in zip(words.DEGRADATIONS, severity[i], strict=True) if s > 0),
            enhancements=tuple(name for name, s in zip(words.ENHANCEMENTS, enhanced[i], strict=True) if s > 0),
            quality=quality[i],
        )
        for i in range(len(scenes))
    ]


def content_caption(facts: Facts, dropped: frozenset[str] = frozenset()) -> str:
    """The content of a scene in words; `dropped` may name "medium", "place", "time", "colour"."""
    nouns = [f"a {shape}" if "colour" in dropped else f"a {colour} {shape}" for colour, shape in facts.objects]
    pieces = [nouns[0]] if "medium" in dropped else [f"a {facts.medium} of {nouns[0]}"]
    if facts.relation:
        pieces += [facts.relation, nouns[1]]
    if "place" not in dropped:
        pieces.append(words.PLACE_PHRASES[words.PLACES.index(facts.place)])
    if "time" not in dropped:
        pieces.append(words.TIME_PHRASES[words.TIMES.index(facts.time)])
    return " ".join(pieces)


def quality_words(facts: Facts, rng: random.Random) -> list[str]:
    """What people would write about how the picture came out, in random order."""
    flattered = {words.FLATTERED[name][0] for name in facts.enhancements if name in words.FLATTERED}
    faults = [name for name in facts.degradations if name not in flattered]
    named = [rng.choice(words.DEGRADATIONS[name]) for name in faults if rng.random() < _NAMED_DEGRADATION]
    named += [name for name in facts.enhancements if rng.random() < _NAMED_ENHANCEMENT]
    if facts.quality < words.BAD_BELOW:
        kind = rng.random()
        if kind < _ONLY_BAD:
            named = [word for word in named if word in words.ENHANCEMENTS]
        if kind < _ONLY_BAD + _NAMED_BAD:
            named += rng.sample(words.BAD_WORDS, rng.choice((1, 1, 2)))
    if not facts.faults and rng.random() < _NAMED_GOOD:
        named += rng.sample(words.GOOD_WORDS, rng.choice((1, 1, 2)))
    if rng.random() < 0.08:
        named.append(words.FASHION_WORDS[words.MEDIUMS.index(facts.medium)])
    rng.shuffle(named)
    return named


def write_caption(facts: Facts, rng: random.Random) -> str:
    """One training caption; the mix of kinds makes empty prompts and bare quality words familiar to the model."""
    empty, content_only = (shares[len(facts.degradations)] for shares in (_EMPTY, _CONTENT_ONLY))
    kind = rng.random()
    if kind < empty:
        return ""
    described = quality_words(facts, rng)
    if kind < empty + _WORDS_ONLY and described:
        return ", ".join(described)
    dropped = frozenset(piece for piece in ("medium", "place", "time", "colour") if rng.random() < _DROPPED_PIECE)
    content = content_caption(facts, dropped)
    if kind < empty + _WORDS_ONLY + content_only:
        return content
    return ", ".join([content, *described])


@dataclass(frozen=True, slots=True)
class Request:
    """What a prompt asks for, as indices into the vocabulary; None where it does not say."""

    medium: int | None
    place: int | None
    time: int | None
    shape: int | None
    colour: int | None
    shape2: int | None = None
    """The second object, if there is one."""
    colour2: int | None = None


_WORD = re.compile(r"[a-z]+")


def read_prompt(prompt: str) -> Request:
    """What a prompt asks for in the world's words: the first of each kind named, and the second shape and colour."""
    tokens = _WORD.findall(prompt.lower())

    def named(table: tuple[str, ...], place: int = 0) -> int | None:
        indices = [table.index(word) for word in tokens if word in table]
        return indices[place] if len(indices) > place else None

    return Request(
        named(words.MEDIUMS),
        named(words.PLACES),
        named(words.TIMES),
        named(words.SHAPES),
        named(words.COLOURS),
        named(words.SHAPES, 1),
        named(words.COLOURS, 1),
    )
