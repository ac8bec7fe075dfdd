"""A user's own folder of pictures as training pairs: what they wrote, weighed by what they liked.

Read are negopt's own record, A1111's text and ComfyUI's graph, in this order. `likes.jsonl` in the folder, if there is
one, says what was liked: `{"picture": "00001.png", "like": 1}`, or -1, one a line; the last word on a picture counts.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import OutputError, PromptError, TrainingError
from ...files import read_json_lines
from ...provenance.comfy_graph import prompts_of_graph
from ...provenance.host_text import read_host, with_opposites
from ...provenance.infotext import parse_infotext
from ...provenance.origin import recorded_origin
from ...provenance.picture_texts import GRAPH, INFOTEXT, WORKFLOW, read_texts
from ...text.df_text import parse_prompt
from ...text.dialects.a1111 import host_steps
from ...text.prompt import DFPrompt
from .pairs import Found, Pair
from .settings import SourceSettings
from .written import pair_of_sides

log = logging.getLogger("negopt")

LIKES = "likes.jsonl"
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".avif")


@dataclass(frozen=True, slots=True)
class Sides:
    """The prompts of a picture."""

    positive: DFPrompt
    negative: DFPrompt
    written: str = ""
    """What the user wrote before a policy added to it, if the picture says so."""


def read_pictures(folder: Path, polarity: str, liked_weight: float = SourceSettings().liked_weight) -> Found:
    """A pair for each picture in the folder and below it that says how it was made, in the order of their names.

    A file that cannot be read is logged, left out and missing from the count `readable`. Raises TrainingError for a
    folder that is none and for a broken `likes.jsonl`: what was liked must not get lost unseen.
    """
    if not folder.is_dir():
        raise TrainingError(f"{folder} is no folder of pictures; name a folder, a .jsonl or a .parquet file")
    likes = read_likes(folder / LIKES)
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file())
    counts = {"pictures": len(paths), "not disliked": 0, "readable": 0}
    pairs: list[Pair] = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        like = likes.get(name, likes.get(path.name, 0))
        if like < 0:
            continue
        counts["not disliked"] += 1
        try:
            sides = read_sides(path)
        except (OutputError, PromptError) as error:
            log.warning("left out %s: %s", name, " ".join(str(error).split()))
            continue
        counts["readable"] += 1
        weight = liked_weight if like > 0 else 1.0
        pairs.append(pair_of_sides(sides.positive, sides.negative, polarity, sides.written, weight))
    return Found(tuple(pairs), counts)


def read_sides(path: Path) -> Sides:
    """The prompts that a picture carries; OutputError if it is no picture or carries none that can be read."""
    texts = read_texts(path)
    if record := recorded_origin(texts):  # its prompt may be DF text too
        positive, negative, written = map(parse_prompt, (record.df_positive, record.df_negative, record.prompt))
        return Sides(positive, negative, written.text)
    if INFOTEXT in texts:
        try:
            return _sides_of_infotext(texts[INFOTEXT])
        except OutputError:
            if GRAPH not in texts:
                raise
    if GRAPH in texts:
        pair = prompts_of_graph(texts[GRAPH], texts.get(WORKFLOW, ""))
        return Sides(pair.positive, pair.negative)
    raise OutputError("it holds no prompt: neither a negopt record, nor A1111's text, nor a ComfyUI graph")


def read_likes(path: Path) -> dict[str, int]:
    """+1, -1 or 0 by picture, as in `likes.jsonl`; nothing if there is no such file. TrainingError names a bad line."""
    rows = read_json_lines(path, TrainingError, _RULE) if path.exists() else ()
    return dict(_like(where, row) for where, row in rows)


def _like(where: str, row: dict[str, Any]) -> tuple[str, int]:
    name, like = row.get("picture"), row.get("like")
    if not isinstance(name, str) or isinstance(like, bool) or like not in (-1, 0, 1):
        raise TrainingError(f"{where}: got {json.dumps(row)[:60]}; {_RULE}")
    return name.replace("\\", "/"), int(like)


_RULE = 'a line is {"picture": "name.png", "like": 1}, with 1, 0 or -1'


def _sides_of_infotext(text: str) -> Sides:
    info = parse_infotext(text)
    number = re.fullmatch(r"\d{1,4}", info.settings.get("Steps", ""), re.ASCII)
    steps = host_steps(int(number.group()) if number else 20, info.settings.get("Sampler", ""))
    pair = with_opposites(
        *(read_host(text, "a1111", steps, is_settled=True) for text in (info.positive, info.negative))
    )
    return Sides(pair.positive, pair.negative)
