"""A tokenizer as transformers 4 has it in pure Python: same tokens, but it cannot tell where in the text they are."""

from __future__ import annotations

from typing import Any


class SlowTokenizer:
    is_fast = False

    def __init__(self, fast: Any) -> None:
        self._fast = fast

    def __call__(self, text: str, **options: Any) -> Any:
        if "return_offsets_mapping" in options:
            raise NotImplementedError("offsets need a fast tokenizer")
        return self._fast(text, **options)

    def __getattr__(self, name: str) -> Any:
        if name in ("model_max_length", "bos_token_id", "eos_token_id", "pad_token_id", "convert_ids_to_tokens"):
            return getattr(self._fast, name)
        raise AttributeError(name)
