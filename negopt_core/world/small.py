"""Weights as whole numbers of 8 bits, half the size of float16: how the registry's archive carries the demo world."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

_SCALE = ".int8_scale"
"""Behind a tensor's name: the step of each of its rows, [rows, 1, ...] in float32."""


def shrink(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Matrices and kernels as int8 with a step for each row (their first dimension); everything else as it is."""
    small: dict[str, Tensor] = {}
    for name, value in tensors.items():
        if value.dim() < 2 or not value.is_floating_point():
            small[name] = value
            continue
        rows = value.float()
        step = rows.abs().amax(dim=tuple(range(1, rows.dim())), keepdim=True).clamp(min=1e-12) / 127
        small[name], small[name + _SCALE] = (rows / step).round().to(torch.int8), step
    return small


def restore(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Every tensor in float32, whether `shrink` was there or not."""
    steps = {name: value for name, value in tensors.items() if name.endswith(_SCALE)}
    return {name: value.float() * steps.get(name + _SCALE, 1.0) for name, value in tensors.items() if name not in steps}
