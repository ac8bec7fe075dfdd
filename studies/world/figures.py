"""The bars that the world has to clear, and the numbers behind them: paired differences with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from negopt_core.lab.make_world.measure import ATTRIBUTES
from negopt_core.measure.statistics import Interval, mean_interval
from negopt_core.scorers.fidelity import inception_score
from negopt_core.world import vocabulary as words
from studies.world import arms
from studies.world.experiments import (
    AGAINST,
    APPENDED,
    EVERY_MODIFIER,
    SCHEDULED,
    SEARCHED,
    WorldResults,
    scheduled_words,
)
from studies.world.scores import Scores, gain

JUDGE_BARS = {"quality R2": 0.9, "accuracy": 0.95, "AUC": 0.97}

ByArm = Mapping[str, Scores]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be true of the world."""

    what: str
    bar: str
    measured: str
    met: bool


def own_fault(word: str, by_arm: ByArm) -> Interval:
    """Paired difference to none of how often the judge sees the fault that a word names."""
    index = next(i for i, synonyms in enumerate(words.DEGRADATIONS.values()) if word in synonyms)
    with_word, without = (by_arm[name].faults[..., index].mean(dim=1) for name in (word, arms.NONE))
    return mean_interval(with_word - without)


def own_virtue(name: str, word: str, by_arm: ByArm) -> float:
    """Mean probability of the enhancement `word` in the arm `name`."""
    return float(by_arm[name].better[..., list(words.ENHANCEMENTS).index(word)].mean())


def is_monotone(word: str, by_arm: ByArm) -> bool:
    """Does the probability of an enhancement grow with each weight?"""
    levels = [own_virtue(arms.weighted(word, weight), word, by_arm) for weight in arms.WEIGHTS]
    return all(low < high for low, high in pairwise(levels))


def overweight_cost(word: str, by_arm: ByArm) -> Interval:
    """Paired difference of alignment between the largest weight and 1."""
    heaviest, plain = (by_arm[arms.weighted(word, weight)] for weight in (arms.WEIGHTS[-1], 1.0))
    return gain(heaviest, plain, "alignment")


def best_window(word: str, by_arm: ByArm) -> tuple[str, bool]:
    """The window with the highest R, and whether both others are below it by more than their intervals."""
    by_window = {window: by_arm[arms.timed(word, window)] for window in arms.WINDOWS}
    best = max(by_window, key=lambda window: float(by_window[window].reward.mean()))
    gaps = [gain(by_window[best], other) for window, other in by_window.items() if window != best]
    return best, all(gap.low > 0.0 for gap in gaps)


def checks(results: WorldResults, judge: Mapping[str, float]) -> list[Check]:
    """Every bar of this world, in order; `judge` are the eval judge's figures on rendered scenes."""
    return [
        *_recognisable(results),
        *_negatives(results),
        *_vocabulary(results.arms),
        *_timing(results),
        *_weights(results.arms),
        *_judged(judge),
    ]


def _recognisable(results: WorldResults) -> list[Check]:
    hits = results.arms[arms.NONE].hits
    bars = zip(ATTRIBUTES, (0.9, 0.9, 0.9, 0.75, 0.9), strict=True)
    rows = [(f"{head} found in plain pictures", bar, hits[..., i].mean(1)) for i, (head, bar) in enumerate(bars)]
    rows.append(("both of two objects found", 0.55, results.two_objects.second.mean(1)))
    shares = [(what, bar, mean_interval(values)) for what, bar, values in rows]
    return [Check(what, f"at least {bar:.2f}", str(share), share.value >= bar) for what, bar, share in shares]


def _negatives(results: WorldResults) -> list[Check]:
    best, plain = results.arms[results.best_fixed], results.arms[arms.NONE]
    quality, alignment = gain(best, plain, "mean_quality"), gain(best, plain, "alignment")
    margin = gain(results.arms[SEARCHED], best)
    return [
        Check(f"best fixed (`{results.best_fixed}`): quality", "at least +1.0", str(quality), quality.value >= 1.0),
        Check("the same: alignment not lower", "interval reaches 0", str(alignment), alignment.high >= 0.0),
        Check(
            "a negative for each prompt over the best fixed one: R",
            "at least +0.4, interval above 0",
            str(margin),
            margin.value >= 0.4 and margin.low > 0.0,
        ),
    ]


