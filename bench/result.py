"""One measured line, and where the repository is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Result:
    """One line of the report."""

    name: str
    figure: str
    bar: str
    met: bool | None
    """None: skipped."""

    @property
    def verdict(self) -> str:
        """For a table."""
        return "-" if self.met is None else "yes" if self.met else "**no**"
