"""Does my negative do anything? Each phrase in half of the pictures, its effect with an interval, and a last check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from ..errors import PromptError
from ..measure.statistics import Interval, mean_interval
from ..policy.tuned.effects import Effects, Stock
from .evidence import Evidence, Source, reward_of
from .journal import Journal, Round
from .posterior import Posterior, fit
from .rounds import Ask, Limits, Reader, pairs_a_round, random_pairs, topics_of

HELPS, HURTS, NOTHING, OPEN = "helps", "hurts", "no effect seen", "not decided yet"
SMALL = 0.2
"""Effects of less than this share of the rewards' spread are called none: Cohen's (1988) small effect."""
_Z = 1.959964
_CHECKED = 0.3
"""Share of the pictures for the last check."""
_LEAST_CHECK = 8
_SHOWN_PAIRS, _MOST_SHOWN = 2, 30
"""Pictures of the whole list without a phrase; for lists of up to so many."""


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """What an audit is about. PromptError for what cannot be audited."""

    reader: Reader
    """Of the user's own phrases, as they are written."""
    prompts: tuple[str, ...]
    source: Source
    weights: Mapping[str, float]
    """Of the scorers; {} if only clicks count."""
    pictures: int = 256
    """At most; fewer if everything is decided sooner."""
    referee: Mapping[str, float] = field(default_factory=dict)
    """Weights of the scorers of the last check, {} for those of the reward."""
    seed: int = 0
    round_pairs: int = 8

    def __post_init__(self) -> None:
        if not self.reader.stock.options:
            raise PromptError("there is no phrase to audit: write the negative or the modifiers that you use")
        if not self.prompts:
            raise PromptError("an audit needs at least one prompt, better twenty: those you paint with")
        if self.pictures < 32:
            raise PromptError(f"an audit of fewer than 32 pictures decides nothing, got {self.pictures}")

    @property
    def learning(self) -> int:
        """Pictures of the factorial design."""
        return max(int(self.pictures * (1 - _CHECKED)) // 2 * 2, 2 * self.round_pairs)

    @property
    def most(self) -> int:
        """Pictures at most, with those of the last check."""
        count = len(self.reader.stock.options)
        shown = _SHOWN_PAIRS * count if count <= _MOST_SHOWN else 0
        return max(self.pictures, self.learning + 3 * _LEAST_CHECK) + shown

    def next(self, journal: Journal) -> Round | None:
        """The next round; None when all is done. A round begins when the one before is judged."""
        if journal.waiting:
            raise PromptError("the pictures of this round are not all judged yet")
        done = len(journal.asks("learn"))
        if not journal.asks("check") and done < self.learning and not self._is_decided(journal):
            rng = np.random.default_rng((self.seed, len(journal.rounds)))
            rows = self._draw(rng, pairs_a_round(self.round_pairs, done, self.learning - done), done // 2)
            asks = random_pairs(self.reader, rows, Limits(), rng, halves=True)
            return Round("learn", self.reader.stock, tuple(asks))
        return None if journal.asks("check") else self._check(journal)

    def _draw(self, rng: np.random.Generator, count: int, first: int) -> list[tuple[str, int]]:
        """Prompts in turn, each with a new seed."""
        return [(self.prompts[(first + k) % len(self.prompts)], int(rng.integers(2**31))) for k in range(count)]

    def _is_decided(self, journal: Journal) -> bool:
        if len(journal.asks("learn")) < 4 * self.round_pairs:
            return False
        return all(row.verdict != OPEN for row in self.effects(journal))

    def _check(self, journal: Journal) -> Round:
        """The whole list, the shortened one and nothing, on new noise; and to look at, the list without each phrase."""
        rng = np.random.default_rng((self.seed, 1_000_003))
        arms = list(dict.fromkeys(self.arms(journal).values()))
        left = min(self.pictures - len(journal.asks("learn")), round(self.pictures * _CHECKED))
        count = max(left // len(arms), _LEAST_CHECK)
        rows = [(self.prompts[k % len(self.prompts)], int(rng.integers(2**31))) for k in range(count)]
        asks = [Ask(*row, arm) for row in rows for arm in arms]
        whole = tuple(range(len(self.reader.stock.options)))
        shown = rows[:_SHOWN_PAIRS] if len(whole) <= _MOST_SHOWN else []
        asks += [Ask(*row, tuple(one for one in whole if one != gone)) for row in shown for gone in whole]
        return Round("check", self.reader.stock, tuple(dict.fromkeys(asks)))

    def arms(self, journal: Journal, effects: list[PhraseEffect] | None = None) -> dict[str, tuple[int, ...]]:
        """What the last check compares: places of the stock by name; `effects` where they are known already."""
        effects = self.effects(journal) if effects is None else effects
        kept = tuple(place for place, row in enumerate(effects) if row.verdict not in (HURTS, NOTHING))
        whole = tuple(range(len(effects)))
        return {**({"shortened": kept} if kept not in (whole, ()) else {}), "whole": whole, "none": ()}

    def evidence(self, journal: Journal, *stages: str) -> Evidence:
        """What was judged."""
        asks = journal.asks(*stages)
        return journal.evidence(self.source, self.reader.stock, topics_of(self.reader, asks), *stages)

    def effects(self, journal: Journal) -> list[PhraseEffect]:
        """What each phrase does, in the order of the list."""
        evidence = self.evidence(journal, "learn")
        if not evidence.pictures or not (self.weights or evidence.clicks):
            return [
                PhraseEffect(one.span.text, one.side, Interval(0.0, -np.inf, np.inf), 0, OPEN)
                for one in self.reader.stock.options
            ]
        return phrase_effects(fit(evidence.data(self.weights)).unshrunk(), self.reader.stock)


@dataclass(frozen=True, slots=True)
class PhraseEffect:
    """One phrase and what it adds to the reward."""

    text: str
    side: str
    effect: Interval
    """95 % credible interval, averaged over prompts and over what stands beside it."""
    pictures: int
    """With the phrase."""
    verdict: str

    @property
    def deviation(self) -> float:
        """Standard deviation of the effect."""
        return (self.effect.high - self.effect.low) / (2 * _Z)


def phrase_effects(posterior: Posterior, stock: Stock) -> list[PhraseEffect]:
    """The effect of every option beside what it was painted beside, over the prompts that were painted."""
    data, texts = posterior.data, posterior.data.texts
    concepts, before, share = data.concepts.mean(0), data.before.mean(0), texts.mean(0)
    found = []
    for place, option in enumerate(stock.options):
        text = int(data.text_of[place])
        unit, single = np.zeros(texts.shape[1]), np.zeros(len(stock.options))
        unit[text], single[place] = 1.0, 1.0
        beside = np.outer(unit, share) + np.outer(share, unit)
        beside[text, text] = 1.0
        what = Effects(unit, np.outer(unit, concepts), single, float(before[text]), 1.0, beside)
        mean, deviation = posterior.moments(what)
        interval = Interval(mean, mean - _Z * deviation, mean + _Z * deviation)
        count, verdict = int(data.options[:, place].sum()), verdict_of(interval, SMALL * posterior.spread)
        found.append(PhraseEffect(option.span.text, option.side, interval, count, verdict))
    return found


def verdict_of(effect: Interval, small: float) -> str:
    """What may be said of a phrase: an interval on one side of 0, one inside of -small..small, or neither."""
    if effect.low > 0:
        return HELPS
    if effect.high < 0:
        return HURTS
    return NOTHING if max(-effect.low, effect.high) <= small else OPEN


def compare(
    journal: Journal, arms: Mapping[str, Mapping[str, tuple[int, ...]]], weights: Mapping[str, float]
) -> dict[str, Any]:
    """Mean reward of each arm (prompt -> set) of the last check; differences and win rates of every two, paired.

    `clicked` has the win rates by clicks, of the pairs where somebody preferred one.
    """
    cells: dict[str, dict[tuple[str, int], float]] = {name: {} for name in arms}
    for one in journal.asks("check"):
        scores = journal.scores.get(one.key)
        for name, sets in arms.items():
            if scores and one.options == sets[one.prompt]:
                cells[name][(one.prompt, one.seed)] = reward_of(scores, weights)
    pairs = {}
    for first, second in combinations(arms, 2):
        shared = sorted(set(cells[first]) & set(cells[second]))
        if arms[first] != arms[second] and len(shared) > 1:
            gaps = np.array([cells[first][key] - cells[second][key] for key in shared])
            wins = (np.sign(gaps) + 1) / 2
            pairs[f"{first} - {second}"] = {
                "difference": mean_interval(gaps).plain(),
                "win_rate": mean_interval(wins, is_share=True).plain(),
                "pairs": len(shared),
            }
    means = {name: mean_interval(list(rows.values())).plain() for name, rows in cells.items() if rows}
    return {"means": means, "differences": pairs, "clicked": _clicked(journal, arms)}


def _clicked(journal: Journal, arms: Mapping[str, Mapping[str, tuple[int, ...]]]) -> dict[str, Any]:
    prompts = {one.group: one.prompt for one in journal.asks("check")}
    found = {}
    for first, second in combinations(arms, 2):
        wins = []
        for click in journal.clicks:
            (group, better), (_, worse) = click.better, click.worse
            if group in prompts:
                sets = arms[first][prompts[group]], arms[second][prompts[group]]
                wins += [1.0] if (better, worse) == sets else [0.0] if (worse, better) == sets else []
        if wins:
            found[f"{first} - {second}"] = {"win_rate": mean_interval(wins, is_share=True).plain(), "pairs": len(wins)}
    return found


def examples(journal: Journal, place: int) -> list[tuple[Ask, Ask]]:
    """Pictures with and without one option that were judged: the same prompt, noise and other options."""
    judged = [one for one in journal.asks("check", "refine", "learn") if one.key in journal.scores]
    by_key = {one.key: one for one in judged}
    found = []
    for having in judged:
        if place in having.options:
            lacking = by_key.get((having.group, tuple(one for one in having.options if one != place)))
            found += [(having, lacking)] if lacking else []
    return found[:_SHOWN_PAIRS]
