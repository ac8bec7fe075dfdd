"""`reproduce`: every training run and table of docs/generated/results.md, from nothing; stopped and resumed at will."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from negopt_core.commands import Command, Result
from negopt_core.errors import TrainingError
from negopt_core.flags import flag, nested
from studies.policies.recipe import Recipe
from studies.policies.runs import finished, precision_of, train_all


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What `reproduce` takes."""

    folder: Path = flag(Path("runs/results"), "folder of the runs", "run", metavar="DIR")
    document: Path = flag(Path("docs/generated/results.md"), "document to write the tables into")
    cache: Path = flag(Path("runs/world-report"), "painted arms, as `world report`")
    jobs: int = flag(2, "runs at the same time, one thread each")
    only: str | None = flag(None, "one half of the work", choices=("train", "measure"), shown="both")
    prompts: int = flag(256, "held-out prompts for each arm", "prompt-count", old=("prompts",))
    paint_dtype: str = flag(
        "auto",
        "precision of pictures; auto: bfloat16 where this CPU has it and it is measured to be faster",
        choices=("auto", "float32", "bfloat16"),
    )
    ship: Path | None = flag(None, "also copy the policies that come with negopt to DIR", metavar="DIR")
    recipe: Recipe = nested(Recipe)


def run(settings: Settings) -> Result:
    """Train what is missing, then measure and write."""
    logging.getLogger("negopt").setLevel(logging.INFO)
    folder, recipe = settings.folder, settings.recipe
    if settings.ship and recipe != Recipe():
        raise TrainingError(
            "--ship is for policies of the full recipe; leave out --training-seeds, --sft-steps and --ppo-steps"
        )
    recipe = replace(recipe, paint_dtype=precision_of(folder, settings.paint_dtype, recipe))
    if settings.only == "measure":
        finished(folder, recipe.trainings())
    else:
        train_all(folder, recipe.trainings(), settings.jobs)
    figures: dict[str, Any] = {}
    if settings.only != "train":
        from studies.policies.results import write_results

        figures = write_results(folder, settings.document, recipe, settings.prompts, settings.jobs, settings.cache)
    if settings.ship:
        from studies.policies.arms import PolicyArms
        from studies.policies.ship import ship

        prompts = PolicyArms.draw(settings.prompts, folder, recipe).prompts
        ship(folder, settings.ship, prompts, figures.get("arms"))
    return Result(figures, f"everything is in {folder}; the tables are in {settings.document}")


COMMANDS = (Command("", "", Settings, run),)
