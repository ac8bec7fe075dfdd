"""Paint scenes: 64 x 64 RGB from cut-outs and backdrops, a batch at a time, deterministic in the scene."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from . import vocabulary as words
from .backdrops import LIGHT, SIZE, draw_backdrops
from .effects import add_bars, add_halo, degrade, enhance
from .scenes import Scenes

_TOP = {48: 10, 24: 30, 88: -12}
"""Row at which a cut-out of this side begins."""
_CROP = {48: 32, 24: 32, 88: 40}
"""How far a cropped one is moved to a side, in pixels."""
_AT_ONCE = 250
"""A scene takes half a megabyte while it is painted."""
_NIGHT_INK = (0.90, 0.93, 1.0)


class Renderer:
    """Paints scenes; holds the cut-outs [32, 4, 4, S, S] of each of `icons.SIZES` and every backdrop."""

    def __init__(self, cutouts: Mapping[str, Tensor]) -> None:
        self.cutouts = cutouts
        self.backdrops = draw_backdrops()

    def __call__(self, scenes: Scenes) -> Tensor:
        """Pictures [B, 3, 64, 64] in 0..1."""
        return torch.cat([self._paint(scenes[rows]) for rows in torch.split(torch.arange(len(scenes)), _AT_ONCE)])

    def _paint(self, scenes: Scenes) -> Tensor:
        thing, alpha = torch.split(self._place(scenes), [3, 1], dim=1)
        is_ink = scenes.style == words.STYLES.index("line drawing")
        is_light_ink = is_ink & (scenes.time == words.TIMES.index("night"))
        light = torch.where(is_ink[:, None], 1.0, 0.55 + 0.45 * LIGHT[scenes.time])
        white = alpha * torch.tensor(_NIGHT_INK)[:, None, None]
        thing = torch.where(is_light_ink[:, None, None, None], white, thing) * light[:, :, None, None]
        canvas = self.backdrops[scenes.style, scenes.place, scenes.time, scenes.variant]
        canvas = add_halo(canvas, scenes, alpha, torch.where(is_light_ink, 0.05, 1.0))
        canvas = enhance(canvas * (1 - alpha) + thing, scenes)
        return add_bars(degrade(canvas, scenes), scenes).clamp(0, 1)

    def _place(self, scenes: Scenes) -> Tensor:
        """[B, 4, 64, 64] the things where they stand, in steps of 8 pixels."""
        room = torch.zeros(len(scenes), 4, 3 * SIZE, 3 * SIZE)  # the picture is the middle third
        for row in range(len(scenes)):
            cutout = self.cutouts[_size(scenes, row)][scenes.thing[row], scenes.style[row]]
            side = cutout.shape[-1]
            x = (SIZE - side) // 2 + (0 if side > SIZE else 8 * int(scenes.shift[row]))
            if scenes.of_fault("cropped")[row] > 0:
                x += _CROP[side] if scenes.phase[row, 2] < 0.5 else -_CROP[side]
            top, left = SIZE + _TOP[side], SIZE + x
            room[row, :, top : top + side, left : left + side] = cutout
        return room[:, :, SIZE : 2 * SIZE, SIZE : 2 * SIZE]


def _size(scenes: Scenes, row: int) -> str:
    kinds = [name for name in ("close-up", "tiny", "tilted") if scenes.has(name)[row] > 0]
    return " ".join(kinds) or "normal"
