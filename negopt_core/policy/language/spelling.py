"""How a tokenizer spells phrases in the middle of a text, and what separates and ends them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import PolicyError


@dataclass(frozen=True, slots=True)
class Spelling:
    """The few ids that a phrase list needs from a tokenizer."""

    separator: int
    """The comma between phrases."""
    end: int
    """End of text."""
    pad: int
    specials: frozenset[int]
    """Ids that are no words."""

    @classmethod
    def of(cls, tokenizer: Any) -> Spelling:
        """Read them off a transformers tokenizer; PolicyError if its comma or its end is not one token."""
        comma = _continuation(tokenizer, "a", "a,")
        if len(comma) != 1 or tokenizer.eos_token_id is None:
            raise PolicyError(
                f"a comma takes {len(comma)} tokens and the end of text is {tokenizer.eos_token_id}; phrase policies "
                "need a tokenizer with a token for each"
            )
        end = int(tokenizer.eos_token_id)
        pad = end if tokenizer.pad_token_id is None else int(tokenizer.pad_token_id)
        return cls(comma[0], end, pad, frozenset(int(i) for i in tokenizer.all_special_ids))


def spell_phrase(tokenizer: Any, phrase: str) -> tuple[int, ...]:
    """The ids of a phrase that follows a comma, without the comma; () if it cannot be written."""
    return tuple(_continuation(tokenizer, ",", f", {phrase}"))


def read_phrase(tokenizer: Any, ids: Sequence[int]) -> str:
    """The phrase that ids spell."""
    return str(tokenizer.decode(list(ids), clean_up_tokenization_spaces=False)).strip()


def _continuation(tokenizer: Any, start: str, whole: str) -> list[int]:
    first, both = (tokenizer(text, add_special_tokens=False).input_ids for text in (start, whole))
    return [int(i) for i in both[len(first) :]] if both[: len(first)] == first else []
