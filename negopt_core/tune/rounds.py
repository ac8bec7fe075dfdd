"""Which pictures to paint next: pairs of the same prompt and noise with different sets of phrases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..policy.loglinear.knowledge import Side
from ..policy.loglinear.policy import prior_of
from ..policy.phrases import append_phrases
from ..policy.tuned.effects import SIDES, Array, Effects, Room, Stock, best_set
from ..text.df_text import parse_prompt
from ..text.prompt import DFPrompt, PromptPair
from .evidence import Evidence, Topic, group_key
from .posterior import Posterior


@dataclass(frozen=True, slots=True)
class Ask:
    """A picture that is to be painted and judged."""

    prompt: str
    """DF-Prompt text, as the user wrote it."""
    seed: int
    options: tuple[int, ...]
    """Places in the stock, ascending."""

    @property
    def group(self) -> str:
        """Key of prompt and noise."""
        return group_key(self.prompt, self.seed)

    @property
    def key(self) -> tuple[str, tuple[int, ...]]:
        """As `Picture.key`."""
        return self.group, self.options

    def pair(self, stock: Stock) -> PromptPair:
        """What the painter gets: phrases in the order of the stock."""
        spans = {
            side: [stock.options[one].span for one in self.options if stock.options[one].side == side] for side in SIDES
        }
        positive = append_phrases(parse_prompt(self.prompt), spans["modifiers"])
        return PromptPair(positive, append_phrases(DFPrompt(), spans["negative"]))


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a set may get."""

    tokens: tuple[int, int] = (75, 75)
    """Of negatives, of modifiers."""
    most: tuple[int, int] = (12, 6)
    """Phrases of each side."""
    tried: tuple[int, int] = (2, 10)
    """Fewest and most phrases of a random set; an audit has half of all in each."""


@dataclass(frozen=True)
class Reader:
    """Prompts, read once: what they are about, what was thought of the phrases, what may not be said."""

    stock: Stock
    family: str
    is_free: bool = False
    """True where the phrases are the user's own: nothing is forbidden."""
    _kept: dict[str, tuple[Topic, NDArray[np.bool_]]] = field(default_factory=dict, repr=False, compare=False)

    def topic(self, prompt: str) -> Topic:
        """Concepts and earlier gains."""
        return self._read(prompt)[0]

    def allowed(self, prompt: str) -> NDArray[np.bool_]:
        """[V] False for what contradicts the prompt."""
        return self._read(prompt)[1]

    def _read(self, prompt: str) -> tuple[Topic, NDArray[np.bool_]]:
        if prompt not in self._kept:
            words = parse_prompt(prompt).text
            prior = prior_of(words, self.family)
            gains = {(side, said): prior.gains[side].get(said) for side, said in self.stock.texts}
            before = {} if self.is_free else {text: gain for text, gain in gains.items() if gain is not None}
            allowed = [self.is_free or not prior.is_blocked(*one.text) for one in self.stock.options]
            self._kept[prompt] = Topic(prior.concepts, before, prompt), np.array(allowed, bool)
        return self._kept[prompt]


def pairs_a_round(least: int, done: int, left: int) -> int:
    """Pairs to ask for after `done` pictures, of which `left` more may come: an eighth more, so that the pauses between
    rounds, in which nothing is painted, stay a small share."""
    return max(min(max(least, done // 16), left // 2), 1)


def room_for(stock: Stock, limits: Limits) -> Room:
    """Costs and limits as `best_set` has them."""
    return Room.of(stock, limits.tokens, limits.most)


def arrays_of(topic: Topic, names: Sequence[str], texts: Sequence[tuple[Side, str]]) -> tuple[Array, Array]:
    """Concepts [C] and earlier gains [T] of a topic."""
    concepts = np.array([topic.concepts.get(name, 0.0) for name in names])
    return concepts, np.array([topic.before.get(text, 0.0) for text in texts])


def best_for(
    effects: Effects, topic: Topic, names: Sequence[str], stock: Stock, room: Room, allowed: NDArray[np.bool_]
) -> tuple[int, ...]:
    """The set with the highest expected gain for a prompt, as places in ascending order."""
    concepts, before = arrays_of(topic, names, stock.texts)
    gains = effects.gains(stock.text_of, concepts, before)
    return tuple(sorted(best_set(gains, effects.pairs, stock.text_of, room, allowed)))


def random_pairs(
    reader: Reader, prompts: Sequence[tuple[str, int]], limits: Limits, rng: np.random.Generator, halves: bool = False
) -> list[Ask]:
    """Two sets that share no phrase for each (prompt, seed), every text equally often; `halves`: all are said.

    Each phrase by a coin in one of the two pictures (a fold-over design): in half of all, under the same noise.
    """
    asks: list[Ask] = []
    deck = _dealt(reader.stock, rng)
    for prompt, seed in prompts:
        allowed = reader.allowed(prompt)
        here = [one for one in range(len(allowed)) if allowed[one]]
        if halves:
            coins = rng.integers(0, 2, size=len(here))  # halves of equal size would hide what all phrases share
            sets = [[one for one, coin in zip(here, coins, strict=True) if coin == side] for side in (0, 1)]
        else:
            counts = rng.integers(limits.tried[0], limits.tried[1] + 1, size=2)
            drawn = _take(deck, allowed, int(min(counts.sum(), len(here))))
            sets = [drawn[: counts[0]], drawn[counts[0] :]]
        asks += [Ask(prompt, seed, tuple(sorted(one))) for one in sets]
    return asks


def _dealt(stock: Stock, rng: np.random.Generator) -> Iterator[int]:
    """Options without end, every text once before any comes again."""
    by_text: list[list[int]] = [[] for _ in stock.texts]
    for option, text in enumerate(stock.text_of):
        by_text[text].append(option)
    while True:
        for text in rng.permutation(len(by_text)):
            yield by_text[text][int(rng.integers(len(by_text[text])))]


def _take(deck: Iterator[int], allowed: NDArray[np.bool_], count: int) -> list[int]:
    found: list[int] = []
    for _ in range(50 * (count + 1)):
        if len(found) >= count:
            break
        one = next(deck)
        if allowed[one] and one not in found:
            found.append(one)
    return found


def drawn_pairs(
    posterior: Posterior,
    evidence: Evidence,
    reader: Reader,
    prompts: Sequence[tuple[str, int]],
    limits: Limits,
    rng: np.random.Generator,
) -> list[Ask]:
    """Thompson sampling: for each (prompt, seed) the best sets of two draws of the effects."""
    names, room = evidence.concept_names(), room_for(reader.stock, limits)
    asks: list[Ask] = []
    for prompt, seed in prompts:
        sets: list[tuple[int, ...]] = []
        for _ in range(4):  # two draws may agree
            chosen = best_for(
                posterior.draw(rng), reader.topic(prompt), names, reader.stock, room, reader.allowed(prompt)
            )
            if chosen not in sets:
                sets.append(chosen)
            if len(sets) == 2:
                break
        asks += [Ask(prompt, seed, one) for one in sets]
    return asks


def topics_of(reader: Reader, asks: Sequence[Ask]) -> Mapping[str, Topic]:
    """Topics by group, with prompt and seed."""
    return {
        one.group: Topic(reader.topic(one.prompt).concepts, reader.topic(one.prompt).before, one.prompt, one.seed)
        for one in asks
    }
