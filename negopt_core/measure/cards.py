"""Pictures with what was asked, what was written and what it earned, as one JPEG to look at while training runs."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image, ImageDraw

from ..paint.pictures import to_pixels
from .sheet import font

_SIDE, _TEXT_WIDTH, _MARGIN, _COLUMNS, _LETTERS = 160, 300, 12, 2, 46
_INK, _SOFT, _PAPER = (20, 20, 20), (95, 95, 95), (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Card:
    """One picture and its words."""

    image: torch.Tensor
    """[3, H, W] in 0..1."""
    prompt: str
    response: str
    score: str


def draw_cards(title: str, cards: Sequence[Card]) -> bytes:
    """A JPEG with two cards a row, each picture fitted into a square at its left."""
    rows = -(-len(cards) // _COLUMNS)
    step_x, step_y, top = _SIDE + _TEXT_WIDTH + 2 * _MARGIN, _SIDE + _MARGIN, 2 * _MARGIN + 18
    sheet = Image.new("RGB", (_COLUMNS * step_x + _MARGIN, top + rows * step_y), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN), title, _INK, font(14))
    for place, card in enumerate(cards):
        x, y = _MARGIN + place % _COLUMNS * step_x, top + place // _COLUMNS * step_y
        sheet.paste(_fitted(card.image), (x, y))
        right = x + _SIDE + _MARGIN
        draw.text((right, y), card.score, _INK, font(14))
        draw.multiline_text((right, y + 20), _wrapped(card.prompt, 4), _INK, font(12))
        draw.multiline_text((right, y + 86), _wrapped(card.response or "(nothing)", 5), _SOFT, font(12))
    stream = io.BytesIO()
    sheet.save(stream, "JPEG", quality=88)
    return stream.getvalue()


def _fitted(image: torch.Tensor) -> Image.Image:
    """Small pictures keep their pixels visible, large ones are reduced."""
    picture = Image.fromarray(to_pixels(image))
    scale = _SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS)


def _wrapped(text: str, lines: int) -> str:
    return textwrap.fill(text, _LETTERS, max_lines=lines, placeholder=" ...")
