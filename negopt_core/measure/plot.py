"""Means with their intervals as a picture, for places that show pictures only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from .statistics import Interval

_LEFT, _WIDTH, _ROW, _TOP, _MARGIN = 250, 820, 34, 48, 16
_INK, _SOFT, _LINE, _MARK, _PAPER = (24, 26, 30), (95, 100, 108), (217, 221, 227), (43, 108, 176), (255, 255, 255)


def draw_intervals(title: str, rows: Sequence[tuple[str, Interval]], with_zero: bool = False) -> Image.Image:
    """One line a row: its name, a dot at the value, a bar over the interval; a line at 0 if 0 is in sight.

    `with_zero` brings it into sight, for differences.
    """
    sheet = Image.new("RGB", (_WIDTH, _TOP + _ROW * len(rows) + 40), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN), title, _INK, _font(17))
    ends = [end for _, found in rows for end in (found.value, found.low, found.high) if math.isfinite(end)]
    ends = [*ends, 0.0] if with_zero or not ends else ends
    low, high = min(ends), max(ends)
    room = 0.08 * (high - low) or 0.5
    low, high = low - room, high + room

    def across(value: float) -> float:
        return _LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - 3 * _MARGIN)

    bottom = _TOP + _ROW * len(rows)
    for at in (low + room, (low + high) / 2, high - room):
        draw.line((across(at), _TOP, across(at), bottom), _LINE)
        draw.text((across(at), bottom + 16), f"{at:.3g}", _SOFT, _font(12), anchor="mm")
    if low < 0 < high:
        draw.line((across(0), _TOP, across(0), bottom), _SOFT, 2)
    for number, (name, found) in enumerate(rows):
        y = _TOP + _ROW * number + _ROW // 2
        draw.text((_MARGIN, y), name[:34], _INK, _font(14), anchor="lm")
        if math.isfinite(found.low) and math.isfinite(found.high):
            draw.line((across(found.low), y, across(found.high), y), _MARK, 3)
        if math.isfinite(found.value):
            x = across(found.value)
            draw.ellipse((x - 5, y - 5, x + 5, y + 5), _MARK)
    return sheet


def _font(size: int) -> Any:
    return ImageFont.load_default(size=size)
