"""What people wrote, as effects on top of the tables of the policy `negopt`.

For each phrase, logit p(said | prompt) = bias + SHARPNESS * (gain of the tables + sum of the learned effects of the
prompt's concepts), each learned effect with a normal prior around 0. Found are the most probable effects and, by the
approximation of Laplace, how sure each is. What too few people from too few sources are behind gets no effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import TrainingError
from ...policy.loglinear.evidence import Evidence, Learned
from ...policy.loglinear.knowledge import Side
from ...policy.loglinear.lexicon import Lexicon
from ...policy.loglinear.reading import read_prompt
from ...policy.words import phrase_key

SHARPNESS = 3.0
"""Log-odds of a unit of gain."""
_NEWTON_STEPS, _FLATTEST = 12, 1e-6
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Said:
    """One prompt, the phrases that somebody wrote for it, how much it counts, and where it is from."""

    prompt: str
    phrases: frozenset[str]
    """As `phrase_key` spells them."""
    weight: float
    source: str


@dataclass(frozen=True, slots=True)
class Support:
    """What an effect needs behind it."""

    rows: int = 5
    """Rows that have the concept and the phrase."""
    sources: int = 2
    """Different sources of those rows."""
    concept_rows: int = 30
    """Rows that have the concept, for "people do not say this here" to mean anything."""
    phrase_rows: int = 12
    least_effect: float = 0.02
    least_sure: float = 2.0
    """Standard deviations that an effect must be away from 0."""
    prior_sd: float = 0.05
    """Small: habits of people move the tables, they do not replace them."""


def fit(side: Side, said: Sequence[Said], lexicon: Lexicon, support: Support | None = None) -> Evidence:
    """Learn the effects of one side; TrainingError without rows."""
    support = support or Support()
    if not said:
        raise TrainingError("no rows to learn from; give a file of pairs")
    readings = [read_prompt(row.prompt, lexicon).strengths for row in said]
    counts: dict[str, int] = {}
    for reading in readings:
        for name in reading:
            counts[name] = counts.get(name, 0) + 1
    names = sorted(name for name, count in counts.items() if count >= support.rows)
    features = np.array([[reading.get(name, 0.0) for name in names] for reading in readings])
    weights = np.array([row.weight for row in said])
    weights = weights / weights.mean()
    effects: dict[str, dict[str, Learned]] = {}
    for phrase in lexicon.knowledge.phrases[side]:
        key = phrase_key(phrase)
        is_said = np.array([key in row.phrases for row in said])
        if is_said.sum() < support.phrase_rows or len(_sources(said, is_said)) < support.sources:
            continue
        prior = features @ _effects_of(lexicon, side, phrase, names)
        means, sds = map_effects(features, is_said.astype(float), prior, weights, support.prior_sd)
        for place, name in enumerate(names):
            both = is_said & (features[:, place] > 0)
            has_rows = both.sum() >= support.rows and len(_sources(said, both)) >= support.sources
            is_silent = means[place] < 0 and counts[name] >= support.concept_rows
            is_sure = abs(means[place]) >= max(support.least_effect, support.least_sure * sds[place])
            if is_sure and (has_rows if means[place] > 0 else is_silent) and _fits(lexicon, side, phrase, name):
                learned = Learned(round(float(means[place]), 3), round(float(sds[place]), 3), int(both.sum()))
                effects.setdefault(name, {})[phrase] = learned
    return Evidence("people", {side: effects})


def map_effects(features: Array, said: Array, prior: Array, weights: Array, prior_sd: float) -> tuple[Array, Array]:
    """Means and standard deviations [C] of the effects, for `features` [N, C], `said` [N] (0 or 1), `prior` gains [N].

    Newton's method on the weighted log posterior; the bias has no prior.
    """
    columns = np.concatenate([np.ones((len(said), 1)), SHARPNESS * features], axis=1)
    precision = np.full(columns.shape[1], 1.0 / prior_sd**2)
    precision[0] = _FLATTEST
    effects = np.zeros(columns.shape[1])
    rate = np.clip((weights * said).sum() / weights.sum(), 1e-4, 1 - 1e-4)
    effects[0] = np.log(rate / (1 - rate)) - SHARPNESS * float(prior.mean())
    for _ in range(_NEWTON_STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(columns @ effects + SHARPNESS * prior, -30, 30)))
        slope = columns.T @ (weights * (said - chance)) - precision * effects
        bend = (columns * (weights * chance * (1 - chance))[:, None]).T @ columns + np.diag(precision)
        step = np.linalg.solve(bend, slope)
        effects = effects + step
        if np.abs(step).max() < 1e-6:
            break
    return effects[1:], np.sqrt(np.diag(np.linalg.inv(bend)))[1:]


def _fits(lexicon: Lexicon, side: Side, phrase: str, concept: str) -> bool:
    """False for limbs of a sky: bodies are learned only where the tables have them."""
    known = lexicon.knowledge
    if known.phrases[side][phrase].kind != "anatomy":
        return True
    return any(phrase in known.concepts[name].effects[side] for name in known.lineage(concept))


def _effects_of(lexicon: Lexicon, side: Side, phrase: str, names: Sequence[str]) -> Array:
    concepts = lexicon.knowledge.concepts
    return np.array([concepts[name].effects[side].get(phrase, 0.0) for name in names])


def _sources(said: Sequence[Said], chosen: Array) -> set[str]:
    return {row.source for row, is_chosen in zip(said, chosen.tolist(), strict=True) if is_chosen}
