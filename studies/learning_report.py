"""`world learning`: pictures painted against what was learned from them."""

from __future__ import annotations

import logging

from negopt_core.commands import Command, Result
from studies.learning.settings import LearningSettings


def run(settings: LearningSettings) -> Result:
    """Learn, measure, write."""
    from studies.learning.run import audit_shares, run_learning
    from studies.learning.write import write_learning

    logging.getLogger("negopt").setLevel(logging.INFO)
    scores, audits = run_learning(settings), audit_shares(settings) if settings.only in ("", "audit", "measure") else {}
    figures = write_learning(settings, scores, audits) if settings.only in ("", "measure") else {}
    return Result(figures, f"everything is in {settings.folder}; the table is in {settings.document}")


COMMANDS = (
    Command("learning", "pictures against what was learned from them; run again to resume", LearningSettings, run),
)
