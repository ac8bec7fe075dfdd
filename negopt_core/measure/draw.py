"""Pictures about results, drawn with Pillow: intervals, sheets of painted pictures, cards with prompt and response."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..paint.pictures import to_pixels
from .statistics import Interval

INK, SOFT, LINE, MARK, PAPER = (24, 26, 30), (95, 100, 108), (217, 221, 227), (43, 108, 176), (255, 255, 255)
SIDE = 160
"""Pixels of a picture in a card or in an explanation."""
_MARGIN, _TEXT_LINE = 12, 16
_LABEL_WIDTH = 210
"""Of a sheet's rows."""
_CARD_TEXT, _CARD_LETTERS, _CARD_COLUMNS = 300, 46, 2
_NAME_WIDTH, _PLOT_WIDTH, _PLOT_ROW, _PLOT_TOP, _PLOT_MARGIN = 250, 820, 34, 48, 16


def font(size: int) -> Any:
    """Pillow's own."""
    return ImageFont.load_default(size=size)


def to_file(sheet: Image.Image, kind: str = "PNG", quality: int = 88) -> bytes:
    """A picture's file, PNG or JPEG; `quality` is the JPEG's."""
    stream = io.BytesIO()
    sheet.save(stream, kind, quality=quality)
    return stream.getvalue()


def fitted(image: Tensor, side: int = SIDE) -> Image.Image:
    """[3, H, W] in 0..1 with its longer side `side` long; enlarged pictures keep their pixels visible."""
    picture = Image.fromarray(to_pixels(image))
    scale = side / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS)


def draw_intervals(title: str, rows: Sequence[tuple[str, Interval]], with_zero: bool = False) -> Image.Image:
    """One line a row: its name, a dot at the value, a bar over the interval; a line at 0 if 0 is in sight.

    `with_zero` brings it into sight, for differences.
    """
    bottom = _PLOT_TOP + _PLOT_ROW * len(rows)
    sheet = Image.new("RGB", (_PLOT_WIDTH, bottom + 40), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_PLOT_MARGIN, _PLOT_MARGIN), title, INK, font(17))
    across = _draw_axis(draw, [one for _, one in rows], with_zero, bottom)
    for number, (name, interval) in enumerate(rows):
        y = _PLOT_TOP + _PLOT_ROW * number + _PLOT_ROW // 2
        draw.text((_PLOT_MARGIN, y), name[:34], INK, font(14), anchor="lm")
        if math.isfinite(interval.low) and math.isfinite(interval.high):
            draw.line((across(interval.low), y, across(interval.high), y), MARK, 3)
        if math.isfinite(interval.value):
            x = across(interval.value)
            draw.ellipse((x - 5, y - 5, x + 5, y + 5), MARK)
    return sheet


def _draw_axis(
    draw: ImageDraw.ImageDraw, intervals: Sequence[Interval], with_zero: bool, bottom: int
) -> Callable[[float], float]:
    """Draw three grid lines with their numbers, and one at 0; returns where a value lies across the plot."""
    ends = [end for one in intervals for end in (one.value, one.low, one.high) if math.isfinite(end)]
    ends = [*ends, 0.0] if with_zero or not ends else ends
    low, high = min(ends), max(ends)
    room = 0.08 * (high - low) or 0.5
    low, high = low - room, high + room

    def across(value: float) -> float:
        return _NAME_WIDTH + (value - low) / (high - low) * (_PLOT_WIDTH - _NAME_WIDTH - 3 * _PLOT_MARGIN)

    for at in (low + room, (low + high) / 2, high - room):
        draw.line((across(at), _PLOT_TOP, across(at), bottom), LINE)
        draw.text((across(at), bottom + 16), f"{at:.3g}", SOFT, font(12), anchor="mm")
    if low < 0 < high:
        draw.line((across(0), _PLOT_TOP, across(0), bottom), SOFT, 2)
    return across


@dataclass(frozen=True, slots=True)
class Row:
    """One arm on a sheet: its name, a remark, and a picture with a caption for each column."""

    label: str
    note: str
    images: Tensor
    """[columns, 3, H, W] in 0..1."""
    captions: tuple[str, ...]


def draw_sheet(title: str, columns: Sequence[str], rows: Sequence[Row], footer: str, scale: int = 2) -> Image.Image:
    """`title` above, `columns` (prompts) over the pictures, each picture `scale` times its size."""
    height, width = (side * scale for side in rows[0].images.shape[2:])
    step_x, step_y = max(width, 150) + _MARGIN, height + _TEXT_LINE + _MARGIN
    top = _MARGIN * 2 + 24 + 3 * _TEXT_LINE
    size = (_LABEL_WIDTH + step_x * len(columns) + _MARGIN, top + step_y * len(rows) + 2 * _TEXT_LINE + _MARGIN)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN), title, INK, font(18))
    for column, text in enumerate(columns):
        place = (_LABEL_WIDTH + column * step_x, _MARGIN + 28)
        draw.multiline_text(place, textwrap.fill(text, max(step_x // 7, 8), max_lines=3), INK, font(12))
    for index, row in enumerate(rows):
        y = top + index * step_y
        draw.text((_MARGIN, y), row.label, INK, font(14))
        draw.multiline_text((_MARGIN, y + 20), textwrap.fill(row.note, 32, max_lines=7), SOFT, font(11))
        for column, (image, caption) in enumerate(zip(row.images, row.captions, strict=True)):
            x = _LABEL_WIDTH + column * step_x
            picture = Image.fromarray(to_pixels(image)).resize((width, height), Image.Resampling.NEAREST)
            sheet.paste(picture, (x, y))
            draw.text((x, y + height + 1), caption, SOFT, font(12))
    draw.text((_MARGIN, size[1] - _TEXT_LINE - _MARGIN), footer, SOFT, font(12))
    return sheet


@dataclass(frozen=True, slots=True)
class Card:
    """One picture with what was asked, what was written and what it earned."""

    image: Tensor
    """[3, H, W] in 0..1."""
    prompt: str
    response: str
    score: str


def draw_cards(title: str, cards: Sequence[Card]) -> Image.Image:
    """Two cards a row, each picture fitted into a square at its left."""
    rows = -(-len(cards) // _CARD_COLUMNS)
    step_x, step_y, top = SIDE + _CARD_TEXT + 2 * _MARGIN, SIDE + _MARGIN, 2 * _MARGIN + 18
    sheet = Image.new("RGB", (_CARD_COLUMNS * step_x + _MARGIN, top + rows * step_y), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN), title, INK, font(14))
    for place, card in enumerate(cards):
        x, y = _MARGIN + place % _CARD_COLUMNS * step_x, top + place // _CARD_COLUMNS * step_y
        sheet.paste(fitted(card.image), (x, y))
        right = x + SIDE + _MARGIN
        draw.text((right, y), card.score, INK, font(14))
        draw.multiline_text((right, y + 20), _wrapped(card.prompt, 4), INK, font(12))
        draw.multiline_text((right, y + 86), _wrapped(card.response or "(nothing)", 5), SOFT, font(12))
    return sheet


def _wrapped(text: str, lines: int) -> str:
    return textwrap.fill(text, _CARD_LETTERS, max_lines=lines, placeholder=" ...")
