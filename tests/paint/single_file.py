"""Writes a tiny Stable Diffusion 1.x pipeline as one file with the names of the original code base."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_UNET_TOP = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}
_VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def write_single_file(pipeline: Any, path: Path) -> None:
    """All weights of a pipeline from `tiny.sd1` in one safetensors file."""
    tensors = {}
    for name, tensor in pipeline.unet.state_dict().items():
        tensors["model.diffusion_model." + _unet_name(name)] = tensor.contiguous()
    for name, tensor in pipeline.vae.state_dict().items():
        new = _vae_name(name)
        is_convolution = ".attn_1." in new and tensor.dim() == 2
        tensors["first_stage_model." + new] = (tensor[:, :, None, None] if is_convolution else tensor).contiguous()
    for name, tensor in pipeline.text_encoder.state_dict().items():
        inner = "text_model." + name.removeprefix("text_model.")
        tensors["cond_stage_model.transformer." + inner] = tensor.contiguous()
    save_file(tensors, path, metadata={"format": "pt"})


def _unet_name(name: str) -> str:
    """Two levels of one layer each; attention on the outer level."""
    for old, new in _UNET_TOP.items():
        if name.startswith(old + "."):
            return _resnet(new + name.removeprefix(old)) if "resnets" in old else new + name.removeprefix(old)
    side, level, kind, rest = re.fullmatch(r"(down|up)_blocks\.(\d)\.(\w+)\.(.*)", name).groups()
    layer, _, rest = rest.partition(".")
    if side == "down":
        if kind == "downsamplers":
            return f"input_blocks.{2 * (int(level) + 1)}.0.op.{rest.removeprefix('conv.')}"
        place = f"input_blocks.{1 + 2 * int(level) + int(layer)}"
    else:
        if kind == "upsamplers":
            return f"output_blocks.{2 * int(level) + 1}.1.{rest}"
        place = f"output_blocks.{2 * int(level) + int(layer)}"
    return f"{place}.1.{rest}" if kind == "attentions" else _resnet(f"{place}.0.{rest}")


def _resnet(name: str) -> str:
    for old, new in _RESNET.items():
        name = re.sub(rf"\.{old}\.", f".{new}.", name)
    return name


def _vae_name(name: str) -> str:
    name = name.replace("mid_block.resnets.0", "mid.block_1").replace("mid_block.resnets.1", "mid.block_2")
    name = name.replace("mid_block.attentions.0", "mid.attn_1").replace("conv_norm_out", "norm_out")
    if ".attn_1." in name:
        for old, new in _VAE_ATTENTION.items():
            name = name.replace(f".attn_1.{old}.", f".attn_1.{new}.")
    name = re.sub(r"down_blocks\.(\d)\.resnets\.(\d)", r"down.\1.block.\2", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0\.conv", r"down.\1.downsample.conv", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets\.(\d)", lambda m: f"up.{1 - int(m[1])}.block.{m[2]}", name)
    name = re.sub(r"up_blocks\.(\d)\.upsamplers\.0\.conv", lambda m: f"up.{1 - int(m[1])}.upsample.conv", name)
    return name.replace("conv_shortcut", "nin_shortcut")
