"""Paired comparison of two arms over prompts: means, differences, effect sizes, win rates, all with intervals.

A prompt is the independent item: its seeds are averaged first, so more seeds make a prompt's value steadier but do not
count as more evidence. Every 95 % interval in negopt is Student's over independent items (`mean_interval`), be they a
handful of seeds or hundreds of prompts; p is a sign-flip randomisation test, which assumes no distribution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

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

    def __str__(self) -> str:
        """`1.50 ± 0.21`."""
        return f"{self.value:.2f} ± {self.high - self.value:.2f}"

    def plain(self) -> dict[str, float | None]:
        """For JSON: value, low and high, None for what is not a finite number."""
        ends = {"value": self.value, "low": self.low, "high": self.high}
        return {name: end if math.isfinite(end) else None for name, end in ends.items()}


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


def mean_interval(values: Values | Tensor | Sequence[float], is_share: bool = False) -> Interval:
    """Mean of [N] independent values with Student's 95 % interval; NaN ends below two values, all NaN for none.

    `is_share` says that the mean is a share: its interval ends at 0 and 1.
    """
    items = numpy.asarray(values, dtype=numpy.float64)
    count = len(items)
    mean = float(items.mean()) if count else math.nan
    if count < 2:
        return Interval(mean, math.nan, math.nan)
    half = student_quantile(count - 1) * float(items.std(ddof=1)) / math.sqrt(count)
    low, high = mean - half, mean + half
    return Interval(mean, max(low, 0.0), min(high, 1.0)) if is_share else Interval(mean, low, high)


@cache
def student_quantile(freedom: int) -> float:
    """97.5 % quantile of Student's t with 1 or more degrees of freedom: 12.706 down to 1.960."""
    low, high = 1.0, 13.0
    for _ in range(50):  # halves the bracket down to the last bits
        middle = (low + high) / 2
        low, high = (middle, high) if _student_within(middle, freedom) < CONFIDENCE else (low, middle)
    return (low + high) / 2


def _student_within(bar: float, freedom: int) -> float:
    """P(|t| < bar), as the finite series of Abramowitz and Stegun 26.7.3 and 26.7.4."""
    angle = math.atan(bar / math.sqrt(freedom))
    cosine = math.cos(angle)
    is_odd = freedom % 2
    term, total = (cosine, 0.0) if is_odd else (1.0, 0.0)
    for power in range(1 + is_odd, freedom, 2):
        total += term
        term *= cosine**2 * power / (power + 1)
    sine = math.sin(angle)
    return (angle + sine * total) * 2 / math.pi if is_odd else sine * total


def compare(arm: Values, reference: Values, higher_is_better: bool = True, seed: int = 0) -> Comparison:
    """Compare two arms' scores [P, S] with the same prompts and seeds at the same places; `seed` is for p."""
    differences = arm - reference
    means = prompt_means(differences)
    finite = numpy.isfinite(differences)
    better = means if higher_is_better else -means
    wins = (better > 0).astype(numpy.float64) + 0.5 * (better == 0)
    return Comparison(
        prompts=len(means),
        pairs=int(finite.sum()),
        excluded=int((~finite).sum()),
        difference=mean_interval(means),
        effect=effect_size(means),
        win_rate=mean_interval(wins, is_share=True),
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


def sign_flip_p(differences: Values, seed: int = 0, draws: int = DRAWS) -> float:
    """How often random signs give a mean at least as far from 0; NaN below two prompts."""
    if len(differences) < 2:
        return float("nan")
    rng = numpy.random.default_rng(seed)
    size = len(differences)
    at_once = max(1, _CHUNK // size)
    bar = abs(float(differences.mean())) * (1 - 1e-9)
    extreme = 0
    for done in range(0, draws, at_once):
        signs = rng.choice((-1.0, 1.0), (min(at_once, draws - done), size))
        extreme += int((numpy.abs((differences * signs).mean(axis=1)) >= bar).sum())
    return (extreme + 1) / (draws + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment for a family of tests; NaN is no test and stays NaN."""
    tested = sorted((p, place) for place, p in enumerate(p_values) if p == p)
    adjusted = list(p_values)
    highest = 0.0
    for rank, (p, place) in enumerate(tested):
        highest = max(highest, min(1.0, p * (len(tested) - rank)))
        adjusted[place] = highest
    return adjusted
