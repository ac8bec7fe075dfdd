"""What can be good about a picture of the world, and what can be wrong with it."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from . import vocabulary as words
from .scenes import Scenes


def enhance_surface(surface: Tensor, scenes: Scenes, u: Tensor, v: Tensor) -> Tensor:
    """Gloss, stripes and fine grain on an object; `u`, `v` [B, H, W] are its own coordinates."""
    glossy, detailed, textured = (_enhanced(scenes, name) for name in ("glossy", "detailed", "textured"))
    highlight = torch.exp(-((u + 0.32) ** 2 + (v + 0.38) ** 2) / 0.06) + 0.45 * torch.exp(
        -((u - 0.35) ** 2 + (v - 0.45) ** 2) / 0.08
    )
    surface = surface + (1.0 - surface) * (highlight * glossy).clamp(0, 1)[:, None]
    stripes = (torch.sin(9.0 * (u + 0.6 * v)) > 0).float() * textured
    surface = surface * (1 - 0.5 * stripes[:, None])
    grain = torch.sin(14 * u) * torch.sin(14 * v) * detailed
    return surface * (1 + 0.4 * grain[:, None])


def enhance_light(canvas: Tensor, scenes: Scenes, x: Tensor, y: Tensor) -> Tensor:
    """Richer colour, a lit and vignetted frame, fine relief in the backdrop."""
    vivid, cinematic, detailed = (_enhanced(scenes, name)[:, None] for name in ("vivid", "cinematic", "detailed"))
    grey = canvas.mean(dim=1, keepdim=True)
    canvas = canvas + vivid * (0.55 * (canvas - grey) + 0.07)
    relief = torch.sin(2 * math.pi * 8 * (x + 0.15 * torch.sin(12 * y)))[:, None] * (y > 0.55).float()[:, None]
    canvas = canvas * (1 + 0.22 * detailed * relief)
    glow = torch.exp(-((x - 0.5) ** 2 + (y - 0.38) ** 2) / 0.06)[:, None]
    vignette = 1 - 0.62 * (((x - 0.5) ** 2 + (y - 0.5) ** 2) / 0.5)[:, None]
    lit = canvas * vignette + glow * torch.tensor([0.26, 0.17, 0.05])[:, None, None]
    return canvas + cinematic * (lit - canvas)


def degrade(canvas: Tensor, scenes: Scenes, x: Tensor, y: Tensor) -> Tensor:
    """Everything that spoils the finished picture (cropping and deformation happened when the object was placed)."""
    canvas = _oversaturate(canvas, _severity(scenes, "oversaturated"))
    grey = canvas.mean(dim=(1, 2, 3), keepdim=True) * 0.4 + 0.36
    canvas = canvas + _severity(scenes, "faded") * 0.68 * (grey - canvas)
    canvas = canvas * (1 - 0.62 * _severity(scenes, "underexposed"))
    canvas = canvas * (1 + 0.75 * _severity(scenes, "overexposed")) + 0.10 * _severity(scenes, "overexposed")
    canvas = _watermark(canvas, scenes, x, y)
    canvas = where_severe(canvas, _severity(scenes, "blurry"), _blur)
    canvas = where_severe(canvas, _severity(scenes, "pixelated"), _pixelate)
    return canvas + _severity(scenes, "noisy") * 0.24 * hash_noise(scenes, x, y)


def hash_noise(scenes: Scenes, x: Tensor, y: Tensor) -> Tensor:
    """Grain [B, 3, H, W] of about -1..1, two pixels wide, one of four patterns by scene.

    Noise that is new in every picture cannot be learned at all: a model's best guess of it is none."""
    x, y = (torch.floor(x * 32) / 32, torch.floor(y * 32) / 32)
    variant = torch.floor(scenes.phase[:, 0, None, None] * 4)
    seeds = 12.9898 * x + 78.233 * y + 3.77 * variant
    channels = torch.stack([seeds + k * 4.137 for k in range(3)], dim=1)
    return 2 * torch.frac(torch.sin(channels) * 43758.5453).abs() - 1


def _enhanced(scenes: Scenes, name: str) -> Tensor:
    return scenes.enhanced[:, list(words.ENHANCEMENTS).index(name), None, None]


def _severity(scenes: Scenes, name: str) -> Tensor:
    return scenes.severity[:, list(words.DEGRADATIONS).index(name), None, None, None]


def where_severe(canvas: Tensor, severity: Tensor, effect: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Run a costly effect on the affected pictures only."""
    rows = severity.flatten() > 0
    if not bool(rows.any()):
        return canvas
    canvas = canvas.clone()
    canvas[rows] = effect(canvas[rows], severity[rows])
    return canvas


def _oversaturate(canvas: Tensor, severity: Tensor) -> Tensor:
    grey = canvas.mean(dim=1, keepdim=True)
    burnt = (grey + 2.6 * (canvas - grey) - 0.5) * 1.35 + 0.55
    return canvas + severity * (burnt - canvas)


def _blur(canvas: Tensor, severity: Tensor) -> Tensor:
    """Gaussian of about 1.6 to 2.2 pixels, between two fixed kernels so that the batch shares them."""
    light, heavy = (gaussian(canvas, sigma) for sigma in (1.1, 2.2))
    return light + severity * (heavy - light)


def gaussian(canvas: Tensor, sigma: float) -> Tensor:
    """Blur pictures [B, 3, H, W] by `sigma` pixels."""
    reach = math.ceil(3 * sigma)
    line = torch.exp(-(torch.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    line = line / line.sum()
    kernel = line.expand(3, 1, 1, -1)
    canvas = functional.pad(canvas, (reach, reach, reach, reach), mode="replicate")
    canvas = functional.conv2d(canvas, kernel, groups=3)
    return functional.conv2d(canvas, kernel.transpose(2, 3), groups=3)


def _pixelate(canvas: Tensor, severity: Tensor) -> Tensor:
    """Blocks of four pixels, the more of them the worse."""
    coarse = functional.interpolate(functional.avg_pool2d(canvas, 4), scale_factor=4, mode="nearest")
    return canvas + severity**0.5 * (coarse - canvas)


def _watermark(canvas: Tensor, scenes: Scenes, x: Tensor, y: Tensor) -> Tensor:
    """A slanted band of letter-like bars."""
    offset = 0.34 + 0.3 * scenes.phase[:, 5, None, None]
    across = (y - offset) + 0.35 * (x - 0.5)
    along = x - 0.35 * y
    band = (across.abs() < 0.085).float()
    bars = (torch.sin(2 * math.pi * 8 * along) > -0.2).float() * (
        torch.sin(2 * math.pi * 5.3 * along + 1) > -0.6
    ).float()
    mask = (band * bars)[:, None] * 0.72 * _severity(scenes, "watermark")
    return canvas + (0.95 - canvas) * mask
