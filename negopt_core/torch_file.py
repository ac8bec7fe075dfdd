"""Tensors in files: written as safetensors, and read from torch files of others without running any code."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ModelError, OutputError
from .files import whole_path

if TYPE_CHECKING:
    from torch import Tensor


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write safetensors, on the disk when this returns; the file is there whole or not at all, else OutputError."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with whole_path(path) as partial:
        try:
            save_file(
                {name: value.contiguous() for name, value in tensors.items()}, partial, metadata and dict(metadata)
            )
        except SafetensorError as error:
            raise OutputError(f"cannot write {path}: {error}") from error
        with partial.open("rb+") as file:  # a disk may find out that it is full only now
            os.fsync(file.fileno())


def hash_tensors(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and numbers, in the order given; as hex digits."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in tensors.items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def read_torch_file(source: Path) -> Any:
    """What the file holds: numbers and plain containers. ModelError if it holds anything else or is damaged."""
    import torch

    try:
        return torch.load(source, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler promises no family of errors, and torch advises to run what is in there
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # that: a seek before a short file's start
            raise ModelError(f"cannot read {source} as plain weights: {error.strerror or error}") from error
        raise ModelError(
            f"cannot read {source} as plain weights: it is damaged, is no torch file (a web page saved by mistake?), "
            "or holds code; nothing in it was run. Download it again"
        ) from error
