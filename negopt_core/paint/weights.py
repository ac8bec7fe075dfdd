"""Opens Stable Diffusion weights without ever unpickling, and fingerprints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import diffusers
import torch
from huggingface_hub import snapshot_download
from safetensors import SafetensorError, safe_open

from ..errors import ModelError, NegOptError
from ..files import hash_files
from ..json_text import read_json
from ..needs import missing_package
from ..quiet import quiet
from ..torch_file import hash_tensors
from .key_names import INNER
from .single_file import open_checkpoint

HUB_PREFIX = "hf:"

_PIPELINES = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")
_CHECKED = _PIPELINES[:1]
"""Those whose published models may have a safety checker; it is neither fetched, nor opened, nor part of the hash."""
_NEVER_OPENED = {"safety_checker", "feature_extractor"}
_PICKLED = {".bin", ".ckpt", ".pt", ".pth", ".pkl"}
_SECOND_ENCODER = "conditioner.embedders.1."  # only the single files of Stable Diffusion XL hold it
_HEX_DIGITS = 16
_LOAD_ERRORS = (
    OSError,
    ValueError,
    RuntimeError,
    KeyError,
    TypeError,
    AttributeError,
    ImportError,
    NotImplementedError,
    SafetensorError,
)
"""What diffusers and transformers are known to raise for broken folders and files."""


def open_pipeline(model: str, dtype: torch.dtype, config: str | None = None) -> tuple[Any, tuple[Path, ...]]:
    """The pipeline on the CPU, and the weight files it came from; see `load_painter` for the forms of `model`."""
    if model.startswith(HUB_PREFIX):
        return _open_folder(_download(model, with_weights=True), model, dtype)
    path = Path(model).expanduser()
    if path.suffix in _PICKLED:
        raise _pickle_refused(path)
    if model and path.is_dir():
        return _open_folder(path, model, dtype)
    if path.is_file():
        return _open_single_file(path, dtype, config)
    raise ModelError(f"there is no model at {model!r}; give a diffusers folder, a .safetensors file or hf:owner/name")


def hash_weights(files: Sequence[Path]) -> str:
    """SHA-256 over the contents of weight files in their order, as 16 hex digits."""
    try:
        return hash_files(files)[:_HEX_DIGITS]
    except OSError as error:
        raise ModelError(f"the weights cannot be read: {error}") from error


def hash_modules(components: Mapping[str, Any]) -> str:
    """SHA-256 over the tensors in memory, for pipelines that came from no file, as 16 hex digits."""
    modules = {part: module for part, module in sorted(components.items()) if isinstance(module, torch.nn.Module)}
    tensors = {
        f"{part}.{name}": value for part, one in modules.items() for name, value in sorted(one.state_dict().items())
    }
    if any(tensor.is_meta for tensor in tensors.values()):
        raise ModelError("offloaded weights cannot be hashed in memory; load the painter from its files")
    return hash_tensors(tensors)[:_HEX_DIGITS]


def _open_folder(folder: Path, model: str, dtype: torch.dtype) -> tuple[Any, tuple[Path, ...]]:
    index = _read_index(folder, model)
    name = index.get("_class_name")
    if name not in _PIPELINES:
        raise ModelError(f"{model} holds a {name}; negopt paints with {' or '.join(_PIPELINES)}")
    files = [file for part in sorted(index.keys() - _NEVER_OPENED) for file in _part_files(folder / part)]
    unchecked = {"safety_checker": None, "feature_extractor": None} if name in _CHECKED else {}
    try:
        with quiet():
            pipeline = getattr(diffusers, name).from_pretrained(
                folder, use_safetensors=True, local_files_only=True, **unchecked, **_dtype_argument(dtype)
            )
    except _LOAD_ERRORS as error:
        raise _load_failed(model, error) from error
    _check_complete(pipeline, folder, model)
    return pipeline, tuple(files)


def _read_index(folder: Path, model: str) -> dict[str, Any]:
    path = folder / "model_index.json"
    try:
        index = read_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{model} holds no model_index.json; give the top folder of a diffusers model") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
    if not isinstance(index, dict):
        raise ModelError(f"{path} holds no JSON object; fetch the model again")
    return index


def _part_files(part: Path) -> list[Path]:
    """The safetensors files of one component; refuses a component that has only pickled weights."""
    if not part.is_dir():
        return []
    safe = sorted(part.glob("*.safetensors"))
    pickled = sorted(path for path in part.iterdir() if path.suffix in _PICKLED)
    if pickled and not safe:
        raise _pickle_refused(pickled[0])
    return safe


def _check_complete(pipeline: Any, folder: Path | None, model: str) -> None:
    """Refuse weights that were not in the files: diffusers leaves them without data, transformers draws random ones."""
    missing = [
        f"{part}.{name}"
        for part, module in pipeline.components.items()
        if isinstance(module, torch.nn.Module)
        for name, tensor in module.named_parameters()
        if tensor.is_meta
    ]
    for part in ("text_encoder", "text_encoder_2") if folder else ():
        files = _part_files(folder / part) if folder and getattr(pipeline, part, None) is not None else []
        stored = {key.removeprefix(INNER) for file in files for key in _keys(file)}
        named = (name for name, _ in getattr(pipeline, part).named_parameters()) if files else ()
        missing += [f"{part}.{name}" for name in named if name.removeprefix(INNER) not in stored]
    if missing:
        raise ModelError(
            f"{model} lacks {len(missing)} weights, the first is {missing[0]}; it is not complete: fetch it again"
        )


def _keys(path: Path) -> list[str]:
    with safe_open(path, framework="pt") as stored:
        return list(stored.keys())


def _open_single_file(path: Path, dtype: torch.dtype, config: str | None) -> tuple[Any, tuple[Path, ...]]:
    """By a folder of configs where one is named or lies beside the file, else by what negopt knows itself."""
    if path.suffix != ".safetensors":
        raise ModelError(f"{path} is no .safetensors file; give one, or a diffusers folder")
    folder = _config_folder(path, config)
    try:
        pipeline = open_checkpoint(path, dtype) if folder is None else _open_by_folder(path, dtype, folder)
    except _LOAD_ERRORS as error:
        raise _load_failed(str(path), error) from error
    _check_complete(pipeline, None, str(path))
    return pipeline, (path,)


def _open_by_folder(path: Path, dtype: torch.dtype, folder: Path) -> Any:
    is_xl = any(key.startswith(_SECOND_ENCODER) for key in _keys(path))
    with quiet():
        return getattr(diffusers, _PIPELINES[is_xl]).from_single_file(
            str(path), config=str(folder), local_files_only=True, **_dtype_argument(dtype)
        )


def _config_folder(path: Path, config: str | None) -> Path | None:
    if config is not None and config.startswith(HUB_PREFIX):
        return _download(config, with_weights=False)
    folder = path.with_suffix("") if config is None else Path(config).expanduser()
    if (folder / "model_index.json").is_file():
        return folder
    if config is not None:
        raise ModelError(f"there is no model_index.json in {folder}; give as config the folder or hf:owner/name of one")
    return None


def _download(model: str, with_weights: bool) -> Path:
    """Fetch a model from the hub, without any pickled file."""
    name, _, revision = model.removeprefix(HUB_PREFIX).partition("@")
    wanted = ["*.json", "*/*.json", "*/*.txt"]
    try:
        if with_weights:
            return Path(
                diffusers.DiffusionPipeline.download(
                    name, revision=revision or None, use_safetensors=True, safety_checker=None
                )
            )
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=wanted))
    except _LOAD_ERRORS as error:
        raise ModelError(f"{model} cannot be fetched: {_first_line(error)}") from error


def _dtype_argument(dtype: torch.dtype) -> dict[str, torch.dtype]:
    """`dtype`, under the name that this version of diffusers has for it."""
    return {"dtype" if hasattr(diffusers.utils, "_resolve_dtype") else "torch_dtype": dtype}


def _pickle_refused(path: Path) -> ModelError:
    return ModelError(f"{path} is a pickle, which can run code when it is opened; convert it to .safetensors")


def _load_failed(model: str, error: Exception) -> NegOptError:
    said = f"{model} cannot be loaded: {_first_line(error)}; is it complete? fetch it again if not"
    return missing_package(error) or ModelError(said)


def _first_line(error: Exception) -> str:
    """One line that names an error from a library."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
