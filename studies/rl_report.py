"""`world rl`: algorithms, windows, what supervised training is for, and a referee."""

from __future__ import annotations

import logging
from dataclasses import replace

from negopt_core.commands import Command, Result
from studies.policies.recipe import Recipe
from studies.policies.runs import precision_of
from studies.rl.settings import RLSettings


def run(settings: RLSettings) -> Result:
    """Train, measure, write."""
    from studies.rl.write import run_rl

    logging.getLogger("negopt").setLevel(logging.INFO)
    settings = replace(settings, paint_dtype=precision_of(settings.folder, settings.paint_dtype, Recipe()))
    return Result(run_rl(settings), f"the tables are in {settings.document}")


COMMANDS = (
    Command(
        "rl", "algorithms, learned windows, and what supervised training is for; run again to resume", RLSettings, run
    ),
)
