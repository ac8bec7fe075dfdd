"""Scorers by name on the command line: `--source SCORER=PLACE`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..evidence import scorers
from ..evidence.scorers import AESTHETIC, CLIP, NAMES, PICKSCORE, WORLD

if TYPE_CHECKING:
    from ..reward.base import Scorer

__all__ = ["AESTHETIC", "CLIP", "NAMES", "PICKSCORE", "WORLD", "add_sources", "load_named", "read_sources"]


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Declare `--source`."""
    parser.add_argument("--source", action="append", default=[], metavar="SCORER=PLACE", help=scorers.SOURCE_HELP)


def read_sources(sources: Sequence[str]) -> dict[str, str]:
    """`SCORER=PLACE` texts as name -> place."""
    return dict(source.partition("=")[::2] for source in sources)


def load_named(name: str, sources: Sequence[str], role: str) -> Scorer:
    """A scorer by name; see `evidence.scorers.load_named`."""
    return scorers.load_named(name, read_sources(sources), role)
