"""The word lists of `assets/words/rules`: a row a line, fields between ` | `, entries between commas, `#` comments."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from ..errors import PolicyError

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "words" / "rules"
_FIELD_END = re.compile(r"\s\|(?=\s)")

Pairs = tuple[tuple[str, str], ...]


@cache
def read_rows(name: str) -> tuple[tuple[str, ...], ...]:
    """The fields of each row of a file; PolicyError if it cannot be read."""
    try:
        text = (FOLDER / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise PolicyError(f"cannot read {FOLDER / name}: {reason}; install negopt again") from error
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return tuple(tuple(field.strip() for field in _FIELD_END.split(f" {line} ")) for line in lines)


def padded(row: tuple[str, ...], fields: int) -> tuple[str, ...]:
    """A row with as many fields as a table has: empty ones at the end of a line are not written."""
    return row + ("",) * (fields - len(row))


def entries(field: str) -> tuple[str, ...]:
    """What stands between the commas of a field."""
    return tuple(field.split(", ")) if field else ()


def pairs(field: str) -> Pairs:
    """Both sides of each `left=right` entry of a field; PolicyError for an entry that is none."""
    split = tuple(entry.rpartition("=") for entry in entries(field))
    if not all(left and right for left, _, right in split):
        raise PolicyError(f"{field[:60]!r} holds an entry that is no left=right; install negopt again")
    return tuple((left, right) for left, _, right in split)


def named_fields(name: str) -> dict[str, str]:
    """The second field of each row of a file, by the first."""
    return {row[0]: row[1] for row in read_rows(name)}


@cache
def word_set(name: str) -> frozenset[str]:
    """One of the sets of words in `word_sets.txt`."""
    return frozenset(entries(named_fields("word_sets.txt")[name]))
