"""Opening a policy's tokenizer so that every version of transformers and tokenizers reads a text as the same tokens."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from ...quiet import quiet

_FILE = "tokenizer.json"
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized")


@quiet()
def read_tokenizer(folder: Path) -> Any:
    """The tokenizer of a folder, cutting texts as its file says; raises OSError or ValueError.

    Only tokenizers without a class of their own are mended; GPT-2's, T5's and CLIP's know what they need.
    """
    tokenizer, path = AutoTokenizer.from_pretrained(str(folder), local_files_only=True), folder / _FILE
    if path.exists() and type(tokenizer) is PreTrainedTokenizerFast:
        _keep_first_space(tokenizer.backend_tokenizer, path)
        _keep_phrases(tokenizer.backend_tokenizer, json.loads(path.read_text(encoding="utf-8")).get("added_tokens", ()))
    return tokenizer


def _keep_first_space(backend: Any, path: Path) -> None:
    """transformers 4.56 takes the space before the first word away, whatever the file says: another word is read."""
    backend.pre_tokenizer = Tokenizer.from_file(str(path)).pre_tokenizer


def _keep_phrases(backend: Any, added: Iterable[dict[str, Any]]) -> None:
    """tokenizers 0.13 forgets an added token that the vocabulary has as well, unless it is called special."""
    lost = [token for token in added if not token["special"] and backend.encode(token["content"]).ids != [token["id"]]]
    backend.add_special_tokens(
        [AddedToken(token["content"], **{name: token[name] for name in _FLAGS}) for token in lost]
    )
