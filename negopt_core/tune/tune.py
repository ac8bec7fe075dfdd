"""Learn on one checkpoint which phrases help, and when; what was learned is kept only if it wins a last check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import PromptError
from ..policy.tuned.effects import Effects, Option, Stock
from ..text.prompt import FULL, Window
from .audit import compare
from .evidence import Evidence, Source
from .journal import Journal, Round
from .posterior import Posterior, fit
from .rounds import Ask, Limits, Reader, best_for, drawn_pairs, pairs_a_round, random_pairs, room_for, topics_of

NONE, TUNED, PRIOR, OWN = "none", "tuned", "before", "own"
_VARIANTS = ((1.3, FULL), (0.7, FULL), (1.0, Window(0.0, 0.5)), (1.0, Window(0.5, 1.0)))
"""Weights and windows that a phrase is tried with once it is known to matter."""
_REFINED = 8
"""Phrases that get variants: those that the best sets hold most often."""
_OPENING = 2
"""Rounds of random sets before the first draws."""


@dataclass(frozen=True, slots=True)
class TunePlan:
    """What is learned, on which prompts, with how many pictures. PromptError for what cannot be learned from."""

    reader: Reader
    """Of the stock: what may help."""
    prompts: tuple[str, ...]
    """To learn on."""
    fresh: tuple[str, ...]
    """For the last check."""
    source: Source
    weights: Mapping[str, float]
    """Of the scorers; {} if only clicks count."""
    rivals: Mapping[str, Mapping[str, tuple[int, ...]]]
    """For the last check: name -> prompt of `fresh` -> set; places in `rival_stock`."""
    rival_stock: Stock
    """The stock, and behind it what rivals say beyond it."""
    pictures: int = 512
    """To learn from."""
    refined: float = 0.25
    """Share of them for weights and windows."""
    check: int = 48
    """Pictures of each rival and of what was learned, in the last check."""
    referee: Mapping[str, float] = field(default_factory=dict)
    """Weights of the scorers of the last check, {} for those of the reward."""
    seed: int = 0
    round_pairs: int = 16
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        if len(self.prompts) < 2 or not self.fresh:
            raise PromptError(
                f"tuning needs at least 2 prompts to learn on and 1 for the check, got {len(self.prompts)} and "
                f"{len(self.fresh)}; twenty or more of those you paint are a good start"
            )
        if self.pictures < 64 or not 0.0 <= self.refined < 1.0:
            raise PromptError(
                f"tuning needs 64 pictures or more and a share 0 <= refined < 1, got {self.pictures} and {self.refined}"
            )

    def next(self, journal: Journal) -> Round | None:
        """The next round; None when all is done."""
        if journal.waiting:
            raise PromptError("the pictures of this round are not all judged yet")
        if journal.asks("check"):
            return None
        done = len(journal.asks("learn", "refine"))
        if done >= self.pictures:
            return self._check(journal)
        rng = np.random.default_rng((self.seed, len(journal.rounds)))
        count, first = pairs_a_round(self.round_pairs, done, self.pictures - done), done // 2
        rows = [(self.prompts[(first + k) % len(self.prompts)], int(rng.integers(2**31))) for k in range(count)]
        if len(journal.rounds) < _OPENING or not (self.weights or journal.clicks):
            return Round("learn", self.reader.stock, tuple(random_pairs(self.reader, rows, self.limits, rng)))
        posterior, evidence = self.posterior(journal)
        stage = "refine" if done >= self.pictures * (1 - self.refined) else "learn"
        reader = self._reader_for(journal, stage, posterior, evidence)
        if stage == "refine" and len(reader.stock.options) > len(evidence.stock.options):
            posterior, evidence = self.posterior(journal, reader.stock)
        asks = drawn_pairs(posterior, evidence, reader, rows, self.limits, rng)
        return Round(stage, reader.stock, tuple(asks))

    def posterior(self, journal: Journal, stock: Stock | None = None) -> tuple[Posterior, Evidence]:
        """What is known from everything but the last check."""
        evidence = self.evidence(journal)
        if stock is not None:
            evidence = replace(evidence, stock=stock)
        return fit(evidence.data(self.weights)), evidence

    def evidence(self, journal: Journal) -> Evidence:
        """What was judged but for the last check."""
        stages = ("learn", "refine")
        topics = topics_of(self.reader, journal.asks(*stages))
        stock = [row.stock for row in journal.rounds if row.stage in stages][-1:] or [self.reader.stock]
        return replace(journal.evidence(self.source, self.reader.stock, topics, *stages), stock=stock[0])

    def chosen(self, posterior: Posterior, evidence: Evidence, prompts: Sequence[str]) -> list[tuple[int, ...]]:
        """The best set for each prompt by the expected effects."""
        return best_sets(
            posterior.mean(), evidence, replace(self.reader, stock=evidence.stock, _kept={}), prompts, self.limits
        )

    def _reader_for(self, journal: Journal, stage: str, posterior: Posterior, evidence: Evidence) -> Reader:
        """With variants of the phrases that matter, from the first round of refining on."""
        stock = evidence.stock
        if stage == "refine" and not any(row.stage == "refine" for row in journal.rounds):
            sets = self.chosen(posterior, evidence, self.prompts)
            common = [place for place, _ in Counter(one for each in sets for one in each).most_common(_REFINED)]
            more = [variant for place in common for variant in variants_of(stock.options[place])]
            stock = Stock(tuple(dict.fromkeys((*stock.options, *more))))
        return replace(self.reader, stock=stock, _kept={})

    def _check(self, journal: Journal) -> Round:
        posterior, evidence = self.posterior(journal)
        tuned = dict(zip(self.fresh, self.chosen(posterior, evidence, self.fresh), strict=True))
        rng = np.random.default_rng((self.seed, 1_000_003))
        stock = Stock(tuple(dict.fromkeys((*evidence.stock.options, *self.rival_stock.options))))
        place = {option: number for number, option in enumerate(stock.options)}
        asks = []
        for number in range(self.check):
            prompt, seed = self.fresh[number % len(self.fresh)], int(rng.integers(2**31))
            asks += [Ask(prompt, seed, ()), Ask(prompt, seed, tuned[prompt])]
            for sets in self.rivals.values():
                moved = tuple(sorted(place[self.rival_stock.options[one]] for one in sets[prompt]))
                asks.append(Ask(prompt, seed, moved))
        return Round("check", stock, tuple(dict.fromkeys(asks)))

    def arms(self, journal: Journal) -> dict[str, Mapping[str, tuple[int, ...]]]:
        """What the last check compares, what was learned first: name -> prompt -> set. It has begun."""
        posterior, evidence = self.posterior(journal)
        tuned = dict(zip(self.fresh, self.chosen(posterior, evidence, self.fresh), strict=True))
        stock = journal.rounds[-1].stock
        place = {option: number for number, option in enumerate(stock.options)}
        arms: dict[str, Mapping[str, tuple[int, ...]]] = {TUNED: tuned}
        for name, sets in self.rivals.items():
            arms[name] = {
                prompt: tuple(sorted(place[self.rival_stock.options[one]] for one in sets[prompt]))
                for prompt in self.fresh
            }
        arms[NONE] = dict.fromkeys(self.fresh, ())
        return arms

    def verdict(self, journal: Journal) -> dict[str, Any]:
        """Rewards of the last check by name, differences with intervals, and whether what was learned wins."""
        arms = self.arms(journal)
        found = compare(journal, arms, self.referee or self.weights)
        gaps = {name: found["differences"].get(f"{TUNED} - {name}") for name in arms if name != TUNED}
        wins = all(gap is not None and (gap["difference"]["low"] or 0.0) > 0.0 for gap in gaps.values())
        if not self.weights:
            clicked = [found["clicked"].get(f"{TUNED} - {name}") for name in gaps]
            wins = all(one is not None and (one["win_rate"]["low"] or 0.0) > 0.5 for one in clicked)
        return {**found, "kept": wins}


def variants_of(option: Option) -> list[Option]:
    """Other weights, and halves of the run."""
    return [Option(option.side, replace(option.span, weight=weight, window=window)) for weight, window in _VARIANTS]


def best_sets(
    effects: Effects, evidence: Evidence, reader: Reader, prompts: Sequence[str], limits: Limits
) -> list[tuple[int, ...]]:
    """The best set for each prompt."""
    names, room = evidence.concept_names(), room_for(evidence.stock, limits)
    return [best_for(effects, reader.topic(one), names, evidence.stock, room, reader.allowed(one)) for one in prompts]
