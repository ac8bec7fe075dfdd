"""`world learning`: pictures painted against what was learned from them."""

from __future__ import annotations

import logging
from dataclasses import replace

from negopt_core.commands import Command, Result
from studies.learning.settings import LearningSettings
from studies.policies.recipe import Recipe
from studies.policies.runs import precision_of


def run(settings: LearningSettings) -> Result:
    """Learn, measure, write."""
    from studies.learning.run import audit_shares, run_learning
    from studies.learning.write import write_learning

    logging.getLogger("negopt").setLevel(logging.INFO)
    settings = replace(settings, paint_dtype=precision_of(settings.folder, settings.paint_dtype, Recipe()))
    scores, audits = run_learning(settings), audit_shares(settings) if settings.only in ("", "audit") else {}
    figures = {} if settings.only else write_learning(settings, scores, audits)
    return Result(figures, f"everything is in {settings.folder}; the table is in {settings.document}")


COMMANDS = (
    Command("learning", "pictures against what was learned from them; run again to resume", LearningSettings, run),
)
