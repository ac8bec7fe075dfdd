"""HPSv3 as it is published, in small: the key names, config fields and tokenizer of the originals, random numbers.

Sources: the file of MizzenAI/HPSv3 (names of transformers 4.45: `visual.`, `model.`, `lm_head`, `rm_head.0/3/5`), and
config.json and tokenizer of Qwen/Qwen2-VL-7B-Instruct.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from torch import Tensor

WIDTH, SIGHT, LAYERS = 32, 32, 2
SPECIAL = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>"),
    *("<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>"),
    *("<|image_pad|>", "<|video_pad|>"),
)
"""In the order of their numbers, 151643 to 151656 of the original."""
LETTERS = 256
WORDS = LETTERS + len(SPECIAL) + 1
"""With the reward token, as training left the table of words."""
_ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")


def save_hpsv3(folder: Path, dtype: torch.dtype = torch.float32, seed: int = 0) -> Path:
    """`HPSv3.safetensors` with the files of Qwen2-VL-7B-Instruct beside it."""
    qwen2_vl_words(folder)
    save_file(published_state(dtype, seed), folder / "HPSv3.safetensors", metadata={"format": "pt"})
    return folder


def qwen2_vl_words(folder: Path) -> None:
    """config.json and tokenizer; the config names more words than there are, as the original's does."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(_config(), indent=2))
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({letter: index for index, letter in enumerate(letters)}, []))
    backend.normalizer = normalizers.NFC()
    word = Regex(r"\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+")
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(word, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(list(SPECIAL))
    backend.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "Qwen2Tokenizer", "model_max_length": 32768, "eos_token": "<|im_end|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"pad_token": "<|endoftext|>"}))


def published_state(dtype: torch.dtype = torch.float32, seed: int = 0) -> dict[str, Tensor]:
    """Every tensor under its published name; the head in float32 whatever the rest is."""
    draw = torch.Generator().manual_seed(seed)
    state = {name: _numbers(name, shape, draw).to(dtype) for name, shape in _shapes().items()}
    head = {"0": (8, WIDTH), "3": (4, 8), "5": (2, 4)}
    for place, shape in head.items():
        state[f"rm_head.{place}.weight"] = torch.randn(shape, generator=draw)
        state[f"rm_head.{place}.bias"] = torch.randn(shape[0], generator=draw)
    return state


def _numbers(name: str, shape: tuple[int, ...], draw: torch.Generator) -> Tensor:
    if "norm" in name or "ln_q" in name:
        return torch.ones(shape) if name.endswith("weight") else torch.zeros(shape)
    return torch.randn(shape, generator=draw) * (0.3 if len(shape) > 1 else 0.1)


def _shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"visual.patch_embed.proj.weight": (SIGHT, 3, 2, 14, 14)}
    for block in (f"visual.blocks.{layer}." for layer in range(LAYERS)):
        linear = {"attn.qkv": (3 * SIGHT, SIGHT), "attn.proj": (SIGHT, SIGHT)}
        linear |= {"mlp.fc1": (2 * SIGHT, SIGHT), "mlp.fc2": (SIGHT, 2 * SIGHT)}
        for part, shape in {"norm1": (SIGHT,), "norm2": (SIGHT,), **linear}.items():
            shapes |= {f"{block}{part}.weight": shape, f"{block}{part}.bias": shape[:1]}
    for part, shape in {"ln_q": (SIGHT,), "mlp.0": (4 * SIGHT, 4 * SIGHT), "mlp.2": (WIDTH, 4 * SIGHT)}.items():
        shapes |= {f"visual.merger.{part}.weight": shape, f"visual.merger.{part}.bias": shape[:1]}
    shapes["model.embed_tokens.weight"] = (WORDS, WIDTH)
    for layer in (f"model.layers.{layer}." for layer in range(LAYERS)):
        shapes |= {f"{layer}{name}.weight": (WIDTH,) for name in ("input_layernorm", "post_attention_layernorm")}
        for part in _ATTENTION:
            rows = WIDTH // 2 if part[0] in "kv" else WIDTH
            shapes[f"{layer}self_attn.{part}.weight"] = (rows, WIDTH)
            if part != "o_proj":
                shapes[f"{layer}self_attn.{part}.bias"] = (rows,)
        shapes |= {f"{layer}mlp.{part}_proj.weight": (2 * WIDTH, WIDTH) for part in ("gate", "up")}
        shapes[f"{layer}mlp.down_proj.weight"] = (WIDTH, 2 * WIDTH)
    return shapes | {"model.norm.weight": (WIDTH,), "lm_head.weight": (WORDS, WIDTH)}


def _config() -> dict[str, Any]:
    """The fields of the original's config.json, which knows no `text_config`."""
    start = LETTERS
    number = {token: start + index for index, token in enumerate(SPECIAL)}
    names = ("vision_start", "vision_end", "vision_pad", "image_pad", "video_pad")
    ids = [number[f"<|{name}|>"] for name in names]
    keys = ("vision_start_token_id", "vision_end_token_id", "vision_token_id", "image_token_id", "video_token_id")
    sight = {"depth": LAYERS, "embed_dim": SIGHT, "mlp_ratio": 2, "num_heads": 2, "in_chans": 3, "hidden_size": WIDTH}
    return {
        "architectures": ["Qwen2VLForConditionalGeneration"],
        "attention_dropout": 0.0,
        "bos_token_id": start,
        "eos_token_id": number["<|im_end|>"],
        **dict(zip(keys, ids, strict=True)),
        "hidden_act": "silu",
        "hidden_size": WIDTH,
        "initializer_range": 0.02,
        "intermediate_size": 2 * WIDTH,
        "max_position_embeddings": 32768,
        "max_window_layers": LAYERS,
        "model_type": "qwen2_vl",
        "num_attention_heads": 2,
        "num_hidden_layers": LAYERS,
        "num_key_value_heads": 1,
        "rms_norm_eps": 1e-06,
        "rope_theta": 1000000.0,
        "sliding_window": 32768,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.41.2",
        "use_cache": True,
        "use_sliding_window": False,
        "vision_config": sight
        | {"patch_size": 14, "spatial_merge_size": 2, "spatial_patch_size": 14, "temporal_patch_size": 2},
        "rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]},
        "vocab_size": WORDS + 40,
    }
