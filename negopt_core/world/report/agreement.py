"""Do two runs of `world report` tell the same? Their figures side by side, as Markdown."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import ModelError
from ..measure import Estimate
from .arms import NONE
from .tables import table

_INTERVAL = re.compile(r"(-?\d+\.\d+) ± (\d+\.\d+)")
_ALIKE = ("weights", "settings.steps", "settings.guidance_scale")
"""What two reports must share to be about the same thing."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One figure in both reports."""

    name: str
    first: Estimate
    second: Estimate

    @property
    def agrees(self) -> bool:
        """Within the joined half widths: two runs on different prompts do so 95 times in 100 if nothing differs."""
        reach = math.hypot(self.first.half_width, self.second.half_width)
        return abs(self.first.mean - self.second.mean) <= reach


def compare_reports(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[list[Pair], str]:
    """Every difference to none (R) that both reports hold, and the comparison as Markdown.

    Takes two `world-report.json`. ModelError if one is none, or if they measure other weights or sample otherwise.
    """
    try:
        _check_alike(first, second)
        arms = list(_arms(first["arms"], second["arms"]))
        checks = list(_checks(first["checks"], second["checks"]))
        lines = [f"- {_sizes(report)}" for report in (first, second)]
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"that is no world-report.json of `world report`: {error!r}") from error
    agreeing = sum(pair.agrees for pair in arms)
    apart = [[pair.name, str(pair.first), str(pair.second)] for pair in arms if not pair.agrees]
    parts = [
        "\n".join(lines),
        f"{agreeing} of {len(arms)} gains in R over no words agree: they are no further apart than the root of the "
        "summed squares of their half widths, as 95 of 100 would be by chance.",
        *([table(["those apart", "first", "second"], apart)] if apart else []),
        table(["what must be true", "first", "second", "agree"], checks),
    ]
    return arms, "\n\n".join(parts)


def _check_alike(first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
    for path in _ALIKE:
        one, other = (_at(report, path) for report in (first, second))
        if one != other:
            raise ModelError(f"the reports cannot be compared: {path} is {one} in the first and {other} in the second")


def _at(report: Mapping[str, Any], path: str) -> Any:
    for part in path.split("."):
        report = report[part]
    return report


def _sizes(report: Mapping[str, Any]) -> str:
    settings = report["settings"]
    return f"seed {settings['seed']}: {settings['prompts']} prompts x {settings['seeds']} noises an arm"


def _arms(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Pair]:
    for name, told in first.items():
        if name in second and name != NONE:
            yield Pair(name, Estimate(**told["R to none"]), Estimate(**second[name]["R to none"]))


def _checks(first: list[Mapping[str, Any]], second: list[Mapping[str, Any]]) -> Iterator[list[str]]:
    """The reports' own list of what must be true, row by row; by intervals where there are some, else by verdict."""
    others = {check["what"]: check for check in second}
    for check in first:
        other = others.get(check["what"])
        if other is None:
            yield [check["what"], check["measured"], "(not there)", ""]
            continue
        ones, twos = (_INTERVAL.findall(one["measured"]) for one in (check, other))
        estimates = [
            Pair("", Estimate(float(a), float(b)), Estimate(float(c), float(d)))
            for (a, b), (c, d) in zip(ones, twos, strict=False)
        ]
        agrees = all(pair.agrees for pair in estimates) if estimates else check["met"] == other["met"]
        yield [check["what"], check["measured"], other["measured"], "yes" if agrees else "**no**"]
