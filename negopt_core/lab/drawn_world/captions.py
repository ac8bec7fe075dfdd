"""The drawn world's language: from a scene to captions.

a STYLE of a THING PLACE TIME, word, word, ...
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from . import vocabulary as words
from .scenes import Scenes, true_quality

_NAMED_FAULT = 0.65
_NAMED_MODIFIER = 0.75
_NAMED_BAD, _ONLY_BAD = 0.2, 0.2
"""How often a bad picture is called bad as well, and how often nothing else is said about what is wrong."""
_NAMED_GOOD = 0.7
"""How often a picture without a fault is praised; a caption that says nothing speaks rather of one with faults."""
_NAMED_HABIT = 0.06
_DROPPED_PIECE = 0.06
_WORDS_ONLY = 0.12
"""Captions of quality words only, so that a bare negative is familiar."""
_EMPTY = (0.20, 0.14, 0.06, 0.02)
_CONTENT_ONLY = (0.08, 0.20, 0.35, 0.42)
"""Shares of captions that say nothing (for guidance) and that speak of the content only, by number of faults. Guidance
alone would remove most faults: where nothing is said the pictures are cleaner than where only the content is said."""
_CLEAN_EMPTY = 0.08


@dataclass(frozen=True, slots=True)
class Facts:
    """One scene as plain Python: content, and the names of what happened to it and what is good about it."""

    thing: str
    style: str
    place: str
    time: str
    happened: tuple[str, ...]
    """Names of FAULTS, whether they spoil this picture or not."""
    modifiers: tuple[str, ...]
    quality: float

    @property
    def faults(self) -> tuple[str, ...]:
        """Those that spoil this picture."""
        return tuple(name for name in self.happened if words.quality_effect(name, self.style, self.time) < 0)


def scene_facts(scenes: Scenes) -> list[Facts]:
    """Name what is in each scene."""
    things, quality = list(words.THINGS), true_quality(scenes).tolist()
    severity, modified = scenes.severity.tolist(), scenes.modified.tolist()
    return [
        Facts(
            thing=things[int(scenes.thing[i])],
            style=words.STYLES[int(scenes.style[i])],
            place=words.PLACES[int(scenes.place[i])],
            time=words.TIMES[int(scenes.time[i])],
            happened=tuple(name for name, value in zip(words.FAULTS, severity[i], strict=True) if value > 0),
            modifiers=tuple(name for name, value in zip(words.MODIFIERS, modified[i], strict=True) if value > 0),
            quality=quality[i],
        )
        for i in range(len(scenes))
    ]


def content_caption(facts: Facts, dropped: frozenset[str] = frozenset()) -> str:
    """The content of a scene in words; `dropped` may name "style", "place", "time"."""
    noun = f"{'an' if facts.thing[0] in 'aeiou' else 'a'} {facts.thing}"
    pieces = [noun if "style" in dropped else f"a {facts.style} of {noun}"]
    if "place" not in dropped:
        pieces.append(words.PLACE_PHRASES[words.PLACES.index(facts.place)])
    if "time" not in dropped:
        pieces.append(words.TIME_PHRASES[words.TIMES.index(facts.time)])
    return " ".join(pieces)


def quality_words(facts: Facts, rng: random.Random) -> list[str]:
    """What people would write about how the picture came out, in random order."""
    flattered = {words.FLATTERED[name][0] for name in facts.modifiers if name in words.FLATTERED}
    told = [name for name in facts.happened if name not in flattered]
    named = [rng.choice(words.FAULTS[name]) for name in told if rng.random() < _NAMED_FAULT]
    named += [name for name in facts.modifiers if rng.random() < _NAMED_MODIFIER]
    if facts.quality < words.BAD_BELOW:
        kind = rng.random()
        if kind < _ONLY_BAD:
            named = [word for word in named if word in words.MODIFIERS]
        if kind < _ONLY_BAD + _NAMED_BAD:
            named += _some(words.BAD_WORDS, rng)
    if not facts.faults and rng.random() < _NAMED_GOOD:
        named += _some(words.GOOD_WORDS, rng)
    if rng.random() < _NAMED_HABIT:
        named.append(words.HABIT_WORDS[words.STYLES.index(facts.style)])
    rng.shuffle(named)
    return named


def _some(table: tuple[str, ...], rng: random.Random) -> list[str]:
    return rng.sample(table, rng.choice((1, 1, 2)))


def write_caption(facts: Facts, rng: random.Random) -> str:
    """One training caption; the mix of kinds makes empty prompts and bare quality words familiar to the model."""
    empty, content_only = (shares[len(facts.happened)] for shares in (_EMPTY, _CONTENT_ONLY))
    kind = rng.random()
    if kind < empty:
        return ""
    described = quality_words(facts, rng)
    if kind < empty + _WORDS_ONLY and described:
        return ", ".join(described)
    content = content_caption(facts, _dropped(rng))
    return content if kind < empty + _WORDS_ONLY + content_only else ", ".join([content, *described])


def write_clean_caption(facts: Facts, rng: random.Random, *, praised: bool) -> str:
    """A caption of a scene with nothing wrong and no modifier: its content, praised or not, or nothing."""
    if rng.random() < _CLEAN_EMPTY:
        return ""
    return ", ".join([content_caption(facts, _dropped(rng)), *(_some(words.GOOD_WORDS, rng) if praised else [])])


def _dropped(rng: random.Random) -> frozenset[str]:
    return frozenset(piece for piece in ("style", "place", "time") if rng.random() < _DROPPED_PIECE)


def world_words() -> list[str]:
    """Every word and sign of the world's language, sorted."""
    phrases = ["a an of , . -", *words.THINGS, *words.STYLES, *words.PLACE_PHRASES, *words.TIME_PHRASES]
    phrases += [*words.MODIFIERS, *words.GOOD_WORDS, *words.BAD_WORDS, *words.HABIT_WORDS]
    phrases += [word for synonyms in words.FAULTS.values() for word in synonyms]
    return sorted({word for phrase in phrases for word in re.findall(r"[a-z]+|[0-9]|[,.-]", phrase)})
