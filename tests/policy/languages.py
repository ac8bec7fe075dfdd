"""Tiny language policies for the tests: T5 and GPT-2 with random weights over the demo world's words."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel, T5Config, T5ForConditionalGeneration

from negopt_core.lab.make_world.tokenizer import world_words, write_tokenizer
from negopt_core.policy.card import PolicyCard
from negopt_core.policy.language.folder import make_policy
from negopt_core.policy.language.model import LanguagePolicy
from negopt_core.text.prompt import Window

STOCK = ("blurry", "out of focus", "noisy", "low quality", "watermark", "red", "too dark", "text")
WINDOWS = (Window(0.5, 1.0), Window(0.0, 1.0), Window(0.0, 0.5))
WEIGHTS = (0.5, 1.0, 1.5)
KINDS = ("seq2seq", "df")


@cache
def tokenizer() -> Any:
    return write_tokenizer(Path(mkdtemp()), world_words())


def language_model(kind: str, seed: int = 0, places: int = 128) -> Any:
    torch.manual_seed(seed)
    ids = {"eos_token_id": tokenizer().eos_token_id, "pad_token_id": tokenizer().pad_token_id}
    size = len(tokenizer())
    if kind == "seq2seq":
        config = T5Config(
            vocab_size=size,
            d_model=32,
            d_ff=64,
            d_kv=8,
            num_layers=1,
            num_heads=4,
            dropout_rate=0.0,
            decoder_start_token_id=ids["pad_token_id"],
            **ids,
        )
        return T5ForConditionalGeneration(config).eval()
    config = GPT2Config(vocab_size=size, n_embd=32, n_layer=2, n_head=4, n_positions=places, bos_token_id=0, **ids)
    return GPT2LMHeadModel(config).eval()


def language_policy(
    kind: str, stock: tuple[str, ...] = STOCK, seed: int = 0, places: int = 128, **card: Any
) -> LanguagePolicy:
    polarity = {"seq2seq": "negative", "df": "modifiers"}[kind]
    settings = {"windows": WINDOWS, "weights": WEIGHTS, "polarity": polarity, "max_tokens": 20, **card}
    policy = make_policy(
        language_model(kind, seed, places), tokenizer(), PolicyCard(kind=kind, name=f"tiny-{kind}", **settings), stock
    )
    for head in policy.heads.values():
        torch.nn.init.normal_(head.weight, std=0.3)
    return policy.eval()
