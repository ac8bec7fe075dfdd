"""Putting a network where a user wants it."""

from __future__ import annotations

from typing import TypeVar

from torch import nn

from .errors import ModelError

Network = TypeVar("Network", bound=nn.Module)


def put_on(network: Network, device: str) -> Network:
    """Move a network; ModelError, in one line, for a device that is not there or has no room."""
    try:
        return network.to(device)
    except (RuntimeError, AssertionError) as error:  # torch without CUDA asserts
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"nothing can be put on {device!r}: {reason}; use cpu, cuda, cuda:1 or mps") from error
