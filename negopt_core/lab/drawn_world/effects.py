"""What can be good about a picture of the drawn world, and what can be wrong with it."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from ...world.effects import gaussian, where_severe
from .backdrops import SIZE, grid
from .scenes import Scenes


def add_halo(canvas: Tensor, scenes: Scenes, alpha: Tensor, outline: Tensor) -> Tensor:
    """Behind the thing: a glow around it, and the white rim of a sticker; `outline` [B] is the rim's grey value."""
    rows = scenes.has("glowing") > 0
    if bool(rows.any()):
        canvas = canvas.clone()
        wide = functional.avg_pool2d(functional.avg_pool2d(alpha[rows], 7, 1, 3), 7, 1, 3)
        darker = canvas[rows] * 0.75
        canvas[rows] = darker + (_colour(1.0, 0.95, 0.45) - darker) * (1.6 * wide).clamp(0, 1) * 0.95
    rows = scenes.has("outlined") > 0
    if bool(rows.any()):
        canvas = canvas.clone()
        rim = functional.max_pool2d((alpha[rows] > 0.4).float(), 7, 1, 3)
        canvas[rows] = canvas[rows] + (outline[rows, None, None, None] - canvas[rows]) * rim
    return canvas


def enhance(canvas: Tensor, scenes: Scenes) -> Tensor:
    """On the finished scene: highlights, richer colour, a warm tone (the bars of a cinema come last, `add_bars`)."""
    x, y = grid()
    middle = (0.5 + 0.125 * scenes.shift)[:, None, None] - 0.10
    shine = torch.exp(-(((x - middle) / 0.13) ** 2 + ((y - 0.36) / 0.07) ** 2))
    shine = shine + 0.7 * torch.exp(-(((x - middle - 0.26) / 0.05) ** 2 + ((y - 0.66) / 0.10) ** 2))
    shine = (1.15 * shine).clamp(0, 0.95) * scenes.has("glossy")[:, None, None]
    canvas = canvas + (1 - canvas) * shine[:, None]
    vivid, cinematic = (scenes.has(name)[:, None, None, None] for name in ("vivid", "cinematic"))
    grey = canvas.mean(dim=1, keepdim=True)
    canvas = canvas + vivid * (0.75 * (canvas - grey) + 0.04)
    return (canvas * (1 + cinematic * (_colour(1.12, 1.0, 0.82) - 1))).clamp(0, 1)


def add_bars(canvas: Tensor, scenes: Scenes) -> Tensor:
    """The black bars of a cinematic picture, above and below."""
    _, y = grid()
    bars = scenes.has("cinematic")[:, None, None, None] * ((y < 0.125) | (y >= 0.875)).float()
    return canvas + (0.03 - canvas) * bars


def degrade(canvas: Tensor, scenes: Scenes) -> Tensor:
    """Everything that spoils the finished picture (cropping happened when the thing was placed)."""

    def severity(fault: str) -> Tensor:
        return scenes.of_fault(fault)[:, None, None, None]

    grey = canvas.mean(dim=(1, 2, 3), keepdim=True) * 0.4 + 0.4
    canvas = canvas + severity("faded") * 0.70 * (grey - canvas)
    canvas = canvas * (1 - 0.62 * severity("underexposed"))
    canvas = canvas * (1 + 0.75 * severity("overexposed")) + 0.12 * severity("overexposed")
    canvas = canvas + (0.95 - canvas) * 0.72 * severity("watermark") * _letters(scenes)
    canvas = where_severe(canvas, severity("blurry"), _blur)
    canvas = where_severe(canvas, severity("pixelated"), _pixelate)
    return canvas + 0.22 * severity("noisy") * _grain(scenes)


def _colour(red: float, green: float, blue: float) -> Tensor:
    return torch.tensor([red, green, blue])[:, None, None]


def _letters(scenes: Scenes) -> Tensor:
    """[B, 1, 64, 64]: a slanted band of letter-like bars at one of two heights."""
    x, y = grid()
    height = torch.where(scenes.phase[:, 0] > 0.5, 0.625, 0.375)[:, None, None]
    along = x - 0.35 * y
    band = (y - height + 0.35 * (x - 0.5)).abs() < 0.085
    bars = (torch.sin(2 * math.pi * 8 * along) > -0.2) & (torch.sin(2 * math.pi * 5.3 * along + 1) > -0.6)
    return (band & bars).float()[:, None]


def _grain(scenes: Scenes) -> Tensor:
    """[B, 1, 64, 64] of -1..1, grains two pixels wide, one of two patterns: noise that is new in every picture cannot
    be learned."""
    x, y = (torch.floor(axis * 32) / 32 for axis in grid())
    variant = torch.floor(scenes.phase[:, 1, None, None] * 2)
    seeds = 12.9898 * x + 78.233 * y + 3.77 * variant
    return 2 * torch.frac(torch.sin(seeds) * 43758.5453).abs()[:, None] - 1


def _blur(canvas: Tensor, severity: Tensor) -> Tensor:
    """Gaussian of 1.4 to 2.6 pixels, between two fixed kernels so that the batch shares them."""
    light, heavy = (gaussian(canvas, sigma) for sigma in (1.4, 2.6))
    return light + severity * (heavy - light)


def _pixelate(canvas: Tensor, severity: Tensor) -> Tensor:
    """Blocks of four pixels, of eight where it is worst."""
    fine, coarse = (
        functional.interpolate(functional.avg_pool2d(canvas, side), size=(SIZE, SIZE), mode="nearest")
        for side in (4, 8)
    )
    return torch.where(severity > 0.85, coarse, fine)
