"""Where and when: sky, ground, sun and cloud, in the manner of each style. Everything lies on a grid of 8 pixels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

SIZE = 64
"""Side of a picture in pixels."""

LIGHT = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.80, 0.70], [0.30, 0.33, 0.52]])  # [time, rgb]
_SKY_TOP = torch.tensor([[0.45, 0.72, 0.98], [0.98, 0.55, 0.35], [0.05, 0.06, 0.20]])
_SKY_LOW = torch.tensor([[0.78, 0.90, 1.00], [0.99, 0.80, 0.62], [0.12, 0.14, 0.36]])
_SUN = torch.tensor([[1.0, 0.93, 0.55], [1.0, 0.95, 0.75], [0.93, 0.93, 0.85]])
_GROUND = torch.tensor([[0.38, 0.70, 0.28], [0.95, 0.97, 1.00], [0.13, 0.45, 0.78], [0.93, 0.79, 0.48]])  # [place, rgb]
_PAPER = torch.tensor([[0.97, 0.95, 0.88], [0.99, 0.88, 0.78], [0.16, 0.19, 0.36]])
_INK = torch.tensor([[0.35, 0.35, 0.38], [0.45, 0.30, 0.28], [0.85, 0.88, 0.95]])
_STARS = ((4, 20), (11, 38), (18, 6), (7, 50), (26, 58))
_HORIZON = 0.70
_FLAT, _CARTOON, _LINES = 1, 2, 3
_SNOW, _SEA, _DESERT = 1, 2, 3


def grid() -> tuple[Tensor, Tensor]:
    """x and y [64, 64] of the pixels' middles, 0..1."""
    line = (torch.arange(SIZE) + 0.5) / SIZE
    y, x = torch.meshgrid(line, line, indexing="ij")
    return x, y


def draw_backdrops() -> Tensor:
    """[style, place, time, variant, 3, 64, 64] in 0..1."""
    sizes = (4, 4, 3, 2)
    pictures = [draw_backdrop(*index) for index in torch.cartesian_prod(*map(torch.arange, sizes)).tolist()]
    return torch.stack(pictures).view(*sizes, 3, SIZE, SIZE)


def draw_backdrop(style: int, place: int, time: int, variant: int) -> Tensor:
    """One backdrop [3, 64, 64]; the variant says on which side the sun stands."""
    x, y = grid()
    horizon = _HORIZON + (0.0 if place in (_SNOW, _SEA) else 0.035) * torch.sin(
        2 * math.pi * (x + 0.25 + 0.5 * variant)
    )
    sun_x = 0.125 + 0.75 * variant
    disc = torch.hypot(x - sun_x, y - 0.125)
    below, edge = (y > horizon).float(), ((y - horizon).abs() < 0.012).float()
    if style == _LINES:
        return _on_paper(place, time, variant, below, edge, disc)
    sky = _sky(style, time, disc, 1 - sun_x, variant)
    canvas = sky + (_ground(style, place, time, variant) - sky) * below
    return (canvas * (1 - 0.55 * edge) if style == _CARTOON else canvas).clamp(0, 1)


def _sky(style: int, time: int, disc: Tensor, cloud_x: float, variant: int) -> Tensor:
    x, y = grid()
    top, low = _SKY_TOP[time][:, None, None], _SKY_LOW[time][:, None, None]
    depth = torch.full_like(y, 0.5) if style == _FLAT else (y / _HORIZON).clamp(0, 1)
    sky = top + (low - top) * depth
    sky = sky + (_SUN[time][:, None, None] - sky) * (1 - ((disc - 0.085) * SIZE).clamp(0, 1))
    if time == 2:
        stars = torch.zeros(SIZE, SIZE)
        for row, column in _STARS:
            stars[row, (column + 29 * variant) % SIZE] = 1
        return sky + (1 - sky) * stars * 0.8
    cloud = torch.exp(-((((x - cloud_x) / 0.13) ** 2 + ((y - 0.11) / 0.05) ** 2) ** 2))
    return sky + (LIGHT[time].clamp(min=0.85)[:, None, None] - sky) * cloud * 0.85


def _ground(style: int, place: int, time: int, variant: int) -> Tensor:
    x, y = grid()
    ground = (_GROUND[place] * LIGHT[time])[:, None, None].expand(3, SIZE, SIZE)
    if style != _FLAT:
        ground = ground * (1.08 - 0.25 * ((y - _HORIZON) / (1 - _HORIZON)).clamp(0, 1))
    if place != _SEA:
        return ground
    waves = (torch.sin(2 * math.pi * 4 * x + 2 * variant) > 0.44) & ((y * 8).floor() % 2 == 1)
    return torch.where(waves, 0.6 * ground + 0.4 * LIGHT[time][:, None, None], ground)


def _on_paper(place: int, time: int, variant: int, below: Tensor, edge: Tensor, disc: Tensor) -> Tensor:
    """Ink on paper: a horizon, hatched ground, the sun as a ring."""
    x, y = grid()
    paper, ink = _PAPER[time][:, None, None], _INK[time][:, None, None]
    canvas = paper + ((_GROUND[place] * LIGHT[time])[:, None, None] - paper) * below * 0.35
    if place == _SEA:
        hatch = (((y * 16).floor() % 2 == 0) & (torch.sin(2 * math.pi * 4 * x + 2 * variant) > 0)).float() * 0.4
    else:
        hatch = ((x * 16 + y * 16).floor() % 4 == 0).float() * (0.35, 0.0, 0.0, 0.2)[place]
    ring = ((disc - 0.085).abs() < 0.014).float()
    return canvas + (ink - canvas) * torch.maximum(torch.maximum(edge, ring), hatch * below)
