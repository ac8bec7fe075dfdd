"""Putting a network where a user wants it."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

from .errors import ModelError

Network = TypeVar("Network", bound=nn.Module)
AUTO = "auto"
"""The GPU if there is one."""


def find_device(device: str) -> str:
    """The device itself; for "auto" cuda if there is one, else mps, else cpu."""
    if device != AUTO:
        return device
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def put_on(network: Network, device: str) -> Network:
    """Move a network, with "auto" to `find_device`; ModelError, in one line, for a device not there or without room."""
    try:
        return network.to(find_device(device))
    except (RuntimeError, AssertionError) as error:  # torch without CUDA asserts
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"nothing can be put on {device!r}: {reason}; use cpu, cuda, cuda:1 or mps") from error
