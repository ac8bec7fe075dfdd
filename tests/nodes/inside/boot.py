"""Start ComfyUI inside this process, on the CPU, and load this repository the way ComfyUI loads a node pack.

Run by the host's own interpreter, never by pytest.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
import types
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]
_OPERATOR_SHAPES = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_KEPT: list[Any] = []  # a torch Library undoes its work when it is collected


def make_media_importable() -> None:
    """A CPU torch beside the CUDA builds of torchvision and torchaudio: neither imports, and nothing here needs them.

    torchvision wants two operators of its compiled half to exist; torchaudio is replaced by an empty package.
    """
    import torch

    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        operators = torch.library.Library("torchvision", "DEF")
        for shape in _OPERATOR_SHAPES:
            operators.define(shape)
        _KEPT.append(operators)
    try:
        import torchaudio  # noqa: F401
    except (ImportError, OSError, RuntimeError):
        for name in ("torchaudio", "torchaudio.transforms", "torchaudio.functional"):
            empty = types.ModuleType(name)
            empty.__path__ = []
            empty.__spec__ = ModuleSpec(name, None, is_package=True)  # transformers asks whether it can be found
            empty.__getattr__ = _nothing  # type: ignore[method-assign]
            sys.modules[name] = empty


def _nothing(item: str) -> type:
    """A class that can be named in annotations and base lists, and does nothing."""
    if item.startswith("__"):
        raise AttributeError(item)
    return type(item, (), {})


def comfyui() -> Path:
    """The checkout that the test names."""
    return Path(os.environ["COMFYUI_PATH"]).resolve()


def start() -> None:
    """Make `import comfy` work, on the CPU and without a server."""
    make_media_importable()
    sys.path.insert(0, str(comfyui()))
    import comfy.cli_args

    comfy.cli_args.args.cpu = True


def load_pack() -> tuple[str, list[Any]]:
    """The pack's module name, and its node classes as its entry point hands them out."""
    name = str(REPOSITORY).replace(".", "_x_")  # ComfyUI names a pack by its path
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / "__init__.py")
    assert spec is not None and spec.loader is not None
    pack = importlib.util.module_from_spec(spec)
    sys.modules[name] = pack
    spec.loader.exec_module(pack)

    async def ask() -> list[Any]:
        return await (await pack.comfy_entrypoint()).get_node_list()

    return name, asyncio.run(ask())
