"""CLIP's tokenizer, which single files leave out: its merges are shipped, its vocabulary follows from them."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import transformers

from ..quiet import quiet
from .architectures import MODELS

_START, _END = "<|startoftext|>", "<|endoftext|>"


def clip_tokenizer(pad: str) -> Any:
    """CLIP's tokenizer, 77 tokens a row; `pad` fills a row."""
    with gzip.open(MODELS / "clip_merges.txt.gz", "rt", encoding="utf-8") as file:
        merges = file.read()
    marks = {"bos_token": _START, "eos_token": _END, "unk_token": _END, "pad_token": pad}
    with tempfile.TemporaryDirectory(prefix="negopt-clip-") as name:
        folder = Path(name)
        (folder / "vocab.json").write_text(json.dumps(_vocabulary(merges.splitlines()[1:])), encoding="utf-8")
        (folder / "merges.txt").write_text(merges, encoding="utf-8")
        settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, **marks}
        (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
        with quiet():
            return transformers.CLIPTokenizer.from_pretrained(folder, local_files_only=True)


def _vocabulary(merges: Iterable[str]) -> dict[str, int]:
    """The 256 bytes as signs, alone and at a word's end, what the merges make of them, and the two marks."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    signs = [*map(chr, shown), *(chr(256 + place) for place in range(256 - len(shown)))]
    words = [*signs, *(f"{sign}</w>" for sign in signs), *(merge.replace(" ", "") for merge in merges), _START, _END]
    return {word: place for place, word in enumerate(words)}
