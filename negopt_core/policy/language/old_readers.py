"""Tokenizer files that transformers from 4.30 and tokenizers from 0.13 up can read, whatever version wrote them."""

from __future__ import annotations

import json
from pathlib import Path

from ...files import write_text

TOKENIZER_FILE, SETTINGS_FILE = "tokenizer.json", "tokenizer_config.json"


def for_old_readers(folder: Path) -> None:
    """Name the class as every transformers does, and write merges as "a b": newer versions write what older cannot."""
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
