"""Paint scenes: 64 x 64 RGB from signed distances, a batch at a time, deterministic in the scene."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from . import vocabulary as words
from .effects import degrade, enhance_light, enhance_surface
from .scenes import Scenes

SIZE = 64
"""Side of a picture in pixels."""

_LIGHT = torch.tensor([[1.0, 1.0, 1.0], [1.06, 0.86, 0.72], [0.42, 0.47, 0.68]])  # [time, rgb]
_SKY_TOP = torch.tensor([[0.25, 0.52, 0.92], [0.48, 0.28, 0.55], [0.03, 0.04, 0.16]])
_SKY_LOW = torch.tensor([[0.72, 0.86, 0.98], [0.98, 0.62, 0.30], [0.12, 0.15, 0.34]])
_GROUND = torch.tensor([[0.10, 0.38, 0.62], [0.85, 0.68, 0.42], [0.22, 0.42, 0.16], [0.90, 0.93, 0.97]])  # [place, rgb]


def render(scenes: Scenes) -> Tensor:
    """Pictures [B, 3, 64, 64] in 0..1."""
    x, y = _grid(len(scenes))
    tilted = _tilt(scenes, x, y)
    canvas = _backdrop(scenes, *tilted)
    if bool(scenes.has_second.any()):
        canvas = _draw_object(canvas, scenes, 1, *tilted)
    canvas = _draw_object(canvas, scenes, 0, *tilted)
    canvas = enhance_light(canvas, scenes, x, y)
    canvas = _apply_medium(canvas, scenes, x, y)
    return degrade(canvas, scenes, x, y).clamp(0.0, 1.0)


def _grid(batch: int) -> tuple[Tensor, Tensor]:
    line = (torch.arange(SIZE) + 0.5) / SIZE
    y, x = torch.meshgrid(line, line, indexing="ij")
    return x.expand(batch, SIZE, SIZE), y.expand(batch, SIZE, SIZE)


def _tilt(scenes: Scenes, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Pixel coordinates as a camera sees them that is turned to one side in dramatic scenes."""
    dramatic = scenes.enhanced[:, list(words.ENHANCEMENTS).index("dramatic")]
    side = torch.where(scenes.phase[:, 3] < 0.5, -1.0, 1.0)
    turn = _per(0.42 * side * dramatic)
    u, v = x - 0.5, y - 0.55
    return 0.5 + u * torch.cos(turn) - v * torch.sin(turn), 0.55 + u * torch.sin(turn) + v * torch.cos(turn)


def _per(values: Tensor) -> Tensor:
    """[B] -> [B, 1, 1], to combine with pixels."""
    return values[:, None, None]


def _mix(canvas: Tensor, colour: Tensor, mask: Tensor) -> Tensor:
    """Lay `colour` [B, 3] or [B, 3, H, W] over the canvas where `mask` [B, H, W] is 1."""
    colour = colour[:, :, None, None] if colour.dim() == 2 else colour
    return canvas + (colour - canvas) * mask[:, None]


def _edge(distance: Tensor, softness: float = 1.2 / SIZE) -> Tensor:
    """1 inside (negative distance), 0 outside, smooth over about a pixel."""
    return torch.sigmoid(-distance / (softness / 3))


