"""Numbers from verdicts: paired differences with intervals, and the bars that the world has to clear."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from negopt_core.lab.make_world.measure import ATTRIBUTES
from negopt_core.measure.statistics import Interval, mean_interval
from negopt_core.scorers.fidelity import inception_score
from negopt_core.world import vocabulary as words
from studies.world import arms
from studies.world.experiments import APPENDED, SCHEDULED, SEARCHED, Findings, scheduled_words
from studies.world.outcome import Outcome

JUDGE_BARS = {"quality R2": 0.9, "accuracy": 0.95, "AUC": 0.97}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be true of the world."""

    what: str
    bar: str
    measured: str
    met: bool


def quality_gain(one: Outcome, other: Outcome) -> Interval:
    """Paired difference of quality over prompts."""
    return mean_interval(one.mean_quality - other.mean_quality)


def alignment_gain(one: Outcome, other: Outcome) -> Interval:
    """Paired difference of alignment over prompts."""
    return mean_interval(one.alignment - other.alignment)


def reward_gain(one: Outcome, other: Outcome) -> Interval:
    """Paired difference of R = quality + 3 alignment over prompts."""
    return mean_interval(one.reward - other.reward)


def own_fault(word: str, outcomes: dict[str, Outcome]) -> Interval:
    """Paired difference to none of how often the judge sees the fault that a word names."""
    index = next(i for i, pair in enumerate(words.DEGRADATIONS.values()) if word in pair)
    with_word, without = (outcomes[name].faults[..., index].mean(dim=1) for name in (word, arms.NONE))
    return mean_interval(with_word - without)


def own_virtue(name: str, word: str, outcomes: dict[str, Outcome]) -> float:
    """Mean probability of the enhancement `word` in the arm `name`."""
    return float(outcomes[name].better[..., list(words.ENHANCEMENTS).index(word)].mean())


def is_monotone(word: str, outcomes: dict[str, Outcome]) -> bool:
    """Does the probability of an enhancement grow with each weight?"""
    levels = [own_virtue(arms.weighted(word, weight), word, outcomes) for weight in arms.WEIGHTS]
    return all(low < high for low, high in pairwise(levels))


def overweight_cost(word: str, outcomes: dict[str, Outcome]) -> Interval:
    """Paired difference of alignment between the largest weight and 1."""
    return alignment_gain(outcomes[arms.weighted(word, arms.WEIGHTS[-1])], outcomes[arms.weighted(word, 1.0)])


def best_window(word: str, outcomes: dict[str, Outcome]) -> tuple[str, bool]:
    """The window with the highest R, and whether both others are below it by more than their intervals."""
    by_window = {window: outcomes[arms.timed(word, window)] for window in arms.WINDOWS}
    best = max(by_window, key=lambda window: float(by_window[window].reward.mean()))
    gaps = [reward_gain(by_window[best], other) for window, other in by_window.items() if window != best]
    return best, all(gap.low > 0.0 for gap in gaps)


def checks(findings: Findings, judge: dict[str, float]) -> list[Check]:
    """Every bar of this world, in order."""
    return [
        *_recognisable(findings),
        *_negatives(findings),
        *_vocabulary(findings.outcomes),
        *_timing(findings),
        *_weights(findings.outcomes),
        *_judged(judge),
    ]


def _recognisable(findings: Findings) -> list[Check]:
    plain = findings.outcomes[arms.NONE]
    found = [
        _share(f"{head} found in plain pictures", bar, mean_interval(plain.hits[..., i].mean(1)))
        for i, (head, bar) in enumerate(zip(ATTRIBUTES, (0.9, 0.9, 0.9, 0.75, 0.9), strict=True))
    ]
    return [*found, _share("both of two objects found", 0.55, mean_interval(findings.two_objects.second.mean(1)))]


def _share(what: str, bar: float, found: Interval) -> Check:
    return Check(what, f"at least {bar:.2f}", str(found), found.value >= bar)


