"""`world report`: measure the demo world and write the tables of docs/generated/world.md."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from negopt_core.commands import Command, Result
from negopt_core.flags import flag, nested
from studies import learning_report, rl_report
from studies.world.settings import ReportSettings


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What `world report` takes."""

    document: Path = flag(Path("docs/generated/world.md"), "document to write the tables into")
    picture: Path = flag(Path("docs/images/world-grid.jpg"), "sheet to draw")
    world: Path | None = flag(None, "another world's folder", metavar="DIR", shown="the shipped one")
    cache: Path = flag(Path("runs/world-report"), "finished arms are kept here")
    jobs: int = flag(2, "arms painted at the same time")
    report: ReportSettings = nested(ReportSettings)


def run(settings: Settings) -> Result:
    """Measure and write."""
    from negopt_core.world import world_dir
    from studies.world.write import write_report

    logging.getLogger("negopt").setLevel(logging.INFO)
    world = settings.world or world_dir()
    figures = write_report(world, settings.document, settings.picture, settings.cache, settings.report, settings.jobs)
    return Result(figures, f"wrote {settings.document} and {settings.picture}")


COMMANDS = (
    *learning_report.COMMANDS,
    *rl_report.COMMANDS,
    Command("report", "measure the shipped weights and write the tables into docs/generated/world.md", Settings, run),
)
