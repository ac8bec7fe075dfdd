"""What people wrote for prompts like this one: the weighted votes of the nearest examples (`neighbours`).

A phrase is said if it scores at least `threshold`. Phrases about bodies are left out where the prompt shows neither
people nor animals.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import PolicyError
from ..text.prompt import DFPrompt, PromptPair, Span
from .card import PolicyCard
from .contradiction import is_contradicted, is_unwelcome, read_asked
from .folder_check import STOCK_FILE
from .media import names_a_body, shows_a_body
from .neighbours import Count, Index, Neighbours
from .phrase_kinds import usual_time
from .phrases import append_phrases
from .words import words_of


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """How the votes are counted and how many phrases are said."""

    neighbours: int = 40
    power: float = 3.0
    habit: float = 0.02
    threshold: float = 0.2
    max_phrases: int = 20
    scheduled: bool = field(default=False, repr=False)
    """Whether a phrase acts when phrases of its kind usually do (`phrase_kinds`); else all along at weight 1."""

    def __post_init__(self) -> None:
        self.count  # noqa: B018 - refuses what has no meaning
        if self.max_phrases < 1 or not 0.0 < self.threshold <= 1.0:
            raise PolicyError(
                f"max_phrases >= 1 and 0 < threshold <= 1 are needed, got {self.max_phrases}, {self.threshold}"
            )

    @property
    def count(self) -> Count:
        """How the votes are counted."""
        return Count(self.neighbours, self.power, self.habit)


class RetrievalPolicy:
    """Answers a prompt with the phrases its nearest examples agree on. The seed changes nothing."""

    def __init__(self, card: PolicyCard, index: Index, terms: Sequence[str], stock: Sequence[str]) -> None:
        self._card, self._index, self._stock = card, index, tuple(stock)
        self._bodies = np.array([names_a_body(phrase) for phrase in self._stock], dtype=bool)
        self._settings = _settings(card)
        self._neighbours = Neighbours(index, terms)
        if len(index.habit) != len(self._stock):
            raise PolicyError(f"the index does not fit its {len(self._stock)} phrases; export it again")

    @classmethod
    def open(cls, folder: Path, card: PolicyCard) -> RetrievalPolicy:
        """Read a folder; PolicyError names what is missing or damaged."""
        neighbours = Neighbours.open(folder)
        try:
            stock = (folder / STOCK_FILE).read_text(encoding="utf-8").split("\n")  # as written: no other line ends
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyError(f"cannot read the examples in {folder}: {error}; pull or export it again") from error
        return cls(card, neighbours.index, list(neighbours.terms), stock[:-1] if stock[-1] == "" else stock)

    @property
    def card(self) -> PolicyCard:
        """What the policy is."""
        return self._card

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the index, the phrases and the settings."""
        digest = hashlib.sha256(repr((self._settings, self._stock)).encode())
        digest.update(b"scheduled" if self._settings.scheduled else b"")
        for name in Index.__slots__:
            digest.update(np.ascontiguousarray(getattr(self._index, name)).tobytes())
        return digest.hexdigest()

    def suggest(self, prompts: Sequence[str], seed: int) -> list[PromptPair]:
        """The prompt as it is, with the phrases that won the vote."""
        answers = []
        for prompt in prompts:
            spans = [self._span(phrase) for phrase in self.votes(prompt)]
            written, plain = append_phrases(DFPrompt(), spans), DFPrompt.plain(prompt)
            is_negative = self._card.polarity == "negative"
            answers.append(PromptPair(plain, written) if is_negative else PromptPair(append_phrases(plain, spans)))
        return answers

    def _span(self, phrase: str) -> Span:
        if not self._settings.scheduled:
            return Span(phrase)
        window, weight = usual_time(phrase, self._card.polarity)
        return Span(phrase, weight, window)

    def votes(self, prompt: str) -> dict[str, float]:
        """Phrases that are said, best first, with their scores; none works against the prompt."""
        scores = self._neighbours.scores(self._neighbours.similarity(prompt), self._settings.count)
        if not shows_a_body(frozenset(words_of(prompt))):
            scores = np.where(self._bodies, 0.0, scores)
        order = np.argsort(-scores, kind="stable")
        return self._said(prompt, order.tolist(), scores[order].tolist())

    def _said(self, prompt: str, order: list[int], scores: list[float]) -> dict[str, float]:
        """From the best on what may be said: the first one whatever its score, the others from the threshold on."""
        asked, is_negative = read_asked(prompt), self._card.polarity == "negative"
        said: dict[str, float] = {}
        for place, score in zip(order, scores, strict=True):
            is_enough = score < self._settings.threshold and bool(said)
            if is_enough or score <= 0.0 or len(said) == self._settings.max_phrases:
                break
            phrase = self._stock[place]
            if not (is_contradicted if is_negative else is_unwelcome)(phrase, asked):
                said[phrase] = score
        return said


def _settings(card: PolicyCard) -> RetrievalSettings:
    known = {name: card.settings[name] for name in RetrievalSettings.__slots__ if name in card.settings}
    try:
        return RetrievalSettings(**known)
    except TypeError as error:
        raise PolicyError(f"the settings of {card.name} are not numbers: {error}") from error
