"""From words to concepts: by the tables' own words, by what a noun is a kind of, by nearness in meaning."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ..words import phrase_key
from .knowledge import Knowledge
from .nouns import Nouns

if TYPE_CHECKING:
    from .vectors import Vectors

SURE, KIND_OF, NEAR = 1.0, 0.9, 0.6
"""How far a concept counts that was named, that lies above a noun, that is near in meaning."""
_CLIMBED = ("subject", "people", "setting")
_VOTERS, _LEAST_COSINE, _LEAST_VOTES = 5, 0.66, 4
_LATE, _LATE_SHARE = 40, 0.7
"""What comes behind so many words counts less, and there only what the tables name: long prompts hold many things."""
_TRADE = re.compile(r"\w{2,}(?:smith|monger|keeper|maker|woman|women|[rstdy](?:man|men))s?")
_PERSON = re.compile(rf"{_TRADE.pattern}|\w{{2,}}(?:man|men|er|or|ist|eer|ess)s?")
"""How words for people end, in no table and in the tree of nouns; few names of artists do."""
_SHORTEST = 4
"""Letters of a word that is looked up by its vector."""


@dataclass(frozen=True, slots=True)
class Found:
    """A concept in a prompt: the word that it was found by, and how far it counts, 0 to 1."""

    concept: str
    word: str
    strength: float
    by_name: bool = True
    """False if it was only found by what the word is a kind of, or near to."""
    place: int = 0
    """Where in the prompt, counted in words."""


@dataclass(frozen=True)
class Lexicon:
    """Looks up words. Vectors are read only when a word needs them."""

    knowledge: Knowledge
    nouns: Nouns = field(default_factory=Nouns.read)

    @cached_property
    def _index(self) -> Mapping[str, tuple[str, ...]]:
        """Words in the spelling of `words_of` -> concepts."""
        return self._indexes[0]

    @cached_property
    def _singular(self) -> Mapping[str, tuple[str, ...]]:
        """The same without words that the tables have in the plural: "puppies" are a herd, a puppy is none."""
        return self._indexes[1]

    @cached_property
    def _indexes(self) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
        every: dict[str, dict[str, None]] = {}
        singular: dict[str, dict[str, None]] = {}
        for concept in self.knowledge.concepts.values():
            for word in (concept.name, *concept.words):
                if run := phrase_key(word):
                    every.setdefault(run, {})[concept.name] = None
                    if run[-1] == word[-1].casefold():
                        singular.setdefault(run, {})[concept.name] = None
        first, second = ({word: tuple(names) for word, names in index.items()} for index in (every, singular))
        return first, second

    @cached_property
    def _longest(self) -> int:
        return max((word.count(" ") + 1 for word in self._index), default=1)

    @cached_property
    def _above(self) -> Mapping[int, str]:
        """Meaning -> concept: that of a concept's name before those of its other words."""
        found: dict[int, str] = {}
        climbed = [concept for concept in self.knowledge.concepts.values() if concept.kind in _CLIMBED]
        for words in (lambda one: (one.name,), lambda one: one.words):
            for concept in climbed:
                for word in words(concept):
                    if word in self.nouns.places:
                        found.setdefault(self.nouns.places[word], concept.name)
        return found

    @cached_property
    def _person(self) -> int:
        """The meaning that stands above a worker and above a traveler: the tree has no word for it."""
        above = set(self.nouns.climb("traveler"))
        return next((meaning for meaning in self.nouns.climb("customer") if meaning in above), -1)

    @cached_property
    def _vectors(self) -> Vectors:
        from .vectors import Vectors  # numpy, for words that no table has

        return Vectors.read()

    @cached_property
    def _anchors(self) -> Mapping[str, tuple[str, ...]]:
        """Words of one word with a vector, and the subjects that they name."""
        concepts = self.knowledge.concepts
        found = {}
        for word, owners in self._index.items():
            kept = tuple(one for one in owners if concepts[one].kind in _CLIMBED)
            if kept and " " not in word and self._vectors.has(word):
                found[word] = kept
        return found

    def named(self, phrase: str) -> tuple[str, ...]:
        """Concepts that a whole phrase names."""
        return self._index.get(phrase_key(phrase), ())

    def knows(self, word: str) -> bool:
        """True for a word that a table or the tree of nouns has."""
        return bool(self.named(word)) or word in self.nouns.places

    def is_person(self, word: str) -> bool:
        """True for a noun that the tree has below people."""
        return self._person in self.nouns.climb(word)

    def find(
        self, words: Sequence[str], raw: Sequence[str], is_english: bool, breaks: Set[int] = frozenset()
    ) -> Iterator[Found]:
        """Concepts in `words` (as `words_of` spells them; `raw` as they were written), the longest names first.

        A word counts once: "oil painting" is no painting besides. The tree of nouns and the vectors are asked only
        where the text `is_english`: the Spanish "luna" is no goddess. No name goes over the beginnings `breaks`.
        """
        taken = [False] * len(words)
        for length in range(min(self._longest, len(words)), 0, -1):
            for start in range(len(words) - length + 1):
                if any(start < place < start + length for place in breaks) if length > 1 else False:
                    continue
                if not any(taken[start : start + length]):
                    run, written = " ".join(words[start : start + length]), " ".join(raw[start : start + length])
                    is_late = start >= _LATE
                    found = list(self._look_up(run, written, is_english and not is_late))
                    if found:
                        taken[start : start + length] = [True] * length
                        share = _LATE_SHARE if is_late else 1.0
                        yield from (replace(one, strength=one.strength * share, place=start) for one in found)
        if is_english:
            for place, word in enumerate(words[:_LATE]):
                if not taken[place] and len(word) >= _SHORTEST and word not in self.nouns.places:
                    yield from (replace(one, place=place) for one in self._nearest(word))

    def _look_up(self, run: str, written: str, is_english: bool) -> Iterator[Found]:
        is_plural = run[-1:] != written[-1:]
        owners = self._index.get(run) if is_plural else self._singular.get(run, self._index.get(run))
        if owners or not is_english:
            yield from (Found(owner, run, SURE) for owner in owners or ())
            return
        spelling = next((one for one in (written, run) if one in self.nouns.places), "")
        for meaning in self.nouns.climb(spelling):
            if meaning in self._above:
                yield Found(self._above[meaning], run, KIND_OF, by_name=False)
                return
        is_person = bool(spelling) and self.is_person(spelling)
        if _PERSON.fullmatch(written) if is_person else not spelling and _TRADE.fullmatch(written):
            yield Found("person", run, KIND_OF, by_name=False)

    def _nearest(self, word: str) -> Iterator[Found]:
        """The subject that most of the nearest words name, if they are near and agree; for words of no dictionary."""
        if word not in self._vectors.strange or not self._anchors:
            return
        near = self._vectors.nearest(word, list(self._anchors), _VOTERS)
        votes = Counter(
            concept
            for anchor, cosine in near
            if cosine >= _LEAST_COSINE
            for concept in self._lines(self._anchors[anchor])
        )
        if votes and (best := max(votes.values())) >= _LEAST_VOTES:
            # the most special of those that the voters share
            deepest = max(
                (one for one in votes if votes[one] == best), key=lambda one: len(self.knowledge.lineage(one))
            )
            yield Found(deepest, word, NEAR, by_name=False)

    def _lines(self, concepts: Sequence[str]) -> set[str]:
        return {above for concept in concepts for above in self.knowledge.lineage(concept)}