def _negatives(findings: Findings) -> list[Check]:
    outcomes = findings.outcomes
    best, plain = outcomes[findings.best_fixed], outcomes[arms.NONE]
    quality, alignment = quality_gain(best, plain), alignment_gain(best, plain)
    margin = reward_gain(outcomes[SEARCHED], best)
    return [
        Check(f"best fixed (`{findings.best_fixed}`): quality", "at least +1.0", str(quality), quality.value >= 1.0),
        Check("the same: alignment not lower", "interval reaches 0", str(alignment), alignment.high >= 0.0),
        Check(
            "a negative for each prompt over the best fixed one: R",
            "at least +0.4, interval above 0",
            str(margin),
            margin.value >= 0.4 and margin.low > 0.0,
        ),
    ]


def _vocabulary(outcomes: dict[str, Outcome]) -> list[Check]:
    plain = outcomes[arms.NONE]
    synonyms = [word for pair in words.DEGRADATIONS.values() for word in pair]
    working = sum(own_fault(word, outcomes).high < 0.0 for word in synonyms)
    idle = [reward_gain(outcomes[name], plain) for name in arms.IRRELEVANT]
    harmful = quality_gain(outcomes["every modifier"], plain)
    against = alignment_gain(outcomes["what the prompt asks for"], plain)
    return [
        Check("words that lower their own fault", "all 20", f"{working} of {len(synonyms)}", working == len(synonyms)),
        Check(
            "irrelevant words change nothing: R",
            "intervals reach 0",
            ", ".join(map(str, idle)),
            all(gain.low <= 0.0 <= gain.high for gain in idle),
        ),
        Check("modifiers in the negative hurt: quality", "below 0", str(harmful), harmful.high < 0.0),
        Check("negating what is asked for hurts: alignment", "below 0", str(against), against.high < 0.0),
    ]


def _timing(findings: Findings) -> list[Check]:
    found = {word: best_window(word, findings.outcomes) for word in words.ENHANCEMENTS}
    apart = [word for word, (_, clear) in found.items() if clear]
    late = [word for word in apart if found[word][0] == "last half"]
    early = [word for word in apart if found[word][0] == "first half"]
    chosen = ", ".join(scheduled_words(findings.windows))
    margin = reward_gain(findings.outcomes[SCHEDULED], findings.outcomes[APPENDED])
    return [
        Check("modifiers with one clearly best window", "at least 3", ", ".join(apart) or "none", len(apart) >= 3),
        Check("best late", "at least 1", ", ".join(late) or "none", bool(late)),
        Check("best early", "at least 1", ", ".join(early) or "none", bool(early)),
        Check(f"{chosen}: each in its window over all steps: R", "at least +0.3", str(margin), margin.value >= 0.3),
    ]


def _weights(outcomes: dict[str, Outcome]) -> list[Check]:
    growing = [word for word in words.ENHANCEMENTS if is_monotone(word, outcomes)]
    costly = [word for word in words.ENHANCEMENTS if overweight_cost(word, outcomes).high < 0.0]
    most = len(words.ENHANCEMENTS) // 2 + 1
    return [
        Check("effect grows with each weight", f"at least {most}", ", ".join(growing) or "none", len(growing) >= most),
        Check("weight 1.5 costs alignment", f"at least {most}", ", ".join(costly) or "none", len(costly) >= most),
    ]


def _judged(judge: dict[str, float]) -> list[Check]:
    found = []
    for kind, bar in JUDGE_BARS.items():
        name, value = min(((key, value) for key, value in judge.items() if kind in key), key=lambda item: item[1])
        found.append(Check(f"judge, weakest {kind}", f"at least {bar}", f"{value:.3f} ({name})", value >= bar))
    return found


def distance_from_data(painted: Outcome, rendered: Outcome) -> dict[str, tuple[float, float]]:
    """Plain samples beside rendered scenes of the same content: Inception Score, quality, alignment."""

    def score(outcome: Outcome) -> float:
        return inception_score(outcome.posteriors.flatten(0, 1))[0]

    return {
        "Inception-style score (36 classes)": (score(painted), score(rendered)),
        "quality": (float(painted.quality.mean()), float(rendered.quality.mean())),
        "alignment": (float(painted.hits.mean()), float(rendered.hits.mean())),
        "faults in a picture": (float(painted.faults.sum(-1).mean()), float(rendered.faults.sum(-1).mean())),
    }


def sample_quality_spread(outcome: Outcome) -> float:
    """Standard deviation of quality between pictures: how far one picture may lie from the means."""
    return float(outcome.quality.std())
