"""The report of an audit or a tune as one page that opens without a network."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parents[1] / "assets" / "report"

Key = tuple[str, tuple[int, ...]]


def write_page(
    report: Mapping[str, Any],
    show: Callable[[Key], str | None],
    title: str,
    clickable: Sequence[tuple[Key, Key]] = (),
) -> str:
    """The page: bars with intervals, pairs of pictures, the last check, and pairs to click.

    `show` gives the address of a picture (a data address, so that the page needs no other file), None if it is gone.
    """
    wanted = [tuple_key(key) for row in report["phrases"] for pair in row["examples"] for key in pair]
    wanted += [key for pair in clickable for key in pair]
    images = {_name(key): shown for key in dict.fromkeys(wanted) if (shown := show(key)) is not None}
    content = {
        **report,
        "images": images,
        "clickable": [[list(map(_listed, pair)), [_name(key) for key in pair]] for pair in clickable],
    }
    parts = {name: (_FOLDER / f"learned.{name}").read_text(encoding="utf-8") for name in ("html", "css", "js")}
    page = parts["html"].replace("{{title}}", html.escape(title)).replace("{{style}}", parts["css"])
    before, after = page.split("{{data}}")
    data = json.dumps(content).replace("<", "\\u003c")
    return before + data + after.replace("{{script}}", parts["js"])


def tuple_key(key: Sequence[Any]) -> Key:
    """A picture's key as it is looked up."""
    return key[0], tuple(key[1])


def _listed(key: Key) -> list[Any]:
    return [key[0], list(key[1])]


def _name(key: Key) -> str:
    return f"{key[0]}-{'-'.join(map(str, key[1]))}"
