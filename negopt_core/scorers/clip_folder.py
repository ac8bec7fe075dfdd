"""CLIP as it is published: checks of a transformers folder, and folders made once from pickled weights.

Read are `pytorch_model.bin` beside its configuration, and open_clip's files (`open_clip_pytorch_model.bin`,
HPS_v2_compressed.pt), whose names and fused projections differ from transformers'.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ..errors import ModelError
from ..files import make_folder, write_text
from ..torch_file import read_torch_file, save_tensors

WEIGHTS, PICKLE = "model.safetensors", "pytorch_model.bin"
TOKENIZER_FILES = ("tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")
_HEAD_WIDTHS = {1280: 80, 1408: 88, 1664: 104}
"""Channels of a head in open_clip's ViT-H, g and bigG by the width of the tower; 64 in all others."""
_BLOCK = re.compile(r"(visual\.)?transformer\.resblocks\.(\d+)\.(.+)")
_IN_BLOCK = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}
_PLAIN = {
    "logit_scale": "logit_scale",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
    "text_projection": "text_projection.weight",
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "visual.ln_pre.weight": "vision_model.pre_layrnorm.weight",
    "visual.ln_pre.bias": "vision_model.pre_layrnorm.bias",
    "visual.ln_post.weight": "vision_model.post_layernorm.weight",
    "visual.ln_post.bias": "vision_model.post_layernorm.bias",
    "visual.proj": "visual_projection.weight",
}
_TURNED = ("text_projection", "visual.proj")
"""Kept the other way round."""


def check_folder(folder: Path) -> str:
    """What is wrong with a folder of CLIP, in one sentence with what to do; "" if transformers can read it."""
    if folder.is_file():
        return "it is a file; name the folder with config.json, or make one from it with `convert clip`"
    if not folder.is_dir():
        return "there is no such folder"
    if not (folder / "config.json").is_file():
        is_open = any(folder.glob("open_clip_*"))
        how = "an open_clip folder: make one for transformers from its .bin with `convert clip`"
        return how if is_open else "it has no config.json; a CLIP folder of transformers is needed"
    if kind := _other_kind(folder / "config.json"):
        return kind
    has_weights = (folder / WEIGHTS).is_file() or (folder / f"{WEIGHTS}.index.json").is_file()
    if not has_weights and (folder / PICKLE).is_file():
        return f"its weights are a pickle ({PICKLE}), which can hold code; make safetensors of them: `convert clip DIR`"
    if not has_weights:
        return f"it has no {WEIGHTS}"
    has_words = (folder / "tokenizer.json").is_file() or all((folder / name).is_file() for name in TOKENIZER_FILES[1:3])
    if not has_words:
        return (
            "it has no tokenizer; copy tokenizer.json, or vocab.json and merges.txt, of the CLIP that it was trained "
            "from into it (PickScore, HPS: laion/CLIP-ViT-H-14-laion2B-s32B-b79K)"
        )
    return ""


def _other_kind(config: Path) -> str:
    try:
        values = json.loads(config.read_text(encoding="utf-8"))
        kind = values.get("model_type") if isinstance(values, dict) else None
    except (OSError, ValueError) as error:
        return f"its config.json cannot be read: {str(error)[:100]}"
    if kind == "clip":
        return ""
    return f"it holds a model of type {kind!r}; a whole CLIP with pictures and texts is of type 'clip'"


def convert_clip(source: Path, target: Path, tokenizer: Path | None = None) -> None:
    """Write a CLIP folder of transformers with safetensors; nothing in a pickle is run.

    `source`: a folder with config.json, tokenizer and pytorch_model.bin, or a file of open_clip's, which needs
    `tokenizer`, a folder with any CLIP's tokenizer files. Raises ModelError for what is damaged or no CLIP.
    """
    words = tokenizer or (source if source.is_dir() else None)
    if words is None or not any((words / name).is_file() for name in TOKENIZER_FILES[:2]):
        raise ModelError(
            f"{words or source} has no tokenizer files; name a folder with them, such as any CLIP's, with --tokenizer"
        )
    if source.is_dir():
        if kind := _other_kind(source / "config.json"):
            raise ModelError(f"{source}: {kind}")
        tensors = _tensors(source / PICKLE)
        config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    else:
        state = _tensors(source)
        config, tensors = open_clip_config(state), rename_open_clip(state)
    make_folder(target)
    for name in (*TOKENIZER_FILES, "preprocessor_config.json"):
        if (words / name).is_file():
            shutil.copyfile(words / name, target / name)
    write_text(target / "config.json", json.dumps(config, indent=2))
    save_tensors(target / WEIGHTS, tensors, {"format": "pt", "source": source.name})


