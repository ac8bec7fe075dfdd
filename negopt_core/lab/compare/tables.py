"""Prompts and texts in the files that people have: JSON Lines, JSON, CSV and TSV, by the field's own names."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import PromptError
from ...files import open_text, read_json_lines
from ...json_text import read_json

TABLE_ENDINGS = (".jsonl", ".json", ".csv", ".tsv")
PROMPT = ("prompt", "prompts", "original_prompt", "original", "caption", "text")
PAIR_PROMPT = ("positive", "positive_prompt", "pos")
"""What pairs of a wanted and an unwanted thing (NegGenBench) call the prompt."""
NEGATIVE = ("negative", "negative_prompt", "negatives", "neg")
REWRITTEN = ("positive", "positive_prompt", "optimized", "optimized_prompt", "rewritten", "revised_prompt", "output")
"""What tools that rewrite prompts call the result."""
_WRAPPERS = ("data", "rows", "items", "prompts")
GROUP = ("category", "tag", "challenge", "subset")


def is_table(path: Path) -> bool:
    """True if `read_rows` knows the file by its name; .gz may follow."""
    name = path.name.removesuffix(".gz")
    return name.endswith(TABLE_ENDINGS)


def read_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """ "FILE, line or row N" and the values of each row, names in lower case with _ for spaces; else PromptError.

    JSON holds a list of objects or texts, or an object of prompts with a negative or an object each.
    """
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    rows = {"jsonl": _json_lines, "json": _json_rows}.get(kind, _separated)(path)
    yield from ((where, {_plain(name): value for name, value in row.items()}) for where, row in rows)


def pick(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    """The value under the first of the names that the row has; None if it has none of them."""
    return next((row[name] for name in names if name in row), None)


def as_text(value: Any) -> str | None:
    """A text, or a list of phrases as one; None for anything else."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ", ".join(part.strip() for part in value)
    return value.strip() if isinstance(value, str) else None


def _plain(name: Any) -> str:
    return str(name).strip().lower().replace(" ", "_").replace("-", "_")


def _json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    return read_json_lines(path, PromptError)


def _json_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    values = _read(path, read_json)
    if isinstance(values, dict) and len(values) == 1 and next(iter(values)) in _WRAPPERS:
        (values,) = values.values()
    if isinstance(values, dict):
        values = [
            {**row, "prompt": prompt} if isinstance(row, dict) else {"prompt": prompt, "negative": row}
            for prompt, row in values.items()
        ]
    if not isinstance(values, list):
        raise PromptError(f"{path} is neither a list of rows nor an object of prompts")
    for number, row in enumerate(values, 1):
        where = f"{path}, row {number}"
        if not isinstance(row, dict | str):
            raise PromptError(f"{where}: no object: {str(row)[:60]}")
        yield where, {"prompt": row} if isinstance(row, str) else row


def _separated(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The first line names the columns. A TSV has no quotes, as PartiPrompts has none around its own."""
    is_tsv = path.name.removesuffix(".gz").endswith(".tsv")
    lines = _read(path, str).splitlines(keepends=True)
    settings: dict[str, Any] = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if is_tsv else {}
    table = csv.DictReader(lines, restval="", **settings)
    try:
        for row in table:
            if None in row:
                raise PromptError(f"{path}, line {table.line_num}: more columns than the first line names")
            yield f"{path}, line {table.line_num}", dict(row)
    except csv.Error as error:
        raise PromptError(f"{path}, line {table.line_num}: {error}") from error


def _read(path: Path, parse: Any) -> Any:
    try:
        with open_text(path) as file:
            return parse(file.read())
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise PromptError(f"cannot read {path}: {error}") from error
