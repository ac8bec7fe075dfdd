"""Everything in a Python process that belongs to its host: taken before our pack loads, and after.

`python state.py` prints what differs as JSON; `checks_host_state` asks the same inside ComfyUI.
"""

from __future__ import annotations

import gc
import importlib
import json
import locale
import logging
import os
import pkgutil
import random
import signal
import sys
import threading
import types
import warnings
from pathlib import Path
from typing import Any


def process_state() -> dict[str, Any]:
    """What is global in a process, in values that can be compared."""
    import numpy
    import torch

    root = logging.getLogger()
    return {
        "random": hash(random.getstate()),
        "numpy random": str(numpy.random.get_state()),
        "numpy errors": str(numpy.geterr()),
        "torch random": torch.random.get_rng_state().numpy().tobytes(),
        "default dtype": str(torch.get_default_dtype()),
        "default device": str(torch.get_default_device()) if hasattr(torch, "get_default_device") else "",
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads(), threading.active_count()),
        "gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_anomaly_enabled()),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "backends": (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32),
        "warning filters": [str(entry) for entry in warnings.filters],
        "warnings": (warnings.showwarning, warnings.formatwarning),
        "root logger": (root.level, [id(one) for one in (*root.handlers, *root.filters)], root.disabled),
        "logging": (logging.root.manager.disable, logging.getLoggerClass(), logging.raiseExceptions),
        "our logger": [len(logging.getLogger("negopt").handlers), logging.getLogger("negopt").level],
        "path": list(sys.path),
        "importers": ([str(one) for one in sys.meta_path], len(sys.path_hooks)),
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "hooks": (sys.excepthook, sys.displayhook, sys.unraisablehook, threading.excepthook, sys.gettrace()),
        "streams": (id(sys.stdin), id(sys.stdout), id(sys.stderr)),
        "signals": [str(signal.getsignal(one)) for one in (signal.SIGINT, signal.SIGTERM)],
        "limits": (sys.getrecursionlimit(), sys.getswitchinterval(), gc.get_threshold(), gc.isenabled()),
        "locale": locale.setlocale(locale.LC_ALL),
    }  # fmt: skip


def attributes_of(modules: dict[str, types.ModuleType]) -> dict[str, int]:
    """Identity of every attribute of modules and of the classes that they define: what a monkeypatch would change."""
    found = {}
    for name, module in modules.items():
        for key, value in list(vars(module).items()):
            found[f"{name}.{key}"] = id(value)
            if isinstance(value, type) and value.__module__ == name:
                found |= {f"{name}.{key}.{inner}": id(one) for inner, one in vars(value).items()}
    return found


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The names whose values differ; what is new does not count."""
    return [name for name, value in before.items() if name not in after or after[name] != value]


def our_modules() -> list[str]:
    """Every module of the packages that a host imports, but those that are run instead of imported."""
    names = []
    for package in ("negopt_core", "negopt_webui"):
        found = importlib.import_module(package)
        names += [package, *(item.name for item in pkgutil.walk_packages(found.__path__, f"{package}."))]
    return [name for name in names if not name.endswith("__main__")]


def main() -> None:
    """Import libraries, look, import everything of ours, look again."""
    for name in ("numpy.random", "torch", "PIL.Image", "safetensors.torch", "tokenizers", "huggingface_hub"):
        importlib.import_module(name)
    import diffusers
    import transformers

    # lazily loaded parts of the libraries are theirs, and must not be counted as ours
    for library, parts in (
        (transformers, ("AutoConfig", "AutoTokenizer", "AutoModel", "CLIPModel", "CLIPTextModel", "CLIPProcessor",
                        "CLIPVisionModelWithProjection", "PreTrainedTokenizerFast", "T5ForConditionalGeneration",
                        "GPT2LMHeadModel")),
        (diffusers, ("StableDiffusionPipeline", "StableDiffusionXLPipeline", "AutoencoderKL", "UNet2DConditionModel",
                     "DPMSolverMultistepScheduler")),
    ):  # fmt: skip
        for part in parts:
            getattr(library, part, None)
    hosts = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in ("torch", "diffusers")}
    attributes, state = attributes_of(hosts), process_state()
    for name in our_modules():
        importlib.import_module(name)
    told = changes(state, process_state()) + _real(changes(attributes, attributes_of(hosts)), hosts)
    sys.stdout.write(json.dumps({"changed": told, "imported": len(our_modules())}) + "\n")


def _real(names: list[str], hosts: dict[str, types.ModuleType]) -> list[str]:
    """Without caches, counters and modules that appeared: a patch replaces what can be called."""
    found = []
    for name in names:
        module = max((one for one in hosts if name.startswith(f"{one}.")), key=len)
        value: Any = hosts[module]
        for part in name[len(module) + 1 :].split("."):
            value = vars(value).get(part) if hasattr(value, "__dict__") else None
        if callable(value):
            found.append(name)
    return found


if __name__ == "__main__":
    main()
