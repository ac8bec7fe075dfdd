"""Folders of language models as they are published: names, layouts and files of the originals, tiny random numbers.

What differs from what transformers writes today is what each builder does by hand; the sources are the file listings of
the repositories named there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from torch import Tensor
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

WORDS = ("blurry", "low quality", "watermark", "a photo of a cat", "sharp focus", "by the sea", "text", "ugly")
VOCABULARY = 320
"""Of every model here; more than its tokenizer has, as published models are padded (T5: 32,128 against 32,100)."""


def t5_small(folder: Path) -> None:
    """google-t5/t5-small: tied embeddings, stored thrice, and one tensor that nothing reads."""
    _t5(folder, {"feed_forward_proj": "relu"}, tied=True)


def t5_v1_1(folder: Path) -> None:
    """google/t5-v1_1-small and google/flan-t5-small: gated GELU, a head of its own."""
    _t5(folder, {"feed_forward_proj": "gated-gelu"}, tied=False)


def gpt2(folder: Path, layers: int = 2) -> None:
    """openai-community/gpt2: no prefix, no head, the causal mask of each layer as `attn.bias`."""
    model = _seeded(
        GPT2LMHeadModel, GPT2Config(vocab_size=VOCABULARY, n_embd=32, n_layer=layers, n_head=4, n_positions=64)
    )
    weights = {
        name.removeprefix("transformer."): value for name, value in _state(model).items() if "lm_head" not in name
    }
    mask = torch.ones(64, 64).tril()[None, None]
    weights |= {f"h.{layer}.attn.bias": mask.clone() for layer in range(layers)}
    _write(folder, model, weights)
    _byte_tokenizer(folder, "GPT2Tokenizer", "<|endoftext|>")


def distilgpt2(folder: Path) -> None:
    """distilbert/distilgpt2: with the prefix, the head and both masks."""
    model = _seeded(GPT2LMHeadModel, GPT2Config(vocab_size=VOCABULARY, n_embd=32, n_layer=1, n_head=4, n_positions=64))
    weights = _state(model) | {"lm_head.weight": model.transformer.wte.weight.detach().clone()}
    weights |= {
        "transformer.h.0.attn.bias": torch.ones(64, 64, dtype=torch.bool).tril()[None, None],
        "transformer.h.0.attn.masked_bias": torch.tensor(-10000.0),
    }
    _write(folder, model, weights)
    _byte_tokenizer(folder, "GPT2Tokenizer", "<|endoftext|>")


def smollm2(folder: Path) -> None:
    """HuggingFaceTB/SmolLM2-135M: a Llama in bfloat16, fewer key heads than heads, tied head, two shards here."""
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = _seeded(LlamaForCausalLM, config)
    weights = {name: value.to(torch.bfloat16) for name, value in _state(model).items() if name != "lm_head.weight"}
    _write(folder, model, weights, shards=2)
    _byte_tokenizer(folder, "GPT2Tokenizer", "<|endoftext|>")


BUILDERS: dict[str, tuple[Callable[[Path], None], str]] = {
    "t5-small": (t5_small, "seq2seq"),
    "t5-v1_1-small": (t5_v1_1, "seq2seq"),
    "gpt2": (gpt2, "df"),
    "distilgpt2": (distilgpt2, "df"),
    "SmolLM2-135M": (smollm2, "df"),
}
"""By the name of the original; the builder, and the kind of policy that it becomes."""


def _t5(folder: Path, kind: dict[str, Any], tied: bool) -> None:
    config = T5Config(
        vocab_size=VOCABULARY,
        d_model=32,
        d_ff=64,
        d_kv=8,
        num_layers=2,
        num_heads=4,
        tie_word_embeddings=tied,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
        **kind,
    )
    model = _seeded(T5ForConditionalGeneration, config)
    weights = _state(model)
    embedding = model.shared.weight.detach()
    weights |= {
        "shared.weight": embedding.clone(),
        "encoder.embed_tokens.weight": embedding.clone(),
        "decoder.embed_tokens.weight": embedding.clone(),
    }
    if tied:
        weights.pop("lm_head.weight", None)
        weights["decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"] = torch.zeros(32, 4)
    _write(folder, model, weights)
    _sentence_tokenizer(folder)


def _seeded(kind: Any, config: Any) -> Any:
    torch.manual_seed(0)
    return kind(config).eval()


def _state(model: Any) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def _write(folder: Path, model: Any, weights: dict[str, Tensor], shards: int = 1) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    values = model.config.to_dict() | {"architectures": [type(model).__name__]}
    (folder / "config.json").write_text(json.dumps(values, indent=2, default=str))
    if shards == 1:
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        return
    index = {}
    for shard in range(shards):
        part = {name: weights[name] for place, name in enumerate(weights) if place % shards == shard}
        file = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        save_file(part, folder / file, metadata={"format": "pt"})
        index |= dict.fromkeys(part, file)
    told = {"metadata": {"total_size": sum(value.nbytes for value in weights.values())}, "weight_map": index}
    (folder / "model.safetensors.index.json").write_text(json.dumps(told))


def _byte_tokenizer(folder: Path, name: str, end: str) -> None:
    """Byte-level BPE without merges, in the files of GPT-2: `vocab.json`, `merges.txt`, `tokenizer.json`."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {end: 0, **{letter: index for index, letter in enumerate(letters, 1)}}
    backend = Tokenizer(models.BPE(vocabulary, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([end])
    backend.save(str(folder / "tokenizer.json"))
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n")
    settings = {"tokenizer_class": name, "eos_token": end, "bos_token": end, "unk_token": end, "model_max_length": 1024}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def _sentence_tokenizer(folder: Path) -> None:
    """Unigram over letters and a few words with T5's marks and sentinels, in `tokenizer.json`."""
    pieces = [
        "<pad>",
        "</s>",
        "<unk>",
        "\u2581",
        ",",
        *"abcdefghijklmnopqrstuvwxyz-.'",
        *(f"\u2581{word}" for word in ("a", "of", "low")),
    ]
    scored = [(piece, -float(index > 2) * (2.0 + index / 100)) for index, piece in enumerate(pieces)]
    backend = Tokenizer(models.Unigram(scored, unk_id=2))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    backend.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    backend.add_special_tokens(["<pad>", "</s>", "<unk>", *(f"<extra_id_{index}>" for index in range(100))])
    backend.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "T5Tokenizer",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "extra_ids": 100,
        "model_max_length": 512,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
