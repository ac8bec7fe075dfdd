"""How each kind of model is painted with unless somebody says otherwise: the one table, and `defaults_for`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from huggingface_hub import try_to_load_from_cache

from ..errors import ModelError
from ..json_text import read_json
from ..policy.loglinear.policy import family_named
from ..world import world_dir
from .architectures import facts_of
from .base import PaintSettings, Sampler
from .checkpoint import Architecture, identify, predicts_v, read_checkpoint
from .choice import COMFY, REAL_CFG, REAL_STEPS, WORLD, WORLD_CFG, WORLD_STEPS, XL_CFG, XL_STEPS, paints_world

_HUB, _HUB_NAMES = "hf:", {"stable-diffusion-xl": "sdxl", "stable-diffusion-2": "sd2"}
_XL = "StableDiffusionXL"
_PLAIN = {"sd15", "sd2", "sdxl"}
"""Families that are no more than their architecture."""
_CONFIGS = "model_index.json", "unet/config.json"
_WORLD_MARKS = "in_channels", "cross_attention_dim", "block_out_channels", "sample_size"


@dataclass(frozen=True, slots=True)
class Defaults:
    """A row of `TABLE`."""

    family: str
    """As the policy `negopt` names it; the policy `rules` has `anime` for `illustrious`."""
    architecture: Architecture
    """`sd15`, `sd2`, `sdxl` or `world`; "" where it is not known."""
    pixels: int | None
    """Height and width that it was trained at; None is what its own files say."""
    steps: int
    guidance_scale: float
    sampler: Sampler = "model"
    clip_skip: int | None = None
    """Which layer of the text encoder is read, as user interfaces count: 1 is the last one; None is the model's own."""

    def settings(self, **given: Any) -> PaintSettings:
        """PaintSettings with these defaults where a value is not given, or given as None; PromptError for a bad one."""
        own: dict[str, Any] = {"steps": self.steps, "guidance_scale": self.guidance_scale, "sampler": self.sampler}
        told = {name: value for name, value in given.items() if value is not None}
        if "init_image" not in told:
            own |= {"height": self.pixels, "width": self.pixels}
        return PaintSettings(**{**own, "clip_skip": self.layers_left_out, **told})

    @property
    def layers_left_out(self) -> int | None:
        """`clip_skip` as diffusers counts: from the layer that the pipeline itself reads, in XL the last but one."""
        if self.clip_skip is None:
            return None
        return self.clip_skip - (2 if self.architecture == "sdxl" else 1) or None


TABLE: Mapping[str, Defaults] = MappingProxyType(
    {
        "sd15": Defaults("sd15", "sd15", 512, REAL_STEPS, REAL_CFG, clip_skip=1),
        # 768 where the UNet predicts v, 512 in the base model
        "sd2": Defaults("sd2", "sd2", 768, REAL_STEPS, REAL_CFG, clip_skip=1),
        "sdxl": Defaults("sdxl", "sdxl", 1024, XL_STEPS, XL_CFG, clip_skip=2),
        # its makers: Euler a, 25 steps, clip skip 2
        "pony": Defaults("pony", "sdxl", 1024, 25, 7.0, "euler-a", clip_skip=2),
        # its makers and NoobAI's: Euler a, 20 to 28 steps, CFG 5 to 7
        "illustrious": Defaults("illustrious", "sdxl", 1024, 28, 5.5, "euler-a", clip_skip=2),
        WORLD: Defaults(WORLD, WORLD, 64, WORLD_STEPS, WORLD_CFG),
    }
)
"""By family."""


