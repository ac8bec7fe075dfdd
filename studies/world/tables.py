"""The tables of the world's report, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from negopt_core.measure.statistics import Interval, mean_interval
from negopt_core.world import vocabulary as words
from studies.document import table
from studies.world import arms
from studies.world.experiments import (
    AGAINST,
    APPENDED,
    EVERY_MODIFIER,
    RULES,
    RULES_PLAIN,
    SCHEDULED,
    SEARCHED,
    SEARCHED_FIXED,
    WorldResults,
    scheduled_words,
)
from studies.world.figures import Check, best_window, distance_from_data, own_fault, own_virtue
from studies.world.scores import Scores, gain

_EXAMPLES = 8
_LATE = 0.4


def check_table(checks: Sequence[Check]) -> str:
    """What must be true, and whether it is."""
    rows = [[check.what, check.bar, check.measured, "yes" if check.met else "**no**"] for check in checks]
    return table(["what must be true", "bar", "measured", "met"], rows)


def negative_table(results: WorldResults) -> str:
    """Whole negatives against none."""
    names = [*arms.FIXED, SEARCHED_FIXED, SEARCHED, RULES, RULES_PLAIN, *arms.IRRELEVANT, EVERY_MODIFIER, AGAINST]
    plain = results.arms[arms.NONE]
    rows = [[arms.NONE, str(mean_interval(plain.mean_quality)), "", str(mean_interval(plain.alignment)), "", ""]]
    for name in names:
        arm = results.arms[name]
        quality, alignment = mean_interval(arm.mean_quality), mean_interval(arm.alignment)
        gains = [gain(arm, plain, measure) for measure in ("mean_quality", "alignment", "reward")]
        rows.append([name, *map(str, (quality, gains[0], alignment, *gains[1:]))])
    return table(["negative", "quality (1-10)", "to none", "alignment (0-1)", "to none", "R to none"], rows)


def example_table(results: WorldResults) -> str:
    """What the search chose for the first prompts."""
    rows = list(zip(results.prompts, results.searched, strict=True))[:_EXAMPLES]
    fixed = ", ".join(results.gains.choose()) or "none"
    return table(["prompt", "searched negative"], [["*any, one for all*", fixed], *rows])


def word_table(results: WorldResults) -> str:
    """Each word alone in the negative."""
    plain = results.arms[arms.NONE]
    rows = []
    for index, synonyms in enumerate(words.DEGRADATIONS.values()):
        rate = f"{float(plain.faults[..., index].mean()):.2f}"
        for word in synonyms:
            quality, alignment = (gain(results.arms[word], plain, name) for name in ("mean_quality", "alignment"))
            rows.append([word, rate, *map(str, (own_fault(word, results.arms), quality, alignment))])
    return table(["negative", "its fault without it", "change of the fault", "quality", "alignment"], rows)


def delay_tables(results: WorldResults) -> str:
    """R against none for negatives that begin later, and whether waiting is better."""
    plain, by_arm = results.arms[arms.NONE], results.arms
    starts = {results.best_fixed: arms.STARTS} | {word: (0.0, 0.2, _LATE) for word in words.DEGRADATIONS}
    rows = []
    for name, painted in starts.items():
        gains = [
            str(gain(by_arm[arms.delayed(name, start)], plain)) if start in painted else "" for start in arms.STARTS
        ]
        rows.append([name, *gains, _waiting(gain(by_arm[arms.delayed(name, _LATE)], by_arm[name]))])
    at_once, later = (str(gain(by_arm[name], plain)) for name in (RULES_PLAIN, RULES))
    waiting = _waiting(gain(by_arm[RULES], by_arm[RULES_PLAIN]))
    rows.append([f"{RULES}: surface words from 20%", at_once, "", later, "", "", f"20%: {waiting}"])
    head = ["R to none; negative acts from", *(f"{start:.0%}" for start in arms.STARTS), f"{_LATE:.0%} to 0%"]
    return table(head, rows)


def _waiting(difference: Interval) -> str:
    return f"{difference}, better" if difference.low > 0 else str(difference)


def timing_table(results: WorldResults) -> str:
    """Each modifier in each window, R against none."""
    plain, by_arm = results.arms[arms.NONE], results.arms
    rows = []
    for word in words.ENHANCEMENTS:
        gains = [str(gain(by_arm[arms.timed(word, window)], plain)) for window in arms.WINDOWS]
        best, is_clear = best_window(word, by_arm)
        rows.append([word, *gains, best + (", clearly" if is_clear else ""), results.windows[word]])
    chosen = ", ".join(scheduled_words(results.windows))
    for name, when in ((APPENDED, "all steps"), (SCHEDULED, "each in its window")):
        rows.append([f"{chosen}: {when}", str(gain(by_arm[name], plain)), "", "", "", ""])
    return table(["R to none", *arms.WINDOWS, "best here", "best in the search"], rows)


def weight_table(results: WorldResults) -> str:
    """Probability of each enhancement, and alignment, by weight."""

    def cell(word: str, weight: float) -> str:
        name = arms.weighted(word, weight)
        return f"{own_virtue(name, word, results.arms):.2f} / {float(results.arms[name].alignment.mean()):.2f}"

    rows = [[word, *(cell(word, weight) for weight in arms.WEIGHTS)] for word in words.ENHANCEMENTS]
    return table(["seen / alignment, at weight", *(f"{weight:g}" for weight in arms.WEIGHTS)], rows)


def judge_table(judges: Mapping[str, Mapping[str, float]]) -> str:
    """Both judges on rendered scenes they have not seen."""
    rows = [[key, f"{judges['eval'][key]:.3f}", f"{judges['reward'][key]:.3f}"] for key in judges["eval"]]
    return table(["measure", "eval judge", "reward judge"], rows)


def distance_table(painted: Scores, rendered: Scores) -> str:
    """Plain samples beside the world's own pictures."""
    rows = [[name, f"{one:.2f}", f"{two:.2f}"] for name, (one, two) in distance_from_data(painted, rendered).items()]
    return table(["", "painted, no negative", "rendered scenes of the same content"], rows)