def _vocabulary(by_arm: ByArm) -> list[Check]:
    plain, count = by_arm[arms.NONE], len(arms.SYNONYMS)
    working = sum(own_fault(word, by_arm).high < 0.0 for word in arms.SYNONYMS)
    idle = [gain(by_arm[name], plain) for name in arms.IRRELEVANT]
    reach = all(one.low <= 0.0 <= one.high for one in idle)
    harmful = gain(by_arm[EVERY_MODIFIER], plain, "mean_quality")
    against = gain(by_arm[AGAINST], plain, "alignment")
    return [
        Check("words that lower their own fault", "all 20", f"{working} of {count}", working == count),
        Check("irrelevant words change nothing: R", "intervals reach 0", ", ".join(map(str, idle)), reach),
        Check("modifiers in the negative hurt: quality", "below 0", str(harmful), harmful.high < 0.0),
        Check("negating what is asked for hurts: alignment", "below 0", str(against), against.high < 0.0),
    ]


def _timing(results: WorldResults) -> list[Check]:
    windows = {word: best_window(word, results.arms) for word in words.ENHANCEMENTS}
    apart = [word for word, (_, is_clear) in windows.items() if is_clear]
    late, early = ([word for word in apart if windows[word][0] == name] for name in ("last half", "first half"))
    chosen = ", ".join(scheduled_words(results.windows))
    margin = gain(results.arms[SCHEDULED], results.arms[APPENDED])
    return [
        Check("modifiers with one clearly best window", "at least 3", ", ".join(apart) or "none", len(apart) >= 3),
        Check("best late", "at least 1", ", ".join(late) or "none", bool(late)),
        Check("best early", "at least 1", ", ".join(early) or "none", bool(early)),
        Check(f"{chosen}: each in its window over all steps: R", "at least +0.3", str(margin), margin.value >= 0.3),
    ]


def _weights(by_arm: ByArm) -> list[Check]:
    growing = [word for word in words.ENHANCEMENTS if is_monotone(word, by_arm)]
    costly = [word for word in words.ENHANCEMENTS if overweight_cost(word, by_arm).high < 0.0]
    most = len(words.ENHANCEMENTS) // 2 + 1
    return [
        Check("effect grows with each weight", f"at least {most}", ", ".join(growing) or "none", len(growing) >= most),
        Check("weight 1.5 costs alignment", f"at least {most}", ", ".join(costly) or "none", len(costly) >= most),
    ]


def _judged(judge: Mapping[str, float]) -> list[Check]:
    weakest = {
        kind: min(((value, key) for key, value in judge.items() if kind in key), key=lambda one: one[0])
        for kind in JUDGE_BARS
    }
    return [
        Check(
            f"judge, weakest {kind}",
            f"at least {bar}",
            f"{weakest[kind][0]:.3f} ({weakest[kind][1]})",
            weakest[kind][0] >= bar,
        )
        for kind, bar in JUDGE_BARS.items()
    ]


def distance_from_data(painted: Scores, rendered: Scores) -> dict[str, tuple[float, float]]:
    """Plain samples beside rendered scenes of the same content: Inception Score, quality, alignment, faults."""
    measures: dict[str, Callable[[Scores], float]] = {
        "Inception-style score (36 classes)": lambda one: inception_score(one.posteriors.flatten(0, 1))[0],
        "quality": lambda one: float(one.quality.mean()),
        "alignment": lambda one: float(one.hits.mean()),
        "faults in a picture": lambda one: float(one.faults.sum(-1).mean()),
    }
    return {name: (measure(painted), measure(rendered)) for name, measure in measures.items()}
