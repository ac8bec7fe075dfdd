"""Between tensors in 0..1 and picture files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from ..errors import OutputError


def read_image(path: Path) -> torch.Tensor:
    """A picture file as [3, H, W] float32 in 0..1; raises OutputError if it cannot be read as one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OutputError(f"cannot read {path} as a picture: {error}") from error
    return decode_image(content, str(path))


def decode_image(content: bytes, source: str) -> torch.Tensor:
    """The content of a picture file as `read_image` gives it; `source` is named if it cannot be read."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content)) as image:
            pixels = torch.frombuffer(bytearray(image.convert("RGB").tobytes()), dtype=torch.uint8)
            width, height = image.size
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise OutputError(f"cannot read {source} as a picture: {error}") from error
    return pixels.view(height, width, 3).permute(2, 0, 1).float() / 255


def to_pixels(image: torch.Tensor) -> Any:
    """[3, H, W] in 0..1 as a uint8 array [H, W, 3]."""
    return (image.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
