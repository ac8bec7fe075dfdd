"""Examples near a prompt and what they say, phrase by phrase.

Examples are prompts as TF-IDF vectors over words and pairs of neighbouring words. With s_j the cosine of the prompt
and example j, u_j the example's own weight and w_j = u_j s_j^power over the nearest ones, a phrase scores

    (sum of w_j over the examples that have it + habit * its share in the habit) / (sum of all w_j + habit)

The habit is what people write anyway; it decides where no example is near.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ..errors import PolicyError
from ..files import write_text
from .folder_check import TERMS_FILE

INDEX_FILE = "index.safetensors"
_WORD = re.compile(r"[^\W_]+")
Array = NDArray[Any]


def terms_of(prompt: str) -> list[str]:
    """Words of a prompt and its pairs of neighbouring words, lower-case."""
    words = _WORD.findall(prompt.casefold())
    return words + [f"{one} {other}" for one, other in pairwise(words)]


@dataclass(frozen=True, slots=True)
class Count:
    """How the votes are counted; chosen on the validation pairs (docs/policies.md)."""

    neighbours: int = 40
    power: float = 3.0
    habit: float = 0.02

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise PolicyError(f"neighbours needs at least 1, got {self.neighbours}")
        if not (self.power > 0.0 and self.habit >= 0.0):
            raise PolicyError(f"power > 0 and habit >= 0 are needed, got {self.power}, {self.habit}")


@dataclass(frozen=True, slots=True)
class Index:
    """N examples over T terms and S phrases, both ragged tables as flat values with N + 1 starts."""

    idf: Array
    """[T] inverse document frequency."""
    example_terms: Array
    """[nonzero] term of each entry."""
    example_values: Array
    """[nonzero] entries of the unit vectors."""
    example_starts: Array
    """[N + 1]."""
    answer_phrases: Array
    """[answers] phrase of each entry."""
    answer_starts: Array
    """[N + 1]."""
    weights: Array
    """[N] how much an example counts."""
    habit: Array
    """[S] share of each phrase in what people write anyway."""


class Neighbours:
    """An index that can be asked."""

    def __init__(self, index: Index, terms: Sequence[str]) -> None:
        self.index, self.terms = index, {term: place for place, term in enumerate(terms)}
        if len(index.idf) != len(self.terms) or len(index.example_starts) != len(index.answer_starts):
            raise PolicyError(f"the index does not fit its {len(self.terms)} terms; export it again")
        _check_index(index)
        self._term_owners = _owners(index.example_starts)
        self._phrase_owners = _owners(index.answer_starts)
        self._values, self._weights = index.example_values.astype(float), index.weights.astype(float)
        self._habit = index.habit.astype(float)

    @classmethod
    def open(cls, folder: Path) -> Neighbours:
        """Read the index of a folder; PolicyError names what is missing or damaged."""
        try:
            terms = (folder / TERMS_FILE).read_text(encoding="utf-8").splitlines()
            return cls(Index(**load_file(folder / INDEX_FILE)), terms)
        except (OSError, UnicodeDecodeError, SafetensorError, TypeError, ValueError, KeyError) as error:
            raise PolicyError(f"cannot read the examples in {folder}: {error}; pull or export it again") from error

    def similarity(self, prompt: str) -> Array:
        """[N] cosines with every example."""
        vector = np.zeros(len(self.terms))
        for term, value in unit_vector(Counter(terms_of(prompt)), self.terms, self.index.idf):
            vector[term] = value
        products = self._values * vector[self.index.example_terms]
        return np.bincount(self._term_owners, products, minlength=len(self._weights))

    def scores(self, similar: Array, count: Count) -> Array:
        """[S] what each phrase scores, 0 to 1, for [N] cosines; of equally near examples the earlier ones count."""
        near = np.argsort(-similar, kind="stable")[: count.neighbours]
        votes = np.zeros(len(similar))
        votes[near] = self._weights[near] * similar[near].clip(min=0.0) ** count.power
        said = np.bincount(self.index.answer_phrases, votes[self._phrase_owners], minlength=len(self._habit))
        scores: Array = (said + count.habit * self._habit) / max(float(votes.sum()) + count.habit, 1e-12)
        return scores


def save_index(index: Index, terms: Sequence[str], folder: Path) -> None:
    """Write an index and its terms into a folder."""
    save_file({name: np.ascontiguousarray(getattr(index, name)) for name in Index.__slots__}, folder / INDEX_FILE)
    write_text(folder / TERMS_FILE, "".join(f"{term}\n" for term in terms))


def unit_vector(counts: Counter[str], terms: dict[str, int], idf: Array) -> list[tuple[int, float]]:
    """(1 + log count) * idf of the known terms, scaled to length 1; terms in the order of their places."""
    known = sorted((terms[term], count) for term, count in counts.items() if term in terms)
    values = [(place, (1.0 + math.log(count)) * float(idf[place])) for place, count in known]
    length = math.sqrt(sum(value**2 for _, value in values))
    return [(place, value / length) for place, value in values]


def _owners(starts: Array) -> Array:
    """[entries] example of each entry."""
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))


def _check_index(index: Index) -> None:
    """PolicyError names the first table that is no list, leads outside of another, or holds no finite numbers."""
    examples = len(index.weights)
    for name in ("idf", "example_values", "weights", "habit"):
        _check_table(
            name, _is_list(getattr(index, name), is_float=True) and bool(np.isfinite(getattr(index, name)).all())
        )
    for starts, entries, values, places in (
        ("example_starts", "example_terms", "example_values", len(index.idf)),
        ("answer_starts", "answer_phrases", "answer_phrases", len(index.habit)),
    ):
        first, inner = getattr(index, starts), getattr(index, entries)
        _check_table(starts, _is_list(first, is_float=False) and len(first) == examples + 1 and examples > 0)
        _check_table(starts, int(first[0]) == 0 and int(first[-1]) == len(inner) and bool((np.diff(first) >= 0).all()))
        _check_table(entries, _is_list(inner, is_float=False) and len(inner) == len(getattr(index, values)))
        _check_table(entries, bool(((inner >= 0) & (inner < places)).all()))


def _is_list(table: Array, is_float: bool) -> bool:
    return table.ndim == 1 and table.dtype in (
        (np.float16, np.float32, np.float64) if is_float else (np.int32, np.int64)
    )


def _check_table(name: str, is_right: bool) -> None:
    if not is_right:
        raise PolicyError(f"the table {name} of the examples is damaged; pull or export the policy again")
