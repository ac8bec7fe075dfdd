"""A painter by the name that a user writes after `--model`."""

from __future__ import annotations

from ..errors import ModelError
from .base import ModelPainter, PaintSettings
from .comfy_server import PREFIX, ComfyPainter, parse_model
from .diffusers_painter import load_painter


def open_painter(
    model: str, settings: PaintSettings | None = None, device: str | None = None, offload: bool = False
) -> ModelPainter:
    """`comfy:[CHECKPOINT@]http://host:port[,...]` is a ComfyPainter; everything else is for `load_painter`."""
    if not model.startswith(PREFIX):
        return load_painter(model, settings, device=device, offload=offload)
    if device or offload:
        raise ModelError("a ComfyUI server chooses its own device; leave out --device and --offload")
    checkpoint, addresses = parse_model(model)
    return ComfyPainter(addresses, checkpoint, settings)
