"""What a language policy reads: the prompt, after marks for what is known and what prompts like it forbid.

    <|photo|><|body|> blurry, deformed; watermark; text| an old fisherman

Marks stand for the media that the prompt names, and for people or animals in it. Then come the phrases of the nearest
examples in three classes of votes, the strongest first.

The same votes are added to the logits of the phrases, so that the network only has to learn where they are wrong.
Hardly an example says which family of models it was for, so families are not learned: where one is chosen that was
trained on tags, its tags get votes; where it saw no negatives in training, few phrases are written.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ...errors import PolicyError
from ..families import families
from ..media import Medium, media, shows_a_body
from ..neighbours import Array, Count, Neighbours
from ..words import word_runs, words_of

MODEL_FAMILIES = ("sd15", "sdxl", "sd3", "flux", "pony", "anime")
TAGGED_FAMILIES = ("pony", "anime")
"""Models trained on tags, quality tags among them."""
SHORT_FAMILIES = ("sd3", "flux")
"""Models that saw no negatives in training: a few words are all that can act."""
SHORT = 4
"""Phrases for those at most."""
BODY_MARK = "body"
CLASSES = (0.3, 0.12, 0.05)
"""Votes from which a phrase belongs to the first, second and third class; the weaker ones are not read."""
MAX_HINTS = 6
_LEAST_VOTE = 1e-3
_TAG_VOTE = 0.99


def mark(name: str) -> str:
    """How a mark is written."""
    return f"<|{name}|>"


def all_marks() -> tuple[str, ...]:
    """Every mark that a prompt can have: one a medium, and that of people and animals."""
    return tuple(mark(name) for name in (*map(_medium_mark, media()), BODY_MARK))


def _medium_mark(medium: Medium) -> str:
    return medium.name.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Read:
    """One prompt as the network gets it."""

    text: str
    pushes: tuple[tuple[int, float], ...] = ()
    """Places of the stock and what is added to their logits."""


@dataclass(frozen=True)
class Reader:
    """Makes the text for the network. The default reads the prompt alone."""

    has_marks: bool = False
    max_words: int | None = None
    """Words of the prompt that are read, from its start."""
    neighbours: Neighbours | None = None
    stock: Sequence[str] = ()
    """The phrases that the neighbours' index counts."""
    family: str = ""
    strength: float = 1.0
    """Factor of the votes in the logits."""
    count: Count = field(default_factory=Count)

    def __post_init__(self) -> None:
        if self.family and not (self.has_marks and self.family in MODEL_FAMILIES):
            known = ", ".join(MODEL_FAMILIES) if self.has_marks else "none"
            raise PolicyError(f"this policy cannot be asked for {self.family!r}; families that it knows: {known}")

    def read(self, prompt: str) -> Read:
        """What is read of one prompt."""
        votes = self.neighbours.scores(self.neighbours.similarity(prompt), self.count) if self.neighbours else None
        reading = self.read_with(prompt, votes)
        if votes is None or self.family not in TAGGED_FAMILIES:
            return reading
        return Read(reading.text, self.push(np.where(self._is_tag, _TAG_VOTE, votes)))

    @cached_property
    def _is_tag(self) -> Array:
        """[S] whether a phrase of the stock is one of the family's tags."""
        tags = {phrase for phrase, _ in families()[self.family].negatives}
        return np.array([phrase in tags for phrase in self.stock])

    def read_with(self, prompt: str, votes: Array | None) -> Read:
        """What is read of one prompt whose neighbours' votes [S] are known."""
        return Read(self.text_with(prompt, votes), () if votes is None else self.push(votes))

    def push(self, votes: Array) -> tuple[tuple[int, float], ...]:
        """What votes [S] add to the logits: their log-odds over those of a phrase without votes."""
        share = (votes + _LEAST_VOTE).clip(max=1 - _LEAST_VOTE)
        odds = np.log(share / (1 - share)) - math.log(_LEAST_VOTE / (1 - _LEAST_VOTE))
        places = np.flatnonzero(votes > _LEAST_VOTE / 10).tolist()
        return tuple((place, self.strength * float(odds[place])) for place in places)

    def text_with(self, prompt: str, votes: Array | None) -> str:
        """The text for one prompt whose neighbours' votes [S] are known."""
        cut = prompt if self.max_words is None else " ".join(prompt.split()[: self.max_words])
        hints = "" if votes is None else f"{self.hints(votes)}|"
        return f"{marks_of(prompt) if self.has_marks else ''}{hints}{' ' if hints else ''}{cut}"

    def hints(self, votes: Array) -> str:
        """The phrases with the most votes, classes separated by semicolons."""
        best = np.argsort(-votes, kind="stable")[:MAX_HINTS]
        classes: list[list[str]] = [[] for _ in CLASSES]
        for score, place in zip(votes[best].tolist(), best.tolist(), strict=True):
            level = next((level for level, least in enumerate(CLASSES) if score >= least), None)
            if level is not None:
                classes[level].append(self.stock[place])
        return "; ".join(", ".join(phrases) for phrases in classes)


def marks_of(prompt: str) -> str:
    """The marks of a prompt."""
    words = words_of(prompt)
    runs = word_runs(words)
    named = [_medium_mark(medium) for medium in media() if not runs.isdisjoint(medium.asks)]
    body = [BODY_MARK] if shows_a_body(frozenset(words)) else []
    return "".join(mark(name) for name in (*named, *body))


def reader_of(
    settings: Mapping[str, Any], neighbours: Neighbours | None, stock: Sequence[str], family: str = ""
) -> Reader:
    """The reader that a card's settings ask for."""
    words = settings.get("max_words")
    if words is not None and (not isinstance(words, int) or words < 1):
        raise PolicyError(f"settings.max_words is a whole number of at least 1, got {words!r}")
    strength = float(settings.get("vote_strength", 1.0))
    return Reader(bool(settings.get("marks", False)), words, neighbours, tuple(stock), family, strength)
