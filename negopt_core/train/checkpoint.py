"""Save and restore a training run exactly, without pickle: modules, optimiser, random state in safetensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn


def save_checkpoint(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    progress: Mapping[str, float],
) -> None:
    """Write everything the next step depends on; the file appears whole or not at all."""
    tensors: dict[str, Tensor] = {"generator": generator.get_state()}
    for name, module in modules.items():
        tensors |= {f"module/{name}/{key}": value.clone() for key, value in module.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{key}": torch.as_tensor(value).clone() for key, value in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(
        {key: value.contiguous() for key, value in tensors.items()}, partial, {"progress": json.dumps(dict(progress))}
    )
    partial.replace(path)


def load_checkpoint(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
) -> dict[str, float]:
    """Restore what `save_checkpoint` wrote and return its progress; missing or surplus tensors raise."""
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
