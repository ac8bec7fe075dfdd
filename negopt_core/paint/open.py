"""A painter by the name that a user writes after `--model`."""

from __future__ import annotations

import torch

from ..errors import ModelError
from .base import ModelPainter, PaintSettings
from .comfy_server import PREFIX, ComfyPainter, parse_model
from .diffusers_painter import load_painter
from .placement import read_offload

DTYPES = ("float32", "bfloat16", "float16")
"""Precisions that a user can name."""


def open_painter(
    model: str,
    settings: PaintSettings | None = None,
    device: str | None = None,
    offload: bool | str = False,
    dtype: str | None = None,
) -> ModelPainter:
    """`comfy:[CHECKPOINT@]http://host:port[,...]` is a ComfyPainter; everything else is for `load_painter`.

    `dtype` is one of DTYPES; None is float16 on a GPU, else float32.
    """
    if not model.startswith(PREFIX):
        return load_painter(model, settings, device=device, offload=offload, dtype=read_dtype(dtype))
    if device or read_offload(offload) != "none" or dtype:
        raise ModelError(
            "a ComfyUI server chooses its own device and precision; leave out --device, --offload and --paint-dtype"
        )
    checkpoint, addresses = parse_model(model)
    return ComfyPainter(addresses, checkpoint, settings)


def read_dtype(name: str | None) -> torch.dtype | None:
    """The precision of a name in DTYPES; None stays None."""
    if name is not None and name not in DTYPES:
        raise ModelError(f"no precision is called {name!r}; use one of {', '.join(DTYPES)}")
    return None if name is None else getattr(torch, name)
