"""The world's tokenizer: CLIP's own byte-pair form, trained on the world's captions so that each word is one token."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from tokenizers import pre_tokenizers
from transformers import CLIPTokenizer

from ...quiet import quiet
from ...world import vocabulary as words

MAX_TOKENS = 40
_FILES = ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")
START, END = "<|startoftext|>", "<|endoftext|>"


def world_words() -> list[str]:
    """Every word and sign of the world's language, sorted."""
    phrases: list[str] = ["a of next to above , ."]
    for table in (words.MEDIUMS, words.PLACE_PHRASES, words.TIME_PHRASES, words.SHAPES, words.COLOURS, words.RELATIONS):
        phrases += table
    for synonyms in words.DEGRADATIONS.values():
        phrases += synonyms
    phrases += [*words.ENHANCEMENTS, *words.BAD_WORDS, *words.GOOD_WORDS, *words.FASHION_WORDS]
    return sorted({word for phrase in phrases for word in re.findall(r"[a-z]+|[0-9]|[,.]", phrase)})


def byte_pair_merges(vocabulary: Sequence[str]) -> list[str]:
    """Byte-pair merges that make one token of each word: always the commonest pair, of equals the first one by letters.

    The trainer of `tokenizers` decides between equals by the order of a hash map, differently in each process."""
    pieces = [[*word[:-1], word[-1] + "</w>"] for word in vocabulary]
    merges = []
    while pairs := Counter(pair for word in pieces for pair in pairwise(word)):
        first, second = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(f"{first} {second}")
        pieces = [_merged(word, first, second) for word in pieces]
    return merges


def _merged(word: list[str], first: str, second: str) -> list[str]:
    pieces: list[str] = []
    for piece in word:
        if pieces and pieces[-1] == first and piece == second:
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces


@quiet()
def open_tokenizer(folder: Path, vocabulary: Sequence[str]) -> CLIPTokenizer:
    """The tokenizer in `folder`, made from the vocabulary if there is none: a run that goes on keeps its token ids."""
    if not (folder / _FILES[0]).exists():
        return write_tokenizer(folder, vocabulary)
    tokenizer: CLIPTokenizer = CLIPTokenizer.from_pretrained(str(folder))
    return tokenizer


def copy_tokenizer(tokenizer: CLIPTokenizer, folder: Path) -> None:
    """Put the files that a tokenizer was read from into another folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shutil.copyfile(Path(tokenizer.name_or_path) / name, folder / name)


@quiet()
def write_tokenizer(folder: Path, vocabulary: Sequence[str]) -> CLIPTokenizer:
    """Save `vocab.json` and `merges.txt`, which every version of transformers reads, under `folder`."""
    merges = byte_pair_merges(vocabulary)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    entries = [*alphabet, *(letter + "</w>" for letter in alphabet), *("".join(pair.split(" ")) for pair in merges)]
    entries = list(dict.fromkeys([*entries, START, END]))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(
        json.dumps({entry: i for i, entry in enumerate(entries)}, ensure_ascii=False), encoding="utf-8"
    )
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
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    special = {key: config[key] for key in ("bos_token", "eos_token", "unk_token", "pad_token")}
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n", encoding="utf-8")
    trained: CLIPTokenizer = CLIPTokenizer.from_pretrained(str(folder))
    return trained
