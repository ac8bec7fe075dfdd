"""`audit`: does my negative do anything? Each phrase's effect on the pictures of one's own model."""

from __future__ import annotations

import logging
from typing import Any

from ..lab.tune.settings import AuditRun
from ..text.df_text import format_prompt
from ..text.prompt import DFPrompt, Span, Window
from . import Command, Result


def run(settings: AuditRun) -> Result | None:
    """Paint, judge, say what each phrase does."""
    from ..lab.jobs.processes import joined
    from ..lab.tune.run import run_audit

    with joined() as processes:
        logging.getLogger("negopt").setLevel(logging.INFO if processes.is_leader else logging.WARNING)
        report = run_audit(settings, processes)
    if report is None:
        return None
    if "plan" in report:
        return Result(report, cost_text(report["plan"]))
    lines = [effect_line(row) for row in report["phrases"]]
    lines += ["", *check_lines(report)]
    lines.append(f"can be dropped: {', '.join(report['drop']) or 'nothing that was shown'}")
    if report["undecided"]:
        lines.append(f"not decided yet: {', '.join(report['undecided'])}; more --pictures would tell")
    lines.append(f"shortened: {report['shortened'] or report['shortened_modifiers'] or '(nothing)'}")
    return Result(report, "\n".join([*lines, f"report: {report['page']}"]))


def cost_text(cost: dict[str, Any]) -> str:
    """What it takes."""
    return f"{cost['pictures']} pictures at most, {cost['seconds_a_picture']:g} s each: {cost['minutes']:g} minutes"


def effect_line(row: dict[str, Any]) -> str:
    """A phrase on one line."""
    effect = row["effect"]
    span = f"[{effect['low']:+.2f}, {effect['high']:+.2f}]" if effect["low"] is not None else ""
    return f"{_told(row)[:40]:40} {effect['value']:+.2f} {span:16} {row['verdict']:15} {row['pictures']} pictures"


def _told(row: dict[str, Any]) -> str:
    """The words, with weight and window where they have any."""
    start, end = row.get("window", (0.0, 1.0))
    return format_prompt(DFPrompt((Span(row["text"], row.get("weight", 1.0), Window(start, end)),)))


def check_lines(report: dict[str, Any]) -> list[str]:
    """The last check."""
    lines = [
        f"{name:12} reward {one['value']:.3f}" for name, one in report["means"].items() if one["value"] is not None
    ]
    for name, row in report["differences"].items():
        gap, wins = row["difference"], row["win_rate"]
        lines.append(
            f"{name:24} {gap['value']:+.3f} [{gap['low']:+.3f}, {gap['high']:+.3f}], wins {wins['value']:.2f}, "
            f"{row['pairs']} pairs"
        )
    return lines


COMMANDS = (Command("", "", AuditRun, run),)