def defaults_for(model: Any) -> Defaults:
    """How to paint with a model: its name as for `open_painter` (or `world`), a painter, or a diffusers pipeline.

    Reads configurations and the header of a single file, never the network: where `hf:` names what is not here yet, or
    a server's checkpoint is named, the name decides. Raises ModelError for a single file that `load_painter` would
    refuse; what else cannot be read is left for `load_painter` to complain about.
    """
    if not isinstance(model, str):
        return _of_object(model)
    if paints_world(model):
        return TABLE[WORLD]
    if model.startswith(COMFY):
        return _row(model.removeprefix(COMFY).partition("@")[0])
    if model.startswith(_HUB):
        return _of_hub(model.removeprefix(_HUB))
    path = Path(model).expanduser()
    is_file = path.suffix == ".safetensors" and path.is_file()
    folder = path.with_suffix("") if is_file else path
    if model and (folder / _CONFIGS[0]).is_file():
        return _of_folder(folder, model)
    if not is_file:
        return _row(model)
    checkpoint = read_checkpoint(path)
    architecture = identify(checkpoint)
    is_small = architecture == "sd2" and not predicts_v(architecture, checkpoint)
    return _row(model, architecture, facts_of(architecture)["pixels"] if is_small else None)


def _of_object(model: Any) -> Defaults:
    source = getattr(model, "source", "")
    checkpoint = getattr(source, "checkpoint", None)
    if checkpoint is not None:  # a painter on servers
        return _row(checkpoint) if checkpoint else TABLE[WORLD]
    pipeline = getattr(model, "_pipeline", model)
    if not hasattr(pipeline, "unet"):
        raise ModelError(f"there are no settings for {type(model).__name__}; give a model's name, painter or pipeline")
    return _of_configs(type(pipeline).__name__, pipeline.unet.config, str(source), pipeline.vae_scale_factor)


def _of_hub(name: str) -> Defaults:
    """By what has been fetched, else by the name, which does not tell the size."""
    repository, _, revision = name.partition("@")
    found = try_to_load_from_cache(repository, _CONFIGS[0], revision=revision or None)
    if isinstance(found, str):
        return _of_folder(Path(found).parent, repository)
    hints = (kind for part, kind in _HUB_NAMES.items() if part in repository)
    return replace(_row(repository, next(hints, "")), pixels=None)


def _of_folder(folder: Path, model: str) -> Defaults:
    try:
        index, unet = (read_json((folder / name).read_text(encoding="utf-8")) for name in _CONFIGS)
        return _of_configs(str(index["_class_name"]), unet, model)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return _row(model)


def _of_configs(pipeline: str, unet: Mapping[str, Any], model: str, factor: int = 8) -> Defaults:
    """By the structure of the UNet, so that finetunes, and small stand-ins, are what they were made from."""
    own = read_json((world_dir() / _CONFIGS[1]).read_text(encoding="utf-8"))
    if all(_plain(unet.get(name)) == own[name] for name in _WORLD_MARKS):
        return TABLE[WORLD]
    size = unet.get("sample_size")
    pixels = size * factor if isinstance(size, int) else None
    if pipeline.startswith(_XL):
        return _row(model, "sdxl", pixels)
    return _row(model, "sd2" if unet.get("use_linear_projection") else "sd15", pixels)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _row(model: str, architecture: Architecture = "", pixels: int | None = None) -> Defaults:
    """The row by name and architecture; where they contradict each other, the architecture is right."""
    family = family_named(model.rstrip("/"))
    row = TABLE.get(family.name if family else "sd15")
    if row is None and family is not None and not architecture:  # one that only a server paints
        row = Defaults(family.name, "", 1024, 25, _middle(family.cfg))
    if row is None or (architecture and row.architecture != architecture and row.family in _PLAIN):
        row = TABLE[architecture or "sd15"]
    if architecture and row.architecture != architecture:  # as anime models on 1.5
        row = replace(row, architecture=architecture, pixels=TABLE[architecture].pixels)
    return row if pixels is None else replace(row, pixels=pixels)


def _middle(cfg: str) -> float:
    """Of a family's usual CFG, such as `3.5-4.5`."""
    ends = [float(end) for end in re.findall(r"\d+(?:\.\d+)?", cfg)]
    return sum(ends) / len(ends) if ends else TABLE["sd15"].guidance_scale
