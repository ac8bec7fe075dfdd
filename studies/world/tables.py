"""The tables of a report, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from negopt_core.measure.statistics import Interval, mean_interval
from negopt_core.world import vocabulary as words
from studies.world import arms
from studies.world.experiments import (
    APPENDED,
    RULES,
    RULES_PLAIN,
    SCHEDULED,
    SEARCHED,
    SEARCHED_FIXED,
    Findings,
    scheduled_words,
)
from studies.world.figures import (
    Check,
    alignment_gain,
    best_window,
    distance_from_data,
    own_fault,
    own_virtue,
    quality_gain,
    reward_gain,
)
from studies.world.outcome import Outcome

_EXAMPLES = 8
_LATE = 0.4


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def check_table(found: list[Check]) -> str:
    """What must be true, and whether it is."""
    rows = [[check.what, check.bar, check.measured, "yes" if check.met else "**no**"] for check in found]
    return table(["what must be true", "bar", "measured", "met"], rows)


def negative_table(findings: Findings) -> str:
    """Whole negatives against none."""
    names = [*arms.FIXED, SEARCHED_FIXED, SEARCHED, RULES, RULES_PLAIN, *arms.IRRELEVANT]
    names += ["every modifier", "what the prompt asks for"]
    plain = findings.outcomes[arms.NONE]
    first = [arms.NONE, str(mean_interval(plain.mean_quality)), "", str(mean_interval(plain.alignment)), "", ""]
    head = ["negative", "quality (1-10)", "to none", "alignment (0-1)", "to none", "R to none"]
    return table(head, [first, *(_negative_row(name, findings.outcomes[name], plain) for name in names)])


def _negative_row(name: str, outcome: Outcome, plain: Outcome) -> list[str]:
    return [
        name,
        str(mean_interval(outcome.mean_quality)),
        str(quality_gain(outcome, plain)),
        str(mean_interval(outcome.alignment)),
        str(alignment_gain(outcome, plain)),
        str(reward_gain(outcome, plain)),
    ]


def example_table(findings: Findings) -> str:
    """What the search chose for the first prompts."""
    rows = list(zip(findings.prompts, findings.searched, strict=True))[:_EXAMPLES]
    fixed = ", ".join(findings.gains.choose()) or "none"
    return table(["prompt", "searched negative"], [["*any, one for all*", fixed], *rows])


def word_table(findings: Findings) -> str:
    """Each word alone in the negative."""
    plain, found = findings.outcomes[arms.NONE], findings.outcomes
    rows = []
    for index, synonyms in enumerate(words.DEGRADATIONS.values()):
        for word in synonyms:
            rate = f"{float(plain.faults[..., index].mean()):.2f}"
            gains = (own_fault(word, found), quality_gain(found[word], plain), alignment_gain(found[word], plain))
            rows.append([word, rate, *map(str, gains)])
    return table(["negative", "its fault without it", "change of the fault", "quality", "alignment"], rows)


def delay_tables(findings: Findings) -> str:
    """R against none for negatives that begin later, and whether waiting is better."""
    plain, found = findings.outcomes[arms.NONE], findings.outcomes
    names = {findings.best_fixed: arms.STARTS} | {word: (0.0, 0.2, _LATE) for word in words.DEGRADATIONS}
    rows = []
    for name, starts in names.items():
        gains = [
            str(reward_gain(found[arms.delayed(name, start)], plain)) if start in starts else ""
            for start in arms.STARTS
        ]
        waiting = reward_gain(found[arms.delayed(name, _LATE)], found[arms.delayed(name, 0.0)])
        rows.append([name, *gains, _told(waiting)])
    at_once, later = (str(reward_gain(found[name], plain)) for name in (RULES_PLAIN, RULES))
    waiting = reward_gain(found[RULES], found[RULES_PLAIN])
    rows.append([f"{RULES}: surface words from 20%", at_once, "", later, "", "", f"20%: {_told(waiting)}"])
    head = ["R to none; negative acts from", *(f"{start:.0%}" for start in arms.STARTS), f"{_LATE:.0%} to 0%"]
    return table(head, rows)


def _told(waiting: Interval) -> str:
    return f"{waiting}, better" if waiting.low > 0 else str(waiting)


def timing_table(findings: Findings) -> str:
    """Each modifier in each window, R against none."""
    plain, found = findings.outcomes[arms.NONE], findings.outcomes
    rows = []
    for word in words.ENHANCEMENTS:
        gains = [str(reward_gain(found[arms.timed(word, window)], plain)) for window in arms.WINDOWS]
        best, clear = best_window(word, found)
        rows.append([word, *gains, best + (", clearly" if clear else ""), findings.windows[word]])
    chosen = ", ".join(scheduled_words(findings.windows))
    for name, when in ((APPENDED, "all steps"), (SCHEDULED, "each in its window")):
        rows.append([f"{chosen}: {when}", str(reward_gain(found[name], plain)), "", "", "", ""])
    return table(["R to none", *arms.WINDOWS, "best here", "best in the search"], rows)


def weight_table(findings: Findings) -> str:
    """Probability of each enhancement, and alignment, by weight."""
    found = findings.outcomes
    rows = [
        [word]
        + [
            f"{own_virtue(name, word, found):.2f} / {float(found[name].alignment.mean()):.2f}"
            for name in (arms.weighted(word, weight) for weight in arms.WEIGHTS)
        ]
        for word in words.ENHANCEMENTS
    ]
    return table(["seen / alignment, at weight", *(f"{weight:g}" for weight in arms.WEIGHTS)], rows)


def judge_table(found: dict[str, dict[str, float]]) -> str:
    """Both judges on rendered scenes they have not seen."""
    rows = [[key, f"{found['eval'][key]:.3f}", f"{found['reward'][key]:.3f}"] for key in found["eval"]]
    return table(["measure", "eval judge", "reward judge"], rows)


def distance_table(painted: Outcome, rendered: Outcome) -> str:
    """Plain samples beside the world's own pictures."""
    rows = [[name, f"{one:.2f}", f"{two:.2f}"] for name, (one, two) in distance_from_data(painted, rendered).items()]
    return table(["", "painted, no negative", "rendered scenes of the same content"], rows)
