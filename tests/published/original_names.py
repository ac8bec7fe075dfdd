"""Numbers of diffusers and transformers modules under the names that the original code bases gave them.

Built from tables of places, the other way round than `negopt_core.paint.key_names` reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

_RESNET = (
    ("norm1", "in_layers.0"),
    ("conv1", "in_layers.2"),
    ("time_emb_proj", "emb_layers.1"),
    ("norm2", "out_layers.0"),
    ("conv2", "out_layers.3"),
    ("conv_shortcut", "skip_connection"),
)
_ATTENTION = (("group_norm", "norm"), ("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out"))
_LAYER = (
    ("layer_norm1", "ln_1"),
    ("layer_norm2", "ln_2"),
    ("mlp.fc1", "mlp.c_fc"),
    ("mlp.fc2", "mlp.c_proj"),
    ("self_attn.out_proj", "attn.out_proj"),
)


def state(module: Any) -> dict[str, Tensor]:
    """Its numbers, each in memory of its own."""
    return {name: value.detach().clone().contiguous() for name, value in module.state_dict().items()}


def unet_keys(unet: Any) -> dict[str, Tensor]:
    """`model.diffusion_model.*`"""
    return _renamed(state(unet), dict(_unet_places(unet)), "model.diffusion_model.")


def vae_keys(vae: Any) -> dict[str, Tensor]:
    """`first_stage_model.*`, whose attention is stored as convolutions of one pixel."""
    named = _renamed(state(vae), dict(_vae_places(len(vae.config.block_out_channels))), "first_stage_model.")
    return {
        name: value[:, :, None, None] if ".attn_1." in name and value.dim() == 2 else value
        for name, value in named.items()
    }


def clip_keys(encoder: Any, prefix: str) -> dict[str, Tensor]:
    """OpenAI's CLIP, as transformers 4 names it, with the positions that it stored."""
    weights = {
        f"{prefix}text_model.{name.removeprefix('text_model.')}": value for name, value in state(encoder).items()
    }
    return weights | {f"{prefix}text_model.embeddings.position_ids": torch.arange(77)[None]}


def open_clip_keys(encoder: Any, prefix: str) -> dict[str, Tensor]:
    """OpenCLIP: queries, keys and values in one tensor, and a projection that is multiplied from the right."""
    found = {name.removeprefix("text_model."): value for name, value in state(encoder).items()}
    weights = {
        "positional_embedding": found["embeddings.position_embedding.weight"],
        "token_embedding.weight": found["embeddings.token_embedding.weight"],
        "text_projection": found["text_projection.weight"].T,
    }
    for kind in ("weight", "bias"):
        weights[f"ln_final.{kind}"] = found[f"final_layer_norm.{kind}"]
        for layer in range(encoder.config.num_hidden_layers):
            old, new = f"encoder.layers.{layer}", f"transformer.resblocks.{layer}"
            weights |= {f"{new}.{ours}.{kind}": found[f"{old}.{theirs}.{kind}"] for theirs, ours in _LAYER}
            three = [found[f"{old}.self_attn.{one}_proj.{kind}"] for one in "qkv"]
            weights[f"{new}.attn.in_proj_{kind}"] = torch.cat(three)
    return {prefix + name: value for name, value in weights.items()}


def _renamed(weights: dict[str, Tensor], places: dict[str, str], prefix: str) -> dict[str, Tensor]:
    by_length = sorted(places, key=len, reverse=True)
    renamed = {}
    for name, value in weights.items():
        place = next(one for one in by_length if name.startswith(f"{one}."))
        renamed[prefix + places[place] + name.removeprefix(place)] = value
    return renamed


def _unet_places(unet: Any) -> Iterator[tuple[str, str]]:
    yield from (("conv_in", "input_blocks.0.0"), ("conv_norm_out", "out.0"), ("conv_out", "out.2"))
    for number, old in ((0, 1), (2, 2)):
        yield f"time_embedding.linear_{old}", f"time_embed.{number}"
        yield f"add_embedding.linear_{old}", f"label_emb.0.{number}"
    for place, old in enumerate(("resnets.0", "attentions.0", "resnets.1")):
        yield from _block(f"mid_block.{old}", f"middle_block.{place}")
    place = 0
    for level, block in enumerate(unet.down_blocks):
        for layer in range(len(block.resnets)):
            place += 1
            yield from _block(f"down_blocks.{level}.resnets.{layer}", f"input_blocks.{place}.0")
            yield f"down_blocks.{level}.attentions.{layer}", f"input_blocks.{place}.1"
        if block.downsamplers:
            place += 1
            yield f"down_blocks.{level}.downsamplers.0.conv", f"input_blocks.{place}.0.op"
    place = -1
    for level, block in enumerate(unet.up_blocks):
        for layer in range(len(block.resnets)):
            place += 1
            yield from _block(f"up_blocks.{level}.resnets.{layer}", f"output_blocks.{place}.0")
            yield f"up_blocks.{level}.attentions.{layer}", f"output_blocks.{place}.1"
        after = 2 if getattr(block, "attentions", None) else 1
        yield f"up_blocks.{level}.upsamplers.0", f"output_blocks.{place}.{after}"


def _block(old: str, new: str) -> Iterator[tuple[str, str]]:
    yield old, new
    yield from ((f"{old}.{theirs}", f"{new}.{ours}") for theirs, ours in _RESNET)


def _vae_places(levels: int) -> Iterator[tuple[str, str]]:
    yield from ((name, name) for name in ("quant_conv", "post_quant_conv"))
    for side, blocks, new in (("encoder", "down_blocks", "down"), ("decoder", "up_blocks", "up")):
        yield from ((f"{side}.{name}", f"{side}.{name}") for name in ("conv_in", "conv_out"))
        yield f"{side}.conv_norm_out", f"{side}.norm_out"
        for block in (0, 1):
            yield f"{side}.mid_block.resnets.{block}", f"{side}.mid.block_{block + 1}"
        for theirs, ours in _ATTENTION:
            yield f"{side}.mid_block.attentions.0.{theirs}", f"{side}.mid.attn_1.{ours}"
        for level in range(levels):
            place = level if side == "encoder" else levels - 1 - level
            for layer in range(3):
                resnet = f"{side}.{blocks}.{level}.resnets.{layer}"
                yield resnet, f"{side}.{new}.{place}.block.{layer}"
                yield f"{resnet}.conv_shortcut", f"{side}.{new}.{place}.block.{layer}.nin_shortcut"
            yield f"{side}.{blocks}.{level}.downsamplers.0", f"{side}.{new}.{place}.downsample"
            yield f"{side}.{blocks}.{level}.upsamplers.0", f"{side}.{new}.{place}.upsample"
