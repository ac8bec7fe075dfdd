"""Opens a checkpoint as it is downloaded: one `.safetensors` file, no folder beside it, no network.

`assets/models` has for each architecture what the tensors' shapes do not say; widths are read from the shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from safetensors import safe_open

from ..errors import ModelError
from ..quiet import quiet
from .architectures import facts_of, text_config, unet_config, vae_config
from .checkpoint import Checkpoint, identify, predicts_v, read_checkpoint
from .clip_words import clip_tokenizer
from .key_names import INNER, UNET, VAE, clip_name, open_clip_names, unet_name, vae_name

Names = Callable[[str], Iterable[str]]
"""From a tensor's name without prefix to the names of its parts in the module; none where nobody reads it."""


@quiet()
def open_checkpoint(path: Path, dtype: torch.dtype) -> Any:
    """The pipeline on the CPU in `dtype`; ModelError, in one line, for anything but a known whole checkpoint."""
    checkpoint = read_checkpoint(path)
    architecture = identify(checkpoint)
    facts = facts_of(architecture)
    source = _Source(checkpoint, dtype)
    is_v = predicts_v(architecture, checkpoint)
    parts: dict[str, Any] = {
        "unet": _unet(source, facts, is_v),
        "vae": _vae(source, facts),
        "scheduler": _scheduler(facts, is_v, "ztsnr" in checkpoint.shapes),
    }
    for text in facts["text"]:
        parts[text["part"]] = _text_encoder(source, text)
        parts[text["part"].replace("text_encoder", "tokenizer")] = clip_tokenizer(text["pad_token"])
    if architecture == "sdxl":
        return diffusers.StableDiffusionXLPipeline(**parts, add_watermarker=False)
    unchecked = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    return getattr(diffusers, facts["pipeline"])(**parts, **unchecked)


@dataclass(frozen=True, slots=True)
class _Source:
    """Reads one part of a file at a time; what else is in the file (EMA, optimizer, noise schedule) is never read."""

    checkpoint: Checkpoint
    dtype: torch.dtype

    def fill(self, module: Any, prefix: str, names: Names) -> Any:
        """Put the file's numbers into a module without any; every one must be there and none may be left over."""
        wanted = {name.removeprefix(INNER): name for name in module.state_dict()}
        shapes = {name: tuple(value.shape) for name, value in module.state_dict().items()}
        found: dict[str, torch.Tensor] = {}
        with safe_open(self.checkpoint.path, framework="pt") as stored:
            for key in (key for key in self.checkpoint.shapes if key.startswith(prefix)):
                targets = tuple(names(key.removeprefix(prefix)))
                if not targets:
                    continue
                tensor = stored.get_tensor(key).to(self.dtype)
                for target, piece in zip(targets, tensor.chunk(len(targets)), strict=True):
                    name = wanted.get(target)
                    if name is None:
                        raise ModelError(f"{self.checkpoint.path} has {key}, which no known model of its kind has")
                    found[name] = self._shaped(key, piece, shapes[name])
        lacking = [name for name in shapes if name not in found]
        if lacking:
            raise ModelError(
                f"{self.checkpoint.path} lacks {len(lacking)} weights of {prefix}*, the first is {lacking[0]}; "
                "it is not complete: fetch it again"
            )
        module.load_state_dict(found, assign=True)
        return module.eval()

    def _shaped(self, key: str, tensor: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
        """Some tools store a linear layer as a convolution of one pixel, or OpenCLIP's projection as it multiplies."""
        if key.endswith("text_projection"):
            tensor = tensor.T.contiguous()
        squeezed = [size for size in tensor.shape if size > 1]
        if squeezed != [size for size in shape if size > 1]:
            raise ModelError(
                f"{self.checkpoint.path} has {key} as {'x'.join(map(str, tensor.shape))}, where "
                f"{'x'.join(map(str, shape))} fits; it is no model of this kind"
            )
        return tensor.reshape(shape)


def _unet(source: _Source, facts: Mapping[str, Any], is_v: bool) -> Any:
    config = unet_config(source.checkpoint, facts, is_v)
    with torch.device("meta"):
        module = diffusers.UNet2DConditionModel.from_config(config)
    return source.fill(module, UNET, lambda name: (unet_name(name, config["layers_per_block"]),))


def _vae(source: _Source, facts: Mapping[str, Any]) -> Any:
    config = vae_config(source.checkpoint, facts)
    levels = len(config["block_out_channels"])
    with torch.device("meta"):
        module = diffusers.AutoencoderKL.from_config(config)
    return source.fill(module, VAE, lambda name: filter(None, (vae_name(name, levels),)))


def _text_encoder(source: _Source, facts: Mapping[str, Any]) -> Any:
    values = text_config(source.checkpoint, facts)
    names: Names = _clip_names
    if facts["layout"] == "open_clip":
        is_projected = facts["class"].endswith("Projection")
        names = partial(open_clip_names, layers=values["num_hidden_layers"], is_projected=is_projected)
    with torch.device("meta"):
        module = getattr(transformers, facts["class"])(transformers.CLIPTextConfig(**values))
    module = source.fill(module, facts["prefix"], names)
    for part in module.modules():
        if "position_ids" in part._buffers:  # counted, not stored
            part.position_ids = torch.arange(values["max_position_embeddings"])[None]
    return module


def _clip_names(name: str) -> Iterable[str]:
    return filter(None, (clip_name(name),))


def _scheduler(facts: Mapping[str, Any], is_v: bool, ends_in_noise: bool) -> Any:
    config = dict(facts["scheduler"])
    cls = getattr(diffusers, config.pop("_class_name"))
    if is_v:
        config["prediction_type"] = "v_prediction"
    if ends_in_noise:
        config |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    return cls.from_config(config)
