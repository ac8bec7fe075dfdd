"""The world's tokenizer: CLIP's own byte-pair form, trained on the world's captions so that each word is one token."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from . import vocabulary as words

MAX_TOKENS = 40
START, END = "<|startoftext|>", "<|endoftext|>"
_VOCABULARY_SIZE = 900
_WORD_PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""


def world_texts() -> list[str]:
    """Every word of the vocabulary, often enough that byte-pair training makes one token of each."""
    phrases: list[str] = ["a of next to above , ."]
    for table in (words.MEDIUMS, words.PLACE_PHRASES, words.TIME_PHRASES, words.SHAPES, words.COLOURS, words.RELATIONS):
        phrases += [text for text in table if text]
    for synonyms in words.DEGRADATIONS.values():
        phrases += synonyms
    phrases += [*words.ENHANCEMENTS, *words.BAD_WORDS, *words.GOOD_WORDS, *words.FASHION_WORDS]
    rng = random.Random(0)
    return [" ".join(rng.sample(phrases, len(phrases))) for _ in range(200)]


def train_tokenizer(folder: Path, texts: Iterable[str]) -> CLIPTokenizer:
    """Train and save `vocab.json` and `merges.txt`, which every version of transformers reads, under `folder`."""
    bpe = Tokenizer(models.BPE(unk_token=END, end_of_word_suffix="</w>"))
    bpe.normalizer = normalizers.Lowercase()
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORD_PATTERN), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    bpe.decoder = decoders.BPEDecoder(suffix="</w>")
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY_SIZE,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    model = json.loads(bpe.to_str())["model"]
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    entries = [*alphabet, *(letter + "</w>" for letter in alphabet), *("".join(pair.split(" ")) for pair in merges)]
    entries = list(dict.fromkeys([*entries, START, END]))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({entry: i for i, entry in enumerate(entries)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n", encoding="utf-8")
    config = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": MAX_TOKENS,
        "bos_token": START,
        "eos_token": END,
        "unk_token": END,
        "pad_token": END,
        "do_lower_case": True,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    special = {key: config[key] for key in ("bos_token", "eos_token", "unk_token", "pad_token")}
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")
    trained: CLIPTokenizer = CLIPTokenizer.from_pretrained(str(folder))
    return trained
