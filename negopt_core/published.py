"""Weights that others published as a torch file, read without running any code: only to convert them to safetensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .errors import ModelError


def read_published(source: Path) -> Any:
    """What the file holds: numbers and plain containers. ModelError if it holds anything else or is damaged."""
    import torch

    try:
        return torch.load(source, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler promises no family of errors for a damaged file
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"cannot read {source} as plain weights: {type(error).__name__}: {reason}") from error
