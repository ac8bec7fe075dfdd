"""A policy's tokenizer: read and written so that every version of transformers and tokenizers finds the same tokens."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from ...files import write_text
from ...quiet import quiet

TOKENIZER_FILE, SETTINGS_FILE = "tokenizer.json", "tokenizer_config.json"
_VOCABULARIES = ("tokenizer.json", "spiece.model", "vocab.json", "vocab.txt", "tokenizer.model")
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized")


@quiet()
def read_tokenizer(folder: Path) -> Any:
    """The tokenizer of a folder, cutting texts as its file says; raises OSError or ValueError.

    Only tokenizers without a class of their own are mended; GPT-2's, T5's and CLIP's know what they need.
    """
    tokenizer, path = AutoTokenizer.from_pretrained(str(folder), local_files_only=True), folder / TOKENIZER_FILE
    if path.exists() and type(tokenizer) is PreTrainedTokenizerFast:
        _keep_first_space(tokenizer.backend_tokenizer, path)
        _keep_phrases(tokenizer.backend_tokenizer, json.loads(path.read_text(encoding="utf-8")).get("added_tokens", ()))
    return tokenizer


def check_tokenizer(folder: Path) -> None:
    """ValueError where no file holds a vocabulary: newer versions of transformers make an empty tokenizer then."""
    if not any((folder / name).is_file() for name in _VOCABULARIES):
        raise ValueError(f"there is no tokenizer, none of {', '.join(_VOCABULARIES)}")


def rewrite_for_older_versions(folder: Path) -> None:
    """Rewrite what newer versions wrote: transformers from 4.30 and tokenizers from 0.13 on read it then.

    The class is named as every version names it, and merges are written as "a b".
    """
    settings_path, path = folder / SETTINGS_FILE, folder / TOKENIZER_FILE
    if not path.exists():
        return  # a tokenizer of the older kind, in files that every version reads
    settings = json.loads(settings_path.read_text(encoding="utf-8"))
    if settings.get("tokenizer_class") == "TokenizersBackend":
        settings["tokenizer_class"] = "PreTrainedTokenizerFast"
        write_text(settings_path, json.dumps(settings, indent=2, ensure_ascii=False) + "\n")
    values = json.loads(path.read_text(encoding="utf-8"))
    merges = values["model"].get("merges")
    if merges and not isinstance(merges[0], str):
        values["model"]["merges"] = [" ".join(pair) for pair in merges]
    # what the last batch was padded and cut to is no part of a tokenizer: the same policy, the same bytes
    values["padding"] = values["truncation"] = None
    write_text(path, json.dumps(values, ensure_ascii=False) + "\n")


def _keep_first_space(backend: Any, path: Path) -> None:
    """transformers 4.56 takes the space before the first word away, whatever the file says: another word is read."""
    backend.pre_tokenizer = Tokenizer.from_file(str(path)).pre_tokenizer


def _keep_phrases(backend: Any, added: Iterable[dict[str, Any]]) -> None:
    """tokenizers 0.13 forgets an added token that the vocabulary has as well, unless it is called special."""
    lost = [token for token in added if not token["special"] and backend.encode(token["content"]).ids != [token["id"]]]
    backend.add_special_tokens(
        [AddedToken(token["content"], **{name: token[name] for name in _FLAGS}) for token in lost]
    )
