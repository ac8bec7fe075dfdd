"""The known architectures: what `assets/models` says of them, completed by the widths of a file's tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..json_text import read_json
from .checkpoint import Architecture, Checkpoint
from .key_names import INNER, UNET, VAE

MODELS = Path(__file__).resolve().parents[1] / "assets" / "models"
_START_ID, _END_ID = 49406, 49407
_HEAD = 64
"""Channels of an attention head in every CLIP text encoder."""


def facts_of(architecture: Architecture) -> dict[str, Any]:
    """What `assets/models` says of it."""
    facts: dict[str, Any] = read_json((MODELS / f"{architecture}.json").read_text(encoding="utf-8"))
    return facts


def unet_config(checkpoint: Checkpoint, facts: Mapping[str, Any], is_v: bool) -> dict[str, Any]:
    """Arguments of UNet2DConditionModel."""
    config = dict(facts["unet"])
    kinds, places = config["down_block_types"], config["layers_per_block"] + 1
    first = [f"{UNET}input_blocks.{1 + level * places}" for level in range(len(kinds))]
    widths = [checkpoint.shape(f"{place}.0.out_layers.3.weight")[0] for place in first]
    attended = next(place for place, kind in zip(first, kinds, strict=True) if kind.startswith("CrossAttn"))
    per_head = config.pop("channels_per_head", None)
    if per_head:
        config["attention_head_dim"] = [max(1, width // per_head) for width in widths]  # diffusers' name for heads
    if "addition_embed_type" in config:
        config["projection_class_embeddings_input_dim"] = checkpoint.shape(f"{UNET}label_emb.0.0.weight")[-1]
    pixels = facts.get("pixels_v", facts["pixels"]) if is_v else facts["pixels"]
    return config | {
        "sample_size": pixels // 2 ** (len(facts["vae"]["down_block_types"]) - 1),
        "block_out_channels": widths,
        "cross_attention_dim": checkpoint.shape(f"{attended}.1.transformer_blocks.0.attn2.to_k.weight")[-1],
    }


def vae_config(checkpoint: Checkpoint, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of AutoencoderKL."""
    levels = range(len(facts["vae"]["down_block_types"]))
    widths = [checkpoint.shape(f"{VAE}encoder.down.{level}.block.0.conv1.weight")[0] for level in levels]
    return {**facts["vae"], "block_out_channels": widths}


def text_config(checkpoint: Checkpoint, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of CLIPTextConfig for one of `facts_of(...)["text"]`."""
    prefix = facts["prefix"]
    if facts["layout"] == "clip":
        # transformers 3, and some tools, wrote no inner name
        inner = f"{prefix}{INNER}" if checkpoint.has(f"{prefix}{INNER}") else prefix
        words, places = (f"{inner}embeddings.{kind}_embedding.weight" for kind in ("token", "position"))
        hidden = f"{inner}encoder.layers.0.mlp.fc1.weight"
    else:
        words, places = f"{prefix}token_embedding.weight", f"{prefix}positional_embedding"
        hidden = f"{prefix}transformer.resblocks.0.mlp.c_fc.weight"
    count, width = checkpoint.shape(words)
    return {
        "vocab_size": count,
        "hidden_size": width,
        "projection_dim": width,
        "intermediate_size": checkpoint.shape(hidden)[0],
        "max_position_embeddings": checkpoint.shape(places)[0],
        "num_attention_heads": max(1, width // _HEAD),
        "bos_token_id": _START_ID,
        "eos_token_id": _END_ID,
        **facts["config"],
    }
