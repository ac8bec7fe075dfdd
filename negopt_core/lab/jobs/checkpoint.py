"""Save and restore a training run exactly, without pickle: modules, optimiser, random state in safetensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ...errors import OutputError, TrainingError
from ...torch_file import save_tensors


def save_checkpoint(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    progress: Mapping[str, float],
) -> None:
    """Write everything the next step depends on; the file appears whole or not at all.

    Raises OutputError, and leaves the file that was there before as it is, if that cannot be done.
    """
    tensors: dict[str, Tensor] = {"generator": generator.get_state()}
    for name, module in modules.items():
        tensors |= {f"module/{name}/{key}": value.clone() for key, value in module.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{key}": torch.as_tensor(value).clone() for key, value in state.items()}
    try:
        save_tensors(path, tensors, {"progress": json.dumps(dict(progress))})
    except OutputError as error:
        raise OutputError(
            f"{error}; the last checkpoint is intact: make room, and the same command goes on from there"
        ) from error


def load_checkpoint(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
) -> dict[str, float]:
    """Restore what `save_checkpoint` wrote and return its progress.

    Raises TrainingError for a damaged file, and for one with missing or surplus tensors.
    """
    try:
        return _load(path, modules, optimizer, generator)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise TrainingError(
            f"the checkpoint {path} is damaged or of another run: {reason}; put an intact one there, or delete it to "
            "begin anew"
        ) from error


def _load(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
) -> dict[str, float]:
    states: dict[int, dict[str, Tensor]] = {}
    weights: dict[str, dict[str, Tensor]] = {name: {} for name in modules}
    with safe_open(path, framework="pt") as file:
        progress: dict[str, float] = json.loads(file.metadata()["progress"])
        for key in file.keys():  # noqa: SIM118 - safe_open is not a mapping
            kind, _, rest = key.partition("/")
            owner, _, name = rest.partition("/")
            if kind == "module":
                weights[owner][name] = file.get_tensor(key)
            elif kind == "optimizer":
                states.setdefault(int(owner), {})[name] = file.get_tensor(key)
            else:
                generator.set_state(file.get_tensor(key))
    for name, module in modules.items():
        module.load_state_dict(weights[name], strict=True)
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": states, "param_groups": groups})
    return progress