def _backdrop(scenes: Scenes, x: Tensor, y: Tensor) -> Tensor:
    """Sky, ground and what makes a place a place."""
    phase = scenes.phase
    horizon = 0.50 + 0.06 * (_per(phase[:, 0]) - 0.5)
    dunes = 0.035 * torch.sin(2 * math.pi * (1.3 * x + _per(phase[:, 1])))
    is_flat = _per((scenes.place == words.PLACES.index("sea")).float())
    line = horizon + dunes * (1 - is_flat)
    depth = (y / horizon).clamp(0, 1)[:, None]
    sky = _SKY_TOP[scenes.time][:, :, None, None] * (1 - depth) + _SKY_LOW[scenes.time][:, :, None, None] * depth
    shade = 1.0 + 0.35 * (y - 0.75)
    ground = (_GROUND[scenes.place] * _LIGHT[scenes.time])[:, :, None, None] * shade[:, None]
    waves = torch.sin(2 * math.pi * (9 * (y - line) + 0.35 * torch.sin(2 * math.pi * (2 * x + _per(phase[:, 2])))))
    strength = torch.tensor([0.16, 0.07, 0.05, 0.03])[scenes.place]
    ground = ground * (1 + _per(strength) * waves)[:, None]
    canvas = sky + (ground - sky) * _edge(line - y)[:, None]
    canvas = _draw_trees(canvas, scenes, x, y, line)
    return _draw_moon_and_flakes(canvas, scenes, x, y)


def _draw_trees(canvas: Tensor, scenes: Scenes, x: Tensor, y: Tensor, line: Tensor) -> Tensor:
    """A row of firs behind the ground of a forest."""
    period = 0.16
    column = torch.remainder(x + _per(scenes.phase[:, 3]) * period, period) - period / 2
    height = (y - (line - 0.30)) / 0.34  # 0 at the tip, 1 at the foot
    inside = _edge(column.abs() - 0.075 * height.clamp(0, 1)) * ((height > 0) & (height < 1)).float()
    forest = _per((scenes.place == words.PLACES.index("forest")).float())
    green = torch.tensor([0.08, 0.27, 0.12]) * _LIGHT[scenes.time]
    return _mix(canvas, green, inside * forest)


def _draw_moon_and_flakes(canvas: Tensor, scenes: Scenes, x: Tensor, y: Tensor) -> Tensor:
    night = _per((scenes.time == words.TIMES.index("night")).float())
    where = 0.15 + 0.7 * _per(scenes.phase[:, 4])
    moon = _edge(torch.hypot(x - where, y - 0.12) - 0.045) * night
    canvas = _mix(canvas, torch.tensor([0.95, 0.95, 0.86]).expand(len(scenes), 3), moon)
    snow = _per((scenes.place == words.PLACES.index("snow")).float())
    u, v = x * 5 + _per(scenes.phase[:, 5]), y * 5 + 0.5 * torch.floor(x * 5) + _per(scenes.phase[:, 6])
    flakes = _edge(torch.hypot(torch.remainder(u, 1) - 0.5, torch.remainder(v, 1) - 0.5) / 5 - 0.012) * snow
    return _mix(canvas, torch.ones(len(scenes), 3) * 0.97, flakes * 0.85)