def _tensors(path: Path) -> dict[str, Tensor]:
    """Tensors of a pickled state, alone or under `state_dict`; names of parallel training are cut."""
    values = read_torch_file(path)
    state = values.get("state_dict", values) if isinstance(values, dict) else None
    if not isinstance(state, dict) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise ModelError(f"{path} holds no tensors of a CLIP")
    # a copy each: safetensors refuses tensors that share memory
    return {str(name).removeprefix("module."): value.clone().contiguous() for name, value in state.items()}


def rename_open_clip(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """open_clip's tensors under transformers' names; ModelError for one that has no place there."""
    renamed: dict[str, Tensor] = {}
    for name, value in state.items():
        if name == "attn_mask":
            continue
        if name in _PLAIN:
            renamed[_PLAIN[name]] = value.t().contiguous() if name in _TURNED and value.dim() == 2 else value
            continue
        match = _BLOCK.fullmatch(name)
        if match is None:
            raise ModelError(f"{name!r} has no place in a CLIP of open_clip; is this a ViT with a text transformer?")
        start = f"{'vision' if match.group(1) else 'text'}_model.encoder.layers.{match.group(2)}"
        renamed |= _block_part(start, match.group(3), value)
    return renamed


def _block_part(start: str, part: str, value: Tensor) -> dict[str, Tensor]:
    if part in ("attn.in_proj_weight", "attn.in_proj_bias"):
        kind = part.rpartition("_")[2]
        rows = value.chunk(3)
        return {f"{start}.self_attn.{letter}_proj.{kind}": row.clone() for letter, row in zip("qkv", rows, strict=True)}
    stem, _, kind = part.rpartition(".")
    if stem not in _IN_BLOCK:
        raise ModelError(f"{part!r} has no place in a layer of CLIP")
    return {f"{start}.{_IN_BLOCK[stem]}.{kind}": value}


def open_clip_config(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """transformers' configuration of a state of open_clip's, which has none; sizes come from the shapes."""
    try:
        words, width = state["token_embedding.weight"].shape
        patch = state["visual.conv1.weight"]
        places = len(state["visual.positional_embedding"]) - 1
        text = _tower(state, "", width) | {
            "vocab_size": words,
            "max_position_embeddings": len(state["positional_embedding"]),
            "bos_token_id": words - 2,
            "eos_token_id": words - 1,
        }
        sight = _tower(state, "visual.", patch.shape[0]) | {
            "patch_size": patch.shape[-1],
            "image_size": round(places**0.5) * patch.shape[-1],
        }
        dim = state["visual.proj"].shape[1]
    except (KeyError, ValueError, IndexError) as error:
        raise ModelError(f"these are not the tensors of a CLIP of open_clip: {error!r}") from error
    towers = {"text_config": text | {"projection_dim": dim}, "vision_config": sight | {"projection_dim": dim}}
    return {"architectures": ["CLIPModel"], "model_type": "clip", "projection_dim": dim, **towers}


def _tower(state: Mapping[str, Tensor], prefix: str, width: int) -> dict[str, Any]:
    start = f"{prefix}transformer.resblocks."
    layers = {int(name[len(start) :].split(".")[0]) for name in state if name.startswith(start)}
    return {
        "hidden_size": width,
        "intermediate_size": len(state[f"{start}0.mlp.c_fc.weight"]),
        "num_hidden_layers": len(layers),
        "num_attention_heads": max(1, width // _HEAD_WIDTHS.get(width, 64)),
        "hidden_act": "gelu",
    }
