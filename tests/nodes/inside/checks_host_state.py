"""Loading the pack changes nothing that is ComfyUI's: its modules and classes, the process, its settings.

Run in a process of its own: the other checks have the pack loaded already.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import boot

sys.path.append(str(Path(__file__).resolve().parents[2] / "hardening"))

import state

HOST = ("comfy", "comfy_api", "comfy_extras", "comfy_execution", "nodes", "execution", "folder_paths", "node_helpers")
READ_FIRST = ("comfy.sd", "comfy.samplers", "comfy.sample", "comfy.model_management", "comfy.patcher_extension",
              "comfy.model_patcher", "comfy.hooks", "comfy.latent_formats", "comfy.supported_models", "nodes",
              "folder_paths", "node_helpers", "comfy_api.latest")  # fmt: skip


def host_modules() -> dict[str, Any]:
    """ComfyUI's modules that are loaded."""
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in HOST}


def check_loading_the_pack_leaves_the_host_as_it_was() -> None:
    for name in READ_FIRST:
        importlib.import_module(name)
    import safetensors.torch
    import transformers

    assert safetensors.torch and transformers.AutoTokenizer and transformers.T5ForConditionalGeneration
    modules = host_modules()
    before, process = state.attributes_of(modules), state.process_state()
    known = _folders()
    _, classes = boot.load_pack()
    assert classes
    assert state.changes(process, state.process_state()) == []
    changed = state.changes(before, state.attributes_of(modules))
    # submodules that were loaded meanwhile become attributes of their package
    assert [name for name in changed if name not in sys.modules] == []
    assert len(before) > 3000
    assert {name: value for name, value in _folders().items() if name in known} == known  # ours is one more


def _folders() -> dict[str, Any]:
    import folder_paths

    return {name: (list(paths), set(endings)) for name, (paths, endings) in folder_paths.folder_names_and_paths.items()}
