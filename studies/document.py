"""What the pages of both studies are made with: Markdown tables, and text between two marks of a document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from negopt_core.files import write_text


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def replace_between(document: Path, begin: str, end: str, text: str) -> None:
    """Write a document anew with `text` between its two marks."""
    before, _, rest = document.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    write_text(document, f"{before}{begin}\n\n{text}\n\n{end}{after}")
