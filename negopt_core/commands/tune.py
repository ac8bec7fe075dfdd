"""`tune`: learn on one's own checkpoint which phrases help; kept only if it wins."""

from __future__ import annotations

import logging

from ..lab.tune.settings import TuneRun
from . import Command, Result
from .audit import check_lines, cost_text, effect_line

_SHOWN = 12


def run(settings: TuneRun) -> Result | None:
    """Learn, check, write the policy if it wins."""
    from ..lab.jobs.processes import joined
    from ..lab.tune.run import run_tune

    with joined() as processes:
        logging.getLogger("negopt").setLevel(logging.INFO if processes.is_leader else logging.WARNING)
        report = run_tune(settings, processes)
    if report is None:
        return None
    if "plan" in report:
        return Result(report, cost_text(report["plan"]))
    lines = [effect_line(row) for row in report["phrases"][:_SHOWN]]
    lines += ["", *check_lines(report)]
    if report["kept"]:
        lines.append(f"what was learned wins; policy: {report['policy']}")
    else:
        lines.append("what was learned does not win against all others, so no policy was written; more --pictures may")
    return Result(report, "\n".join([*lines, f"report: {report['page']}"]))


COMMANDS = (Command("", "", TuneRun, run),)