def object_distance(shape: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """Signed distance [B, H, W] to each shape in its own unit frame (radius 1, v down)."""
    ball = torch.hypot(u, v) - 0.95
    cube = torch.maximum(u.abs(), v.abs()) - 0.80
    ring = (torch.hypot(u, v) - 0.70).abs() - 0.24
    pyramid = torch.maximum(u.abs() * 0.87 - v * 0.49 - 0.467, v - 0.82)
    angle, radius = torch.atan2(u, -v), torch.hypot(u, v)
    spike = torch.remainder(angle + math.pi / 5, 2 * math.pi / 5) - math.pi / 5
    star = radius * (torch.cos(spike.abs()) + 1.35 * torch.sin(spike.abs())) * 0.62 - 0.62 * 1.02
    p, q = u.abs(), -v + 0.05
    heart = torch.minimum(
        torch.hypot(p - 0.44, q - 0.36) - 0.50,
        torch.maximum(p * 0.74 - (q + 0.86) * 0.66, q - 0.36) * 0.99,
    )
    stacked = torch.stack([ball, cube, star, heart, ring, pyramid], dim=1)
    return stacked.gather(1, shape[:, None, None, None].expand(-1, 1, *u.shape[1:]))[:, 0]


def _object_frame(scenes: Scenes, which: int, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Coordinates of the pixels in an object's own frame, and its radius [B, 1, 1]."""
    cx, cy, radius, angle = (_per(column) for column in scenes.pose.unbind(1))
    beside = _per((scenes.relation == 1).float())
    above = _per((scenes.relation == 2).float())
    sign = -1.0 if which == 0 else 1.0
    cx = cx + sign * beside * radius * 1.15
    cy = cy - sign * above * radius * 1.08 - 0.06 * above
    deformed = _per(scenes.severity[:, list(words.DEGRADATIONS).index("deformed")])
    u, v = (x - cx) / radius, (y - cy) / radius
    turn = angle + deformed * 0.32 * torch.sin(1.7 * v + 6.28 * _per(scenes.phase[:, 7]))
    u, v = u * torch.cos(turn) - v * torch.sin(turn), u * torch.sin(turn) + v * torch.cos(turn)
    dents = 1 + 0.14 * deformed * torch.sin(8 * torch.atan2(u, -v) + 6.28 * _per(scenes.phase[:, 7]))
    u, v = u * dents, v * dents
    return u + deformed * 0.22 * torch.sin(3.2 * v + 6.28 * _per(scenes.phase[:, 6])), v * (1 + 0.35 * deformed), radius


def _draw_object(canvas: Tensor, scenes: Scenes, which: int, x: Tensor, y: Tensor) -> Tensor:
    u, v, radius = _object_frame(scenes, which, x, y)
    distance = object_distance(scenes.shape[:, which], u, v) * radius
    there = torch.ones(len(scenes)) if which == 0 else scenes.has_second.float()
    shadow = _edge(torch.hypot(u * 0.95, (v - 1.02) * 4.0) * radius - radius, 0.08) * 0.45
    canvas = _mix(canvas, torch.zeros(len(scenes), 3), shadow * _per(there))
    base = torch.tensor(words.COLOUR_RGB)[scenes.colour[:, which]] * (0.35 + 0.65 * _LIGHT[scenes.time])
    shade = (1.0 - 0.30 * (0.6 * u + 0.8 * v).clamp(-1, 1)).clamp(0, 1.3)
    surface = base[:, :, None, None] * shade[:, None]
    surface = enhance_surface(surface, scenes, u, v)
    canvas = _mix(canvas, surface, _edge(distance) * _per(there))
    outline = torch.tensor([0.0, 0.0, 0.75, 0.95])[scenes.medium]
    width = torch.tensor([0.01, 0.01, 0.010, 0.022])[scenes.medium]
    return _mix(canvas, torch.full((len(scenes), 3), 0.06), _edge(distance.abs() - _per(width)) * _per(there * outline))


def _apply_medium(canvas: Tensor, scenes: Scenes, x: Tensor, y: Tensor) -> Tensor:
    painting, sketch, cartoon = (_per((scenes.medium == k).float())[:, None] for k in (1, 2, 3))
    wave = torch.sin(2 * math.pi * (5 * x + 3 * y + _per(scenes.phase[:, 1]))) * torch.sin(
        2 * math.pi * (3.5 * y - 4 * x + _per(scenes.phase[:, 2]))
    )
    stroke = torch.sin(2 * math.pi * (6 * (x + y) + 0.3 * wave))
    painted = canvas * (1 + 0.22 * stroke[:, None]) + torch.tensor([0.07, 0.02, -0.05])[:, None, None]
    grey = canvas.mean(dim=1, keepdim=True)
    hatch = (torch.sin(2 * math.pi * 7 * (x - y)) > 0.45).float()[:, None] * (1 - grey) * 0.22
    drawn = 0.42 + 0.55 * (0.55 * canvas + 0.45 * grey) - hatch
    flat = torch.round(canvas * 4) / 4 * 0.85 + canvas * 0.15
    return canvas + painting * (painted - canvas) + sketch * (drawn - canvas) + cartoon * (flat - canvas)
