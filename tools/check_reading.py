"""Checks that pages can be read: `python tools/check_reading.py`. One line for each fault; then exit 1.

A fault is a sentence of more than 40 words or a line of more than 160 characters outside of code and tables, in the
pages of PAGES. A word is what holds a letter; a piece of code is one word.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", "docs/*.md", "docs/dev/*.md")
NOT = {"docs/cli.md", "docs/dev/decisions.md"}
"""Written by a tool; a log of what was decided."""
WORDS, CHARACTERS = 40, 160
NEW = re.compile(r"\s*([-*+]|\d+\.)\s+|#+\s+|>\s*")
"""What begins a piece of its own: an item of a list, a heading, a quotation."""


class Piece(NamedTuple):
    """A paragraph, an item or a cell, on one line, and the number of the line where it begins."""

    line: int
    text: str


def main() -> int:
    """Print the faults; the exit status."""
    pages = sorted({page for pattern in PAGES for page in ROOT.glob(pattern)})
    names = [name for page in pages if (name := page.relative_to(ROOT).as_posix()) not in NOT]
    found = [f"{name}:{fault}" for name in names for fault in faults((ROOT / name).read_text(encoding="utf-8"))]
    print("\n".join(found) if found else f"reading: {len(names)} pages, no sentence of more than {WORDS} words")
    return 1 if found else 0


def faults(text: str) -> Iterator[str]:
    """`LINE: what` for every sentence that is too long to be read once, and every line too wide to be edited."""
    for piece in pieces(text):
        for sentence in sentences(piece.text):
            if (count := count_words(sentence)) > WORDS:
                yield f"{piece.line}: {count} words in one sentence: {sentence[:90]} ..."
    for number, line in prose(text):
        if len(line) > CHARACTERS and not line.lstrip().startswith("|"):
            yield f"{number}: {len(line)} characters in one line"


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of each line outside of code."""
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r"\s*(```|~~~)", line)
        if mark and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
            yield number, ""
        elif not fence:
            yield number, line


def pieces(text: str) -> Iterator[Piece]:
    """Paragraphs, items of lists, headings, and cells of tables."""
    start, collected = 0, ""
    for number, line in [*prose(text), (0, "")]:
        is_row = line.lstrip().startswith("|")
        if collected and (not line.strip() or is_row or NEW.match(line)):
            yield Piece(start, collected)
            collected = ""
        if is_row:
            yield from (Piece(number, cell) for cell in re.split(r"(?<!\\)\|", line) if cell.strip(" -"))
        elif line.strip():
            start = start if collected else number
            collected = f"{collected} {line.strip()}".strip()


def sentences(text: str) -> list[str]:
    """The sentences of a piece: code and links are words in them."""
    text = re.sub(r"`+[^`]*`+", "code", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return [part for part in re.split(r"(?<=[.!?])[)\"*_]*\s+(?=[\"(*_\[A-Z0-9c])", text) if part.strip()]


def count_words(sentence: str) -> int:
    """How many words of it hold a letter."""
    return sum(any(letter.isalpha() for letter in word) for word in sentence.split())


if __name__ == "__main__":
    sys.exit(main())
