"""The report of an audit or a tune as one page that opens without a network."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...tune.journal import Journal
from ...tune.report import click_pairs
from ..compare.page import thumbnail

_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "report"
_CLICK_PAIRS = 24


def write_report(report: Mapping[str, Any], journal: Journal, paths: Mapping[Any, Path], title: str) -> str:
    """The page: bars with intervals, pairs of pictures, the last check, and pairs to click."""
    wanted = [tuple_key(key) for row in report["phrases"] for pair in row["examples"] for key in pair]
    clicks = click_pairs(journal)[:_CLICK_PAIRS]
    wanted += [key for pair in clicks for key in pair]
    images = {_name(key): thumbnail(paths[key])["src"] for key in dict.fromkeys(wanted) if key in paths}
    content = {
        **report,
        "images": images,
        "clickable": [[list(map(_listed, pair)), [_name(key) for key in pair]] for pair in clicks],
    }
    parts = {name: (_FOLDER / f"learned.{name}").read_text(encoding="utf-8") for name in ("html", "css", "js")}
    page = parts["html"].replace("{{title}}", html.escape(title)).replace("{{style}}", parts["css"])
    before, after = page.split("{{data}}")
    data = json.dumps(content).replace("<", "\\u003c")
    return before + data + after.replace("{{script}}", parts["js"])


def tuple_key(key: Sequence[Any]) -> tuple[str, tuple[int, ...]]:
    """A picture's key as it is looked up."""
    return key[0], tuple(key[1])


def _listed(key: tuple[str, tuple[int, ...]]) -> list[Any]:
    return [key[0], list(key[1])]


def _name(key: tuple[str, tuple[int, ...]]) -> str:
    return f"{key[0]}-{'-'.join(map(str, key[1]))}"
