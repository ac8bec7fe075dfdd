"""An explanation to look at: words coloured by what they do, the picture without each, and where it changed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..paint.pictures import to_pixels
from .attribution import HELPS, HURTS, Attribution, Explanation
from .statistics import Interval

_SIDE, _MARGIN, _WIDTH = 160, 14, 820
_INK, _SOFT, _PAPER = (24, 26, 30), (95, 100, 108), (255, 255, 255)
COLOURS = {HELPS: (22, 120, 66), HURTS: (184, 48, 28)}
"""Ink of a phrase by verdict; others are grey."""


def draw_explanation(found: Explanation) -> Image.Image:
    """Rows: the whole text, then each phrase from the most helpful to the most harmful."""
    ranked = sorted(found.phrases, key=lambda phrase: -phrase.effects[found.judge].value)
    top = _SIDE + 3 * _MARGIN + 66
    sheet = Image.new("RGB", (_WIDTH, top + (_SIDE + _MARGIN) * len(ranked) + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(sheet)
    sheet.paste(_fitted(found.picture), (_MARGIN, _MARGIN))
    x = 2 * _MARGIN + _SIDE
    draw.text((x, _MARGIN), f"{found.judge} {found.scores[found.judge]:.3f} with every phrase", _INK, _font(18))
    draw.text((x, _MARGIN + 26), f"mean of {len(found.seeds)} seeds; 95 % intervals over seeds", _SOFT, _font(13))
    _words(draw, found, (x, _MARGIN + 56), _WIDTH - x - _MARGIN)
    columns = (
        (_MARGIN, "without the phrase"),
        (x, "what changed"),
        (x + _SIDE + _MARGIN, "the phrase, and the score it adds"),
    )
    for left, title in columns:
        draw.text((left, top - 24), title, _SOFT, _font(13))
    brightest = max(max(float(phrase.difference.max()) for phrase in ranked), 1e-6)
    for row, phrase in enumerate(ranked):
        y = top + row * (_SIDE + _MARGIN)
        sheet.paste(_fitted(phrase.picture), (_MARGIN, y))
        sheet.paste(_fitted(heat(phrase.difference / brightest)), (x, y))
        _row(draw, found, phrase, (x + _SIDE + _MARGIN, y))
    return sheet


def to_png(sheet: Image.Image) -> bytes:
    """A picture's PNG file."""
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    return stream.getvalue()


def heat(values: Tensor) -> Tensor:
    """[H, W] in 0..1 -> [3, H, W]: black through orange to white, square root so that small changes show."""
    level = values.clamp(0, 1).sqrt()
    return torch.stack([(level * 2).clamp(0, 1), (level * 2 - 0.6).clamp(0, 1), (level * 3 - 2).clamp(0, 1)])


def colour(found: Explanation, phrase: Attribution) -> tuple[int, int, int]:
    """The ink of a phrase."""
    return COLOURS.get(found.verdict(phrase), _SOFT)


def shown(effect: Interval) -> str:
    """An effect in one line."""
    return f"{effect.value:+.3f}" + ("" if effect.low != effect.low else f" [{effect.low:+.3f}, {effect.high:+.3f}]")


def _row(draw: Any, found: Explanation, phrase: Attribution, place: tuple[int, int]) -> None:
    x, y = place
    ink = colour(found, phrase)
    draw.text((x, y), phrase.text[:60], ink, _font(18))
    draw.text((x, y + 26), f"{found.verdict(phrase)}   {shown(phrase.effects[found.judge])}", ink, _font(15))
    when = f"{phrase.side}, weight {phrase.weight:g}, from {phrase.start:.0%} to {phrase.end:.0%} of the steps"
    lines = [when, f"pixels change by {phrase.change:.3f} on average"]
    lines += [f"{name} {shown(effect)}" for name, effect in phrase.effects.items() if name != found.judge]
    lines += [f"alone: {name} {shown(effect)}" for name, effect in phrase.alone.items()]
    draw.multiline_text((x, y + 52), "\n".join(lines[:6]), _SOFT, _font(13))


def _words(draw: Any, found: Explanation, place: tuple[int, int], width: int) -> None:
    """The phrases in the order they were written, each in its colour, broken into at most four lines."""
    (left, y), font = place, _font(15)
    x, lines = left, 1
    for phrase in found.phrases:
        text = f"{phrase.text[:60]},  "
        length = int(draw.textlength(text, font))
        if x + length > left + width and x > left:
            x, y, lines = left, y + 22, lines + 1
        if lines > 4:
            draw.text((x, y - 22 + 18), "…", _SOFT, font)
            return
        draw.text((x, y), text, colour(found, phrase), font)
        x += length


def _fitted(image: Tensor) -> Image.Image:
    picture = Image.fromarray(to_pixels(image))
    scale = _SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS)


def _font(size: int) -> Any:
    return ImageFont.load_default(size=size)


def describe(found: Explanation) -> list[str]:
    """The same in lines of text, most helpful first."""
    ranked: Sequence[Attribution] = sorted(found.phrases, key=lambda phrase: -phrase.effects[found.judge].value)
    width = max(len(phrase.text) for phrase in ranked)
    lines = [f"{found.judge} {found.scores[found.judge]:.3f} with every phrase, {len(found.seeds)} seeds"]
    for phrase in ranked:
        effect = shown(phrase.effects[found.judge])
        lines.append(f"  {phrase.text:{width}}  {phrase.side:8}  {effect}  {found.verdict(phrase)}")
    return lines
