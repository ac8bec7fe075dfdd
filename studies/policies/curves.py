"""Learning curves: the reward of rollouts against the pictures painted so far."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from negopt_core.files import read_journal
from negopt_core.measure.draw import font

_LEFT, _TOP, _WIDTH, _HEIGHT, _LEGEND = 56, 44, 760, 360, 190
_INK, _SOFT, _LINE, _PAPER = (24, 26, 30), (95, 100, 108), (217, 221, 227), (255, 255, 255)
_COLOURS = ((43, 108, 176), (192, 86, 33), (47, 133, 90), (128, 90, 213), (183, 121, 31), (190, 24, 93))
_SMOOTHED = 10

Curve = Sequence[tuple[float, float]]
"""(pictures, reward) points."""


def read_curve(metrics: Path, pictures_a_step: int) -> Curve:
    """The `reward` of a run's metrics.jsonl in means of ten steps."""
    rows = list(read_journal(metrics))
    blocks = [rows[start : start + _SMOOTHED] for start in range(0, len(rows), _SMOOTHED)]
    return [(block[-1]["step"] * pictures_a_step, sum(row["reward"] for row in block) / len(block)) for block in blocks]


def draw_curves(title: str, curves: Mapping[str, Curve]) -> bytes:
    """A PNG with one line for each curve; the axes cover all of them."""
    points = [point for curve in curves.values() for point in curve]
    right, low, high = max(x for x, _ in points), min(y for _, y in points), max(y for _, y in points)
    span = (high - low) or 1.0
    sheet = Image.new("RGB", (_LEFT + _WIDTH + _LEGEND, _TOP + _HEIGHT + 56), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_LEFT, 12), title, _INK, font(16))

    def place(x: float, y: float) -> tuple[float, float]:
        return _LEFT + x / right * _WIDTH, _TOP + _HEIGHT - (y - low) / span * _HEIGHT

    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        across, level = place(share * right, low + share * span)
        draw.line((_LEFT, level, _LEFT + _WIDTH, level), _LINE)
        draw.text((_LEFT - 8, level), f"{low + share * span:.2f}", _SOFT, font(12), anchor="rm")
        draw.text((across, _TOP + _HEIGHT + 14), f"{share * right:,.0f}", _SOFT, font(12), anchor="mm")
    draw.text((_LEFT + _WIDTH / 2, _TOP + _HEIGHT + 38), "pictures painted", _SOFT, font(13), anchor="mm")
    for number, (name, curve) in enumerate(curves.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        draw.line([place(x, y) for x, y in curve], colour, 2, joint="curve")
        y = _TOP + 10 + 22 * number
        draw.line((_LEFT + _WIDTH + 16, y, _LEFT + _WIDTH + 40, y), colour, 3)
        draw.text((_LEFT + _WIDTH + 48, y), name, _INK, font(12), anchor="lm")
    stream = io.BytesIO()
    sheet.save(stream, "PNG", optimize=True)
    return stream.getvalue()
