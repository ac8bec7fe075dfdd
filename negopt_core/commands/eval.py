"""`eval`: ways of writing side by side, on the same prompts and noise, as figures and as a page."""

from __future__ import annotations

import logging
from typing import Any

from ..lab.compare.settings import EvalRun, make_run
from . import Command, Result

_BRIEF = ("reference", "results", "sets", "absent", "votes", "notes")
"""What --json prints of the report."""


def run(settings: EvalRun) -> Result | None:
    """Compare, and say what was found; only the first of several processes speaks."""
    from ..lab.compare.run_eval import PAGE, REPORT, run_eval
    from ..lab.jobs.processes import joined

    with joined() as processes:
        logging.getLogger("negopt").setLevel(logging.INFO if processes.is_leader else logging.WARNING)
        report = run_eval(settings, processes)
    if report is None:
        return None
    page = str(settings.output / PAGE)
    values = {"json": str(settings.output / REPORT), "html": page, **{name: report[name] for name in _BRIEF}}
    return Result(values, "\n".join([*_table(report), "", *report["notes"], f"report: {page}"]))


def _table(report: dict[str, Any]) -> list[str]:
    """The results as lines for a terminal."""
    lines = []
    width = max(len(arm["name"]) for arm in report["arms"])
    for metric in report["metrics"]:
        lines.append(metric["name"])
        for row in report["results"]:
            if row["metric"] == metric["name"]:
                lines.append(f"  {row['arm']:{width}}  {_shown(row['mean'])}{_compared(row)}")
    lines += [
        f"{row['metric']}  {row['arm']}: {row['value']:.3f}" for row in report["sets"] if row["value"] is not None
    ]
    return [*lines, *(f"{name} is not measured: {why}" for name, why in report["absent"].items())]


def _compared(row: dict[str, Any]) -> str:
    if "difference" not in row:
        return "  (reference)"
    p = "-" if row["p_holm"] is None else f"{row['p_holm']:.3f}"
    return f"  difference {_shown(row['difference'])}  win rate {_shown(row['win_rate'])}  p (Holm) {p}"


def _shown(found: dict[str, Any]) -> str:
    if found["value"] is None:
        return "-"
    span = "" if found["low"] is None else f" [{found['low']:.3f}, {found['high']:.3f}]"
    return f"{found['value']:.3f}{span}"


COMMANDS = (Command("", "", EvalRun, run, make_run),)
