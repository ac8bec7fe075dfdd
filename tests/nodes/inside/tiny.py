"""Small random models in the file formats ComfyUI detects, made from ComfyUI's own module classes. Never committed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

WIDTH, TEXT = 320, 768  # what makes ComfyUI take a checkpoint for SD1.5


def _randomise(module: Any, seed: int, gain: float = 1.0) -> dict[str, torch.Tensor]:
    """Seeded weights of unit gain; norms stay identities, so that nothing dies or blows up."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, value in module.state_dict().items():
        if value.ndim < 2:
            weights[name] = torch.ones_like(value) if name.endswith("weight") else torch.zeros_like(value)
        else:
            fan_in = value[0].numel()
            weights[name] = torch.randn(value.shape, generator=generator) * gain / fan_in**0.5
    return weights


def _unet_settings() -> dict[str, Any]:
    import comfy.ops

    return {
        "image_size": 32,
        "in_channels": 4,
        "model_channels": WIDTH,
        "num_res_blocks": [1],
        "channel_mult": (1,),
        "num_heads": 8,
        "use_spatial_transformer": True,
        "transformer_depth": [1],
        "transformer_depth_middle": 1,
        "context_dim": TEXT,
        "legacy": False,
        "operations": comfy.ops.disable_weight_init,
    }


def unet() -> dict[str, torch.Tensor]:
    """One level, one residual block: the smallest UNet that is still SD1.5 to ComfyUI."""
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

    weights = _randomise(UNetModel(out_channels=4, transformer_depth_output=[1, 1], **_unet_settings()), seed=1)
    for name in weights:  # words must show in the picture
        if name.endswith("attn2.to_out.0.weight"):
            weights[name] *= 6
    return weights


def text_encoder() -> dict[str, torch.Tensor]:
    """CLIP-L's layer count is fixed by the host; all layers but the first are zero and pass their input on."""
    import comfy.clip_model
    import comfy.ops
    import comfy.sd1_clip

    config = json.loads(Path(comfy.sd1_clip.__file__).with_name("sd1_clip_config.json").read_text())
    model = comfy.clip_model.CLIPTextModel(config, torch.float32, "cpu", comfy.ops.disable_weight_init)
    weights = _randomise(model, seed=2)
    for name in weights:
        if ".layers." in name and ".layers.0." not in name and weights[name].ndim > 1:
            weights[name].zero_()
        if "embedding" in name:  # unit-size embeddings, not 1 / sqrt(width)
            weights[name] *= TEXT**0.5 * 0.5
    return {name: value for name, value in weights.items() if name.startswith("text_model.")}


def autoencoder() -> dict[str, torch.Tensor]:
    """TAESD, which ComfyUI accepts inside a checkpoint and which is small."""
    from comfy.taesd.taesd import TAESD

    weights = _randomise(TAESD(latent_channels=4), seed=3)
    weights["vae_scale"], weights["vae_shift"] = torch.tensor(0.18215), torch.tensor(0.0)
    return weights


def write_checkpoint(path: Path) -> Path:
    """A whole SD1.5 checkpoint for the stock loader node; about 290 MB, nearly all of it the text encoder's vocabulary."""
    from safetensors.torch import save_file

    parts = {
        "model.diffusion_model.": unet(),
        "cond_stage_model.transformer.": text_encoder(),
        "first_stage_model.": autoencoder(),
    }
    tensors = {prefix + name: value.half() for prefix, part in parts.items() for name, value in part.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    return path


def controlnet() -> dict[str, torch.Tensor]:
    """The encoder half of the same UNet, reading a picture; its zero convolutions are random, so that it acts."""
    from comfy.cldm.cldm import ControlNet

    return _randomise(ControlNet(hint_channels=3, **_unet_settings()), seed=4)


def lora() -> dict[str, torch.Tensor]:
    """Rank 4 on the text attention of the middle block."""
    generator = torch.Generator().manual_seed(5)
    block = "diffusion_model.middle_block.1.transformer_blocks.0.attn2."
    weights = {}
    for name in ("to_k", "to_v"):
        weights[f"{block}{name}.lora_down.weight"] = torch.randn(4, TEXT, generator=generator) / TEXT**0.5
        weights[f"{block}{name}.lora_up.weight"] = torch.randn(WIDTH, 4, generator=generator)
        weights[f"{block}{name}.alpha"] = torch.tensor(4.0)
    return weights
