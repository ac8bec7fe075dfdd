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
    except OSError as error:
        raise ModelError(f"cannot read {source} as plain weights: {error.strerror or error}") from error
    except Exception as error:  # the unpickler promises no family of errors, and torch advises to run what is in there
        raise ModelError(
            f"cannot read {source} as plain weights: it is damaged, is no torch file (a web page saved by mistake?), "
            "or holds code; nothing in it was run. Download it again"
        ) from error
