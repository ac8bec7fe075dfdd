"""What people wrote for prompts like this one: the weighted votes of the nearest examples, phrase by phrase.

Examples are prompts as TF-IDF vectors over words and pairs of neighbouring words. With s_j the cosine of the prompt
and example j, u_j the example's own weight and w_j = u_j s_j^power over the nearest ones, a phrase scores

    (sum of w_j over the examples that have it + habit * its share in the habit) / (sum of all w_j + habit)

and is said if it scores at least `threshold`. The habit is what people write anyway; it decides where no example is
near. Phrases about bodies are left out where the prompt shows neither people nor animals.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ..errors import PolicyError
from ..prompt import DFPrompt, PromptPair, Span
from .card import PolicyCard
from .checked_index import check_index
from .contradiction import is_contradicted, is_unwelcome, read_asked
from .media import names_a_body, shows_a_body
from .phrases import append_phrases
from .words import words_of

INDEX_FILE, TERMS_FILE, STOCK_FILE = "index.safetensors", "terms.txt", "stock.txt"
_WORD = re.compile(r"[^\W_]+")


def terms_of(prompt: str) -> list[str]:
    """Words of a prompt and its pairs of neighbouring words, lower-case."""
    words = _WORD.findall(prompt.casefold())
    return words + [f"{one} {other}" for one, other in pairwise(words)]


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """How the votes are counted; chosen on the validation pairs (docs/policies.md)."""

    neighbours: int = 40
    power: float = 3.0
    habit: float = 0.02
    threshold: float = 0.2
    max_phrases: int = 20

    def __post_init__(self) -> None:
        if self.neighbours < 1 or self.max_phrases < 1:
            raise PolicyError(f"neighbours and max_phrases need at least 1, got {self.neighbours}, {self.max_phrases}")
        if not (self.power > 0.0 and self.habit >= 0.0 and 0.0 < self.threshold <= 1.0):
            raise PolicyError(
                f"power > 0, habit >= 0 and 0 < threshold <= 1 are needed, got {self.power}, {self.habit}, "
                f"{self.threshold}"
            )


@dataclass(frozen=True, slots=True)
class Index:
    """N examples over T terms and S phrases, both ragged tables as flat values with N + 1 starts."""

    idf: Tensor
    """[T] inverse document frequency."""
    example_terms: Tensor
    """[nonzero] term of each entry."""
    example_values: Tensor
    """[nonzero] entries of the unit vectors."""
    example_starts: Tensor
    """[N + 1]."""
    answer_phrases: Tensor
    """[answers] phrase of each entry."""
    answer_starts: Tensor
    """[N + 1]."""
    weights: Tensor
    """[N] how much an example counts."""
    habit: Tensor
    """[S] share of each phrase in what people write anyway."""


class RetrievalPolicy:
    """Answers a prompt with the phrases its nearest examples agree on. The seed changes nothing."""

    def __init__(self, card: PolicyCard, index: Index, terms: Sequence[str], stock: Sequence[str]) -> None:
        self._card, self._index, self._stock = card, index, tuple(stock)
        self._bodies = torch.tensor([names_a_body(phrase) for phrase in self._stock])
        self._terms = {term: place for place, term in enumerate(terms)}
        self._settings = _settings(card)
        sizes = (len(self._terms), len(self._stock))
        if (len(index.idf), len(index.habit)) != sizes or len(index.example_starts) != len(index.answer_starts):
            raise PolicyError(f"the index does not fit its {sizes[0]} terms and {sizes[1]} phrases; export it again")
        check_index(index)
        lengths = index.example_starts.diff().long()
        self._owners = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
        """[nonzero] example of each entry."""

    @classmethod
    def open(cls, folder: Path, card: PolicyCard) -> RetrievalPolicy:
        """Read a folder; PolicyError names what is missing or damaged."""
        try:
            arrays = load_file(folder / INDEX_FILE)
            terms, stock = (
                (folder / name).read_text(encoding="utf-8").splitlines() for name in (TERMS_FILE, STOCK_FILE)
            )
            index = Index(**arrays)
            return cls(card, index, terms, stock)
        except (OSError, UnicodeDecodeError, SafetensorError, TypeError, RuntimeError) as error:
            raise PolicyError(f"cannot read the examples in {folder}: {error}; pull or export it again") from error

    @property
    def card(self) -> PolicyCard:
        """What the policy is."""
        return self._card

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the index, the phrases and the settings."""
        digest = hashlib.sha256(repr((self._settings, self._stock)).encode())
        for name in Index.__slots__:
            digest.update(getattr(self._index, name).contiguous().numpy().tobytes())
        return digest.hexdigest()

    def suggest(self, prompts: Sequence[str], seed: int) -> list[PromptPair]:
        """The prompt as it is, with the phrases that won the vote."""
        found = []
        for prompt in prompts:
            spans = [Span(phrase) for phrase in self.votes(prompt)]
            written, plain = append_phrases(DFPrompt(), spans), DFPrompt.plain(prompt)
            is_negative = self._card.polarity == "negative"
            found.append(PromptPair(plain, written) if is_negative else PromptPair(append_phrases(plain, spans)))
        return found

    def votes(self, prompt: str) -> dict[str, float]:
        """Phrases that are said, best first, with their scores; none works against the prompt."""
        settings, index = self._settings, self._index
        similar = self._similarity(prompt)
        near = similar.topk(min(settings.neighbours, len(similar)))
        votes = index.weights.float()[near.indices] * near.values.clamp(min=0.0) ** settings.power
        scores = settings.habit * index.habit.float()
        for example, vote in zip(near.indices.tolist(), votes.tolist(), strict=True):
            first, last = index.answer_starts[example : example + 2].tolist()
            scores[index.answer_phrases[first:last].long()] += vote
        if not shows_a_body(frozenset(words_of(prompt))):
            scores = scores.masked_fill(self._bodies, 0.0)
        scores = scores / (votes.sum() + settings.habit).clamp(min=1e-12)
        order = scores.argsort(descending=True, stable=True)
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

    def _similarity(self, prompt: str) -> Tensor:
        """[N] cosines with every example."""
        index, vector = self._index, torch.zeros(len(self._terms))
        for term, value in unit_vector(Counter(terms_of(prompt)), self._terms, index.idf):
            vector[term] = value
        products = index.example_values.float() * vector[index.example_terms.long()]
        return torch.zeros(len(index.weights)).index_add(0, self._owners, products)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def unit_vector(counts: Counter[str], terms: dict[str, int], idf: Tensor) -> list[tuple[int, float]]:
    """(1 + log count) * idf of the known terms, scaled to length 1; terms in the order of their places."""
    known = sorted((terms[term], count) for term, count in counts.items() if term in terms)
    values = [(place, (1.0 + math.log(count)) * float(idf[place])) for place, count in known]
    length = math.sqrt(sum(value**2 for _, value in values))
    return [(place, value / length) for place, value in values]


def _settings(card: PolicyCard) -> RetrievalSettings:
    known = {name: card.settings[name] for name in RetrievalSettings.__slots__ if name in card.settings}
    try:
        return RetrievalSettings(**known)
    except TypeError as error:
        raise PolicyError(f"the settings of {card.name} are not numbers: {error}") from error
