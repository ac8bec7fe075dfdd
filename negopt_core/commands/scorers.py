"""Scorers by name on the command line: `--source SCORER=PLACE`."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PromptError
from ..scorers import table as scorers
from ..scorers.table import NAMES, REAL
from .models import paints_world

if TYPE_CHECKING:
    from ..scorers.base import Scorer

__all__ = ["NAMES", "add_sources", "load_named", "read_sources"]


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Declare `--source`."""
    parser.add_argument("--source", action="append", default=[], metavar="SCORER=PLACE", help=scorers.SOURCE_HELP)


def read_sources(sources: Sequence[str]) -> dict[str, str]:
    """`SCORER=PLACE` texts as name -> place."""
    return dict(source.partition("=")[::2] for source in sources)


def load_named(name: str, sources: Sequence[str], role: str, device: str = "cpu") -> Scorer:
    """A scorer by name; see `scorers.table.load_named`."""
    return scorers.load_named(name, read_sources(sources), role, device)


def toys_among(model: str, names: Iterable[str]) -> list[str]:
    """The demo world's judges among scorers and metrics, if `model` is another model (but a world of one's own)."""
    toys = sorted(name for name in names if name.startswith("world-"))
    return [] if paints_world(model) or (Path(model).expanduser() / "judges").is_dir() else toys


def refuse_toys(model: str, names: Iterable[str], flag: str) -> None:
    """PromptError where the demo world's judges are asked about another model's pictures; called before painting."""
    toys = toys_among(model, names)
    if not toys:
        return
    raise PromptError(
        f"{', '.join(toys)} judge pictures of negopt's small demo world and know nothing of other models; for real "
        f"pictures name {', '.join(REAL[:-1])} or {REAL[-1]} with {flag}, and their weights with --source"
    )


def reward_names(line: str) -> list[str]:
    """The scorers in `scorer:weight...,...`."""
    return [part.strip().partition(":")[0] for part in line.split(",")]
