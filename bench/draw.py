"""The series of `growth` as small plots, both axes logarithmic: growing in proportion is the grey slope."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Sequence

from PIL import Image, ImageDraw

from negopt_core.measure.draw import font

from .growth import Series, shown

_WIDTH, _HEIGHT, _COLUMNS = 330, 260, 3
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 20, 56, 34
_INK, _SOFT, _LINE, _MARK, _PAPER = (24, 26, 30), (95, 100, 108), (200, 205, 212), (43, 108, 176), (255, 255, 255)


def draw_growth(found: Sequence[Series]) -> bytes:
    """A PNG with one plot for each series."""
    rows = math.ceil(len(found) / _COLUMNS)
    sheet = Image.new("RGB", (_WIDTH * _COLUMNS, _HEIGHT * rows), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, one in enumerate(found):
        _plot(draw, one, (number % _COLUMNS) * _WIDTH, (number // _COLUMNS) * _HEIGHT)
    stream = io.BytesIO()
    sheet.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _plot(draw: ImageDraw.ImageDraw, one: Series, left: int, top: int) -> None:
    sizes, values = ([math.log(point[axis]) for point in one.points] for axis in (0, 1))
    across = sizes[-1] - sizes[0]
    middle = (min(values) + max(values)) / 2
    low = min(middle - across / 2, min(values))  # as many decades up as across, so that a slope of 1 looks like one
    high = max(middle + across / 2, max(values))
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def place(size: float, value: float) -> tuple[float, float]:
        x = left + _LEFT + (size - sizes[0]) / across * width
        return x, top + _TOP + height - (value - low) / (high - low) * height

    draw.multiline_text((left + 10, top + 8), "\n".join(textwrap.wrap(one.name, 44)[:2]), _INK, font(13))
    draw.line([place(sizes[0], middle - across / 2), place(sizes[-1], middle + across / 2)], _LINE, 2)
    points = [place(*point) for point in zip(sizes, values, strict=True)]
    draw.line(points, _MARK, 2)
    for (x, y), (size, value) in zip(points, one.points, strict=True):
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), _MARK)
        draw.text((x, top + _HEIGHT - _BOTTOM + 16), f"{size:,}", _SOFT, font(11), anchor="mm")
        if (size, value) == one.points[0]:
            draw.text((x - 10, y), shown(value, one.unit), _SOFT, font(11), anchor="rm")
        elif (size, value) == one.points[-1]:
            draw.text((x + 12, y - 8), shown(value, one.unit), _SOFT, font(11), anchor="rb")
