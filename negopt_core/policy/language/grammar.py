"""Which token may come next: phrases from a closed stock or free words, each phrase once, within the budget.

The same rule is used when words are drawn and when they are scored, so both see one distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Protocol

import torch
from torch import Tensor

from ...errors import PolicyError
from ..contradiction import Asked, PhraseWords, is_unwelcome, names_another_medium, works_against
from ..contradiction import read_phrase as read_words
from ..media import shows_a_body
from ..token_estimate import estimate_tokens
from .spelling import Spelling, read_phrase, spell_phrase

_KEPT_READINGS = 20_000
IsBanned = Callable[[str], bool]
"""Whether a phrase works against the prompt."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Ids that may come next: a few, and with `words` every ordinary word of a free grammar as well."""

    ids: tuple[int, ...]
    words: WordRow | None = None

    def __contains__(self, token: int) -> bool:
        return token in self.ids or (self.words is not None and token in self.words.ids)

    def mark(self, row: Tensor) -> None:
        """Set the places of these ids in a row [V] of False."""
        if self.words is not None:
            row[: len(self.words.row)] = self.words.row
        row[list(self.ids)] = True


@dataclass(frozen=True, slots=True)
class WordRow:
    """The ordinary words of a vocabulary, made once: tens of thousands of ids."""

    ids: frozenset[int]
    row: Tensor
    """[V] bool."""

    @classmethod
    def of(cls, ids: Iterable[int], vocabulary: int) -> WordRow:
        """From ids below `vocabulary`."""
        known = frozenset(ids)
        row = torch.zeros(vocabulary, dtype=torch.bool)
        row[list(known)] = True
        return cls(known, row)


class Walk(Protocol):
    """The state of one row while its text grows."""

    def allowed(self) -> Allowed:
        """Ids that may come next; never empty."""
        ...

    def advance(self, token: int) -> bool:
        """Take a token; True if it ended a phrase."""
        ...

    def copy(self) -> Walk:
        """The same state, to try something on."""
        ...


class Grammar(Protocol):
    """Makes a walk for each prompt."""

    def walk(self, is_banned: IsBanned) -> Walk: ...

    def words(self, phrase: str) -> PhraseWords:
        """A phrase as the contradiction rule reads it."""
        ...


ReadPhrase = Callable[[str], PhraseWords]


def bans_of(asked: Asked, is_negative: bool, is_strict: bool = False, read: ReadPhrase = read_words) -> IsBanned:
    """A negative must not forbid what the prompt asks for; a modifier must not work against it (checked later too).

    With `is_strict` phrases about bodies are banned from a negative where the prompt shows neither people nor animals,
    and modifiers that repeat the prompt or name another medium than it does.
    """
    if not is_negative and is_strict:
        return lambda phrase: is_unwelcome(phrase, asked) or names_another_medium(phrase, asked)
    if not is_negative:
        return lambda phrase: phrase in asked.opposed
    spares = is_strict and not shows_a_body(asked.words)

    def is_banned(phrase: str) -> bool:
        words = read(phrase)
        return (spares and words.has_body) or works_against(words, asked)

    return is_banned


@dataclass(slots=True)
class Node:
    """A place in the tree of phrase spellings."""

    children: dict[int, Node] = field(default_factory=dict)
    phrases: set[int] = field(default_factory=set)
    """Phrases whose spelling passes through here."""
    ends: int | None = None
    """The phrase that is complete here."""


class StockGrammar:
    """Phrases from a closed list, each at most once, as many as fit the budget of (estimated CLIP) tokens."""

    def __init__(self, phrases: Iterable[str], tokenizer: Any, max_tokens: int, max_phrases: int = 64) -> None:
        self.spelling = Spelling.of(tokenizer)
        self.phrases = tuple(dict.fromkeys(phrases))
        self.max_tokens, self.max_phrases = max_tokens, max_phrases
        self.costs = [estimate_tokens(phrase) + 1 for phrase in self.phrases]
        self.max_cost = max(self.costs, default=0)
        self.readings = {phrase: read_words(phrase) for phrase in self.phrases}
        self.root = Node()
        for index, phrase in enumerate(self.phrases):
            ids = spell_phrase(tokenizer, phrase)
            if not ids or self.spelling.separator in ids or not self.spelling.specials.isdisjoint(ids):
                raise PolicyError(f"the tokenizer cannot spell the phrase {phrase!r}; take it out of the stock")
            self._add(ids, index)
        if not self.phrases:
            raise PolicyError("a stock needs at least one phrase")

    def _add(self, ids: Sequence[int], index: int) -> None:
        node = self.root
        node.phrases.add(index)
        for token in ids:
            node = node.children.setdefault(token, Node())
            node.phrases.add(index)
        node.ends = index

    def words(self, phrase: str) -> PhraseWords:
        """A phrase of the stock, read when the stock was."""
        return self.readings[phrase]

    def walk(self, is_banned: IsBanned) -> Walk:
        """Start a row."""
        free = {index for index, phrase in enumerate(self.phrases) if not is_banned(phrase)}
        return _StockWalk(self, free, self.max_tokens)


