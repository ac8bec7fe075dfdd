"""`report.html`: the report in one file that opens without a network: tables, plots and a wall of pictures."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .gallery import Gallery

_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "report"
THUMB_SIDE = 384
"""Longest side in pixels of a picture in the page; smaller ones are kept as they are."""
_JPEG_QUALITY = 85


def write_page(report: Mapping[str, Any], gallery: Gallery, title: str, about: str, rows: int) -> str:
    """The page as text. The wall shows the first `rows` pairs of prompt and seed; everything else is in the numbers."""
    wanted = list(dict.fromkeys((one["prompt"], one["seed"]) for one in report["pictures"]))[:rows]
    shown = [one for one in report["pictures"] if (one["prompt"], one["seed"]) in set(wanted)]
    images = {one["key"]: thumbnail(gallery.path(one["key"])) for one in shown}
    content = {**report, "about": about, "images": images}
    data = json.dumps(content, ensure_ascii=True).replace("<", "\\u003c")
    parts = {
        name: (_FOLDER / name).read_text(encoding="utf-8") for name in ("page.html", "page.css", "page.js", "wall.js")
    }
    filled = {
        "title": html.escape(title),
        "style": parts["page.css"],
        "data": data,
        "script": parts["wall.js"] + parts["page.js"],
    }
    page = parts["page.html"]
    head, *rest = page.split("{{")
    for piece in rest:  # in one pass, so that nothing in the data is read as a mark
        name, _, after = piece.partition("}}")
        head += filled[name] + after
    return head


def thumbnail(path: Path) -> dict[str, Any]:
    """A picture as a data address: small ones as they are, large ones as a JPEG."""
    from PIL import Image

    with Image.open(path) as image:
        picture = image.convert("RGB")
    is_small = max(picture.size) <= THUMB_SIDE
    stream = io.BytesIO()
    if is_small:
        picture.save(stream, "PNG")
    else:
        picture.thumbnail((THUMB_SIDE, THUMB_SIDE))
        picture.save(stream, "JPEG", quality=_JPEG_QUALITY)
    kind = "png" if is_small else "jpeg"
    return {"src": f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}", "small": is_small}
