"""The data files of `assets/words`: one row a line, fields between ` | `, `#` begins a comment line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import PolicyError

WORDS = Path(__file__).resolve().parents[2] / "assets" / "words"
VECTORS_FILE, VECTORS_WORDS = "vectors.safetensors", "vectors.txt"
VERSION = 1
REMEDY = "install negopt again"
_FIELD_END = re.compile(r"\s\|(?=\s)")
_MARK = re.compile(r"#\s*version\s+(\d+)\s*")


class TablesError(PolicyError):
    """A shipped table is missing or damaged."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row, and where it stands for errors."""

    place: str
    cells: tuple[str, ...]

    def cell(self, number: int) -> str:
        """A field; "" behind the last one."""
        return self.cells[number] if number < len(self.cells) else ""

    def listed(self, number: int) -> tuple[str, ...]:
        """The entries of a field between commas."""
        return tuple(part for part in (one.strip() for one in self.cell(number).split(",")) if part)

    def effects(self, number: int) -> dict[str, float]:
        """`phrase=effect` entries of a field."""
        found = {}
        for entry in self.listed(number):
            phrase, sign, value = entry.rpartition("=")
            try:
                effect = float(value)
            except ValueError:
                effect = math.nan
            if not sign or not phrase.strip() or not math.isfinite(effect):
                raise TablesError(f"{self.place}: {entry[:60]!r} is no phrase=number; mend the row")
            found[phrase.strip()] = effect
        return found


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each line that is no comment and not empty; TablesError for a file of another version."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise TablesError(f"cannot read {path}: {reason}; {REMEDY}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            mark = _MARK.fullmatch(line)
            if mark and int(mark[1]) != VERSION:
                raise TablesError(f"{path} is of version {mark[1]}, and {VERSION} is read here; update negopt")
        elif line and not line.isspace():
            yield number, line


def read_rows(path: Path, fewest: int) -> Iterator[Row]:
    """Rows of a table with at least `fewest` fields; TablesError names the file, the line and the remedy."""
    for number, line in read_lines(path):
        cells = tuple(cell.strip() for cell in _FIELD_END.split(f" {line} "))
        if len(cells) < fewest or not cells[0]:
            raise TablesError(f"{path.name}, line {number}: a row has {fewest} fields or more; {REMEDY}")
        yield Row(f"{path.name}, line {number}", cells)