@dataclass(slots=True)
class _StockWalk:
    grammar: StockGrammar
    free: set[int]
    budget: int
    node: Node | None = None
    """None before the first word of the text."""
    count: int = 0

    def _open(self) -> set[int]:
        if self.count >= self.grammar.max_phrases:
            return set()
        if self.budget >= self.grammar.max_cost:
            return self.free
        return {index for index in self.free if self.grammar.costs[index] <= self.budget}

    def allowed(self) -> Allowed:
        spelling, at = self.grammar.spelling, self.node or self.grammar.root
        still = self._open()
        tokens = [token for token, child in at.children.items() if not child.phrases.isdisjoint(still)]
        if self.node is None:
            tokens.append(spelling.end)  # no phrase at all
        elif at.ends is not None and at.ends in still:
            tokens.append(spelling.end)
            budget = self.budget - self.grammar.costs[at.ends]
            if self.count + 1 < self.grammar.max_phrases and any(
                self.grammar.costs[index] <= budget for index in self.free if index != at.ends
            ):
                tokens.append(spelling.separator)
        return Allowed(tuple(tokens))

    def advance(self, token: int) -> bool:
        spelling, at = self.grammar.spelling, self.node or self.grammar.root
        if token not in (spelling.separator, spelling.end):
            self.node = at.children[token]
            return False
        if at.ends is None or self.node is None:
            return False
        self.free.discard(at.ends)
        self.budget -= self.grammar.costs[at.ends]
        self.count += 1
        self.node = self.grammar.root
        return True

    def copy(self) -> Walk:
        return replace(self, free=set(self.free))


class FreeGrammar:
    """Any words of the vocabulary; a repeated or banned phrase cannot be finished. The end comes with the budget, and
    words that it cuts off are no phrase."""

    def __init__(self, tokenizer: Any, vocabulary: int, max_tokens: int) -> None:
        self.tokenizer, self.spelling, self.max_tokens = tokenizer, Spelling.of(tokenizer), max_tokens
        self._read = lru_cache(maxsize=_KEPT_READINGS)(read_words)
        stops = {self.spelling.separator, self.spelling.end, *self.spelling.specials}
        words = WordRow.of(
            (token for token in range(min(vocabulary, len(tokenizer))) if token not in stops), vocabulary
        )
        end, separator = self.spelling.end, self.spelling.separator
        self.only_end, self.within = Allowed((end,)), Allowed((), words)
        self.at_start, self.at_end = Allowed((end,), words), Allowed((separator, end), words)

    def words(self, phrase: str) -> PhraseWords:
        """A phrase; those read lately are kept, since texts grow token by token and habits repeat."""
        return self._read(phrase)

    def walk(self, is_banned: IsBanned) -> Walk:
        """Start a row."""
        return _FreeWalk(self, is_banned)


@dataclass(slots=True)
class _FreeWalk:
    grammar: FreeGrammar
    is_banned: IsBanned
    current: list[int] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    length: int = 0

    def allowed(self) -> Allowed:
        grammar = self.grammar
        if self.length >= grammar.max_tokens:
            return grammar.only_end
        if not self.current:
            return grammar.within if self.said else grammar.at_start
        phrase = read_phrase(grammar.tokenizer, self.current)
        return grammar.within if phrase in self.said or self.is_banned(phrase) else grammar.at_end

    def advance(self, token: int) -> bool:
        is_cut = self.length >= self.grammar.max_tokens  # only the end was left: nobody finished these words
        self.length += 1
        if token not in (self.grammar.spelling.separator, self.grammar.spelling.end):
            self.current.append(token)
            return False
        is_end_of_phrase = bool(self.current) and not is_cut
        self.said.add(read_phrase(self.grammar.tokenizer, self.current))
        self.current = []
        return is_end_of_phrase

    def copy(self) -> Walk:
        return replace(self, current=list(self.current), said=set(self.said))
