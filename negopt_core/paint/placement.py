"""Where a pipeline's weights lie while it paints, and what is saved of the GPU's memory."""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch

from ..errors import ModelError
from ..needs import need

Offload = Literal["none", "vae", "tiles", "model", "layers"]
"""What is saved, from the least to the most: nothing; pictures are decoded one at a time; and in overlapping tiles;
or, with `vae`, each model (text encoder, UNet, VAE) is on the GPU only while it runs; or each layer, which is slow.

Pictures are the same up to rounding, but that `tiles` blends seams in pictures larger than the VAE was trained at.
"""

OFFLOADS: tuple[Offload, ...] = get_args(Offload)
_MOVED = "model", "layers"


def read_offload(offload: bool | str) -> Offload:
    """An Offload by name; True is `layers` and False `none`. ModelError for another name."""
    name = {True: "layers", False: "none"}.get(offload, offload) if isinstance(offload, bool) else offload
    found = next((known for known in OFFLOADS if known == name), None)
    if found is None:
        raise ModelError(f"no way to save memory is called {offload!r}; use one of {', '.join(OFFLOADS)}")
    return found


def read_device(device: str | torch.device | None) -> torch.device:
    """The device by name; None is the GPU if there is one, else the CPU. ModelError for a name that torch refuses."""
    if device is None:
        has_mps = torch.backends.mps.is_available()
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu")
    try:
        return torch.device(device)
    except RuntimeError as error:
        raise ModelError(f"no device is called {device!r}; use cpu, cuda, cuda:1 or mps") from error


def check_offload(device: torch.device, offload: Offload) -> None:
    """ModelError, or MissingPackage, where weights cannot be moved; asked before they are read."""
    if offload not in _MOVED:
        return
    if device.type == "cpu":
        raise ModelError("offload moves weights to a GPU while they are used, and the device is cpu; leave it out")
    need("accelerate")


def place(pipeline: Any, device: torch.device, offload: Offload) -> None:
    """Put a pipeline on the device; ModelError if it cannot be put there."""
    try:
        if offload != "none":
            pipeline.vae.enable_slicing()
        if offload == "tiles":
            pipeline.vae.enable_tiling()
        if offload == "layers":
            pipeline.enable_sequential_cpu_offload(device=device)
        elif offload == "model":
            pipeline.enable_model_cpu_offload(device=device)
        else:
            pipeline.to(device)
    except (RuntimeError, ValueError, ImportError, AssertionError) as error:  # torch without CUDA asserts
        way = f" with offload {offload}" if offload in _MOVED else ""
        raise ModelError(f"the model cannot be put on {device}{way}: {error}") from error
