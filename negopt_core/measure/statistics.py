"""Paired comparison of two arms over prompts: means, differences, effect sizes, win rates, all with intervals.

A prompt is the independent item: its seeds are averaged first, so more seeds make a prompt's value steadier but do not
count as more evidence. Intervals are percentile bootstraps over prompts; p is a sign-flip randomisation test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

Values = NDArray[numpy.float64]

CONFIDENCE = 0.95
DRAWS = 10_000
_CHUNK = 2_000_000
"""Numbers drawn at a time: bounds the memory of large prompt sets."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its 95 % interval; NaN where there is too little to say."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One arm against another on one metric."""

    prompts: int
    """Prompts with at least one seed that counts."""
    pairs: int
    """Pictures compared: prompt and seed finite in both arms."""
    excluded: int
    """Prompt and seed pairs left out because a score is not a finite number."""
    difference: Interval
    """Mean of arm minus reference."""
    effect: float
    """Cohen's d for paired samples: mean difference over its standard deviation across prompts."""
    win_rate: Interval
    """Share of prompts on which the arm is better, ties counting half."""
    p: float
    """Two-sided sign-flip test of no difference."""


def prompt_means(scores: Values) -> Values:
    """[P, S] scores, NaN where there is none -> [Q] means of the Q prompts that have any."""
    finite = numpy.isfinite(scores)
    kept = finite.any(axis=1)
    sums = numpy.where(finite, scores, 0.0).sum(axis=1)
    means: Values = sums[kept] / finite.sum(axis=1)[kept]
    return means


def mean_interval(scores: Values, seed: int = 0) -> Interval:
    """Mean over prompts of [P, S] scores."""
    return bootstrap_mean(prompt_means(scores), seed)


def compare(arm: Values, reference: Values, higher_is_better: bool = True, seed: int = 0) -> Comparison:
    """Compare two arms' scores [P, S] with the same prompts and seeds at the same places."""
    differences = arm - reference
    means = prompt_means(differences)
    finite = numpy.isfinite(differences)
    better = means if higher_is_better else -means
    wins = (better > 0).astype(numpy.float64) + 0.5 * (better == 0)
    return Comparison(
        prompts=len(means),
        pairs=int(finite.sum()),
        excluded=int((~finite).sum()),
        difference=bootstrap_mean(means, seed),
        effect=effect_size(means),
        win_rate=bootstrap_mean(wins, seed),
        p=sign_flip_p(means, seed),
    )


def effect_size(differences: Values) -> float:
    """Mean over standard deviation; 0 where nothing differs, NaN below two prompts or where all differ alike."""
    if len(differences) < 2:
        return float("nan")
    spread = float(differences.std(ddof=1))
    mean = float(differences.mean())
    if spread > 1e-12 * max(abs(mean), 1.0):
        return mean / spread
    return 0.0 if mean == 0.0 else float("nan")


def bootstrap_mean(values: Values, seed: int = 0, draws: int = DRAWS) -> Interval:
    """Percentile bootstrap of the mean of [N] values."""
    if len(values) == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    mean = float(values.mean())
    if len(values) == 1:
        return Interval(mean, float("nan"), float("nan"))
    rng = numpy.random.default_rng(seed)
    means = _resampled(values, draws, lambda count: values[rng.integers(0, len(values), (count, len(values)))])
    tail = 50 * (1 - CONFIDENCE)
    low, high = numpy.percentile(means, [tail, 100 - tail])
    return Interval(mean, float(low), float(high))


def sign_flip_p(differences: Values, seed: int = 0, draws: int = DRAWS) -> float:
    """How often random signs give a mean at least as far from 0; NaN below two prompts."""
    if len(differences) < 2:
        return float("nan")
    rng = numpy.random.default_rng(seed)
    size = len(differences)
    means = _resampled(differences, draws, lambda count: differences * rng.choice((-1.0, 1.0), (count, size)))
    bar = abs(float(differences.mean())) * (1 - 1e-9)
    return float(((numpy.abs(means) >= bar).sum() + 1) / (draws + 1))


def _resampled(values: Values, draws: int, draw: Callable[[int], Values]) -> Values:
    at_once = max(1, _CHUNK // len(values))
    counts = [min(at_once, draws - done) for done in range(0, draws, at_once)]
    return numpy.concatenate([draw(count).mean(axis=1) for count in counts])


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment for a family of tests; NaN is no test and stays NaN."""
    tested = sorted((p, place) for place, p in enumerate(p_values) if p == p)
    adjusted = list(p_values)
    highest = 0.0
    for rank, (p, place) in enumerate(tested):
        highest = max(highest, min(1.0, p * (len(tested) - rank)))
        adjusted[place] = highest
    return adjusted
