"""Thumbnails of the example workflows: what a workflow paints, in a frame, above what it does in a few words.

ComfyUI shows a custom node's templates by their file names alone, so the picture has to say what each is for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

SIZE, FRAME = 512, 6
BADGE = 88
"""At the top, where ComfyUI draws a badge of its own."""
GROUND, INK, QUIET = "#1d2733", "#ffffff", "#8fa3b8"
SIDES = {"positive": "#4c9a6a", "negative": "#b5604f"}
WINDOW = re.compile(r"\[(?:, )?([^:\[\]]+):([\d.]+)-([\d.]+):[\d.]+\]")

Bar = tuple[str, str, float, float]
"""Side, words, and the part of the run in which they act, 0 at its start and 1 at its end."""


def bars_of(texts: Sequence[tuple[str, str]]) -> list[Bar]:
    """The windows of scheduled texts, given as (side, text)."""
    return [
        (side, words, 1 - float(start), 1 - float(stop))
        for side, text in texts
        for words, start, stop in WINDOW.findall(text)
    ]


def draw_thumbnail(
    painted: Sequence[Image.Image], caption: str, labels: Sequence[str] = (), bars: Sequence[Bar] = ()
) -> Image.Image:
    """One picture large, or several beside each other with `labels` below; bars for windows, then the caption.

    The pictures are of the demo world, 64 pixels wide: enlarged smoothly, so that they look like pictures.
    """
    card = Image.new("RGB", (SIZE, SIZE), GROUND)
    draw = ImageDraw.Draw(card)
    lines = caption.count("\n") + 1
    bottom = SIZE - 24 - 48 * lines
    draw.multiline_text(
        (SIZE / 2, bottom + 24 * lines), caption, INK, anchor="mm", align="center", font=_font(38), spacing=8
    )
    bottom -= 16 + 44 * len(bars)
    for row, bar in enumerate(bars):
        _bar(draw, bottom + 10 + 44 * row, bar)
    if painted:
        _frames(card, painted, labels, bottom)
    return card


def draw_chain(names: Sequence[str], caption: str) -> Image.Image:
    """For an example that cannot be painted here: its parts, one above the other."""
    card = draw_thumbnail((), caption)
    draw = ImageDraw.Draw(card)
    for row, name in enumerate(names):
        top = BADGE + 6 + 108 * row
        draw.rounded_rectangle((90, top, SIZE - 90, top + 74), 14, "#33415c", QUIET, 3)
        draw.text((SIZE / 2, top + 37), name, INK, anchor="mm", font=_font(34))
        if row:
            draw.line((SIZE / 2, top - 34, SIZE / 2, top), QUIET, 5)
    return card


def draw_banner(painted: Sequence[Image.Image]) -> Image.Image:
    """The registry's banner, 21:9: the name, what it does, bars over the steps, and pictures of the demo world."""
    width, height = 1260, 540
    card = Image.new("RGB", (width, height), GROUND)
    draw = ImageDraw.Draw(card)
    draw.text((60, 96), "negopt", INK, anchor="lm", font=_font(96))
    draw.multiline_text(
        (62, 164), "Negative prompts that fit,\nwords that act when you say", QUIET, font=_font(34), spacing=10
    )
    rows = (("positive", "vivid", 0.0, 0.5), ("positive", "detailed", 0.5, 1.0), ("negative", "blurry", 0.0, 1.0))
    for row, (side, words, start, stop) in enumerate((*rows, ("negative", "noisy", 0.6, 1.0))):
        top, left, room = 292 + 54 * row, 60, 500
        draw.rounded_rectangle((left, top, left + room, top + 42), 8, "#2a3646")
        draw.rounded_rectangle((left + room * start, top, left + room * stop, top + 42), 8, SIDES[side])
        draw.text((left + room * start + 14, top + 21), words, INK, anchor="lm", font=_font(26))
    places = ((640, 54, 209, 209), (640, 277, 209, 209), (863, 54, 357, 432))
    for picture, (left, top, wide, high) in zip((painted[1], painted[2], painted[0]), places, strict=True):
        large = picture.resize((high, high), Image.Resampling.BICUBIC)
        edge = (high - wide) // 2
        card.paste(large.crop((edge, 0, edge + wide, high)), (left, top))
    return card


def _frames(card: Image.Image, painted: Sequence[Image.Image], labels: Sequence[str], bottom: int) -> None:
    draw = ImageDraw.Draw(card)
    room = bottom - BADGE - (40 if labels else 0)
    side = min(room, (SIZE - 28) // len(painted) - 2 * FRAME - 8)
    step = side + 2 * FRAME + 8
    left = (SIZE - step * len(painted) + 8) // 2
    top = BADGE + (room - side) // 2
    for place, picture in enumerate(painted):
        x = left + step * place
        draw.rectangle((x, top - FRAME, x + side + 2 * FRAME, top + side + FRAME), INK)
        card.paste(picture.resize((side, side), Image.Resampling.BICUBIC), (x + FRAME, top))
        if labels:
            at = (x + FRAME + side / 2, top + side + FRAME + 22)
            draw.text(at, labels[place], QUIET, anchor="mm", font=_font(26))


def _bar(draw: ImageDraw.ImageDraw, top: int, bar: Bar) -> None:
    side, words, start, stop = bar
    left, width = 40, SIZE - 80
    draw.rounded_rectangle((left, top, left + width, top + 34), 8, "#2a3646")
    draw.rounded_rectangle((left + width * start, top, left + width * stop, top + 34), 8, SIDES[side])
    draw.text((left + width * start + 12, top + 17), words, INK, anchor="lm", font=_font(24))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
