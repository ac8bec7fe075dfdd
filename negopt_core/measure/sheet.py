"""A contact sheet: rows of pictures with labels and captions, as one PNG."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image, ImageDraw, ImageFont

from ..paint.pictures import to_pixels

_MARGIN, _LABEL_WIDTH, _LINE = 12, 210, 16
_INK, _SOFT, _PAPER = (20, 20, 20), (95, 95, 95), (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Row:
    """One way of painting: its name, what it said, and a picture with a caption for each column."""

    label: str
    note: str
    images: torch.Tensor
    """[columns, 3, H, W] in 0..1."""
    captions: tuple[str, ...]


def draw_sheet(title: str, columns: Sequence[str], rows: Sequence[Row], footer: str, scale: int = 2) -> bytes:
    """A PNG: `title` above, `columns` (prompts) over the pictures, each picture `scale` times its size."""
    height, width = (side * scale for side in rows[0].images.shape[2:])
    step_x, step_y = max(width, 150) + _MARGIN, height + _LINE + _MARGIN
    top = _MARGIN * 2 + 24 + 3 * _LINE
    size = (_LABEL_WIDTH + step_x * len(columns) + _MARGIN, top + step_y * len(rows) + 2 * _LINE + _MARGIN)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN), title, _INK, font(18))
    for column, text in enumerate(columns):
        place = (_LABEL_WIDTH + column * step_x, _MARGIN + 28)
        draw.multiline_text(place, textwrap.fill(text, max(step_x // 7, 8), max_lines=3), _INK, font(12))
    for index, row in enumerate(rows):
        y = top + index * step_y
        draw.text((_MARGIN, y), row.label, _INK, font(14))
        draw.multiline_text((_MARGIN, y + 20), textwrap.fill(row.note, 32, max_lines=7), _SOFT, font(11))
        for column, (image, caption) in enumerate(zip(row.images, row.captions, strict=True)):
            x = _LABEL_WIDTH + column * step_x
            picture = Image.fromarray(to_pixels(image)).resize((width, height), Image.Resampling.NEAREST)
            sheet.paste(picture, (x, y))
            draw.text((x, y + height + 1), caption, _SOFT, font(12))
    draw.text((_MARGIN, size[1] - _LINE - _MARGIN), footer, _SOFT, font(12))
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    return stream.getvalue()


def font(size: int) -> Any:
    """Pillow's own."""
    return ImageFont.load_default(size=size)
