"""How many CLIP tokens a text has, estimated without a tokenizer, so that a budget can be kept with no packages."""

from __future__ import annotations

import re
from collections.abc import Callable

CountTokens = Callable[[str], int]
"""Tokens in a text, without the start and end marks; a real tokenizer can stand in for `estimate_tokens`."""

CLIP_FAMILIES = frozenset({"sd15", "sd2", "sdxl", "pony", "anime", "illustrious", "noobai", "world"})
"""Model families that read a prompt by CLIP alone, 75 tokens at once."""
CLIP_TOKENS = 75
LONG_TOKENS = 512
"""What encoders made of T5 or of a language model take at once, the least of them."""

_PIECE = re.compile(r"[a-z]+|[0-9]|[^\sa-z0-9]+", re.IGNORECASE | re.ASCII)
_VOWEL = re.compile(r"[aeiouy]", re.IGNORECASE)
_WHOLE_WORD = 6


def encoder_tokens(family: str | None) -> int:
    """Tokens that the text encoder of a model family takes at once; of one that is not known, as many as CLIP's."""
    return CLIP_TOKENS if family is None or family in CLIP_FAMILIES else LONG_TOKENS


def roomy_budget(family: str | None, *own: str) -> int | None:
    """Token budget for a family whose encoder takes more than CLIP's: a CLIP chunk behind the longest of the user's own
    texts, as far as the encoder goes; None for any other, whose policy has a budget of its own.
    """
    most = encoder_tokens(family)
    if most == CLIP_TOKENS:
        return None
    return min(most, max(map(estimate_tokens, own), default=0) + CLIP_TOKENS)


def estimate_tokens(text: str) -> int:
    """Tokens that CLIP's vocabulary would need, without start and end marks; made to be high rather than low.

    A word of up to six letters counts once, a longer one once for every five letters begun; digits count singly, ASCII
    punctuation once for every three signs, and any other character as its bytes in UTF-8.
    """
    return sum(_piece_tokens(piece) for piece in _PIECE.findall(text))


def _piece_tokens(piece: str) -> int:
    if not piece.isascii():
        return len(piece.encode("utf-8", "surrogatepass"))
    if not piece.isalpha():
        return -(-len(piece) // 3)
    if not _VOWEL.search(piece):
        return -(-len(piece) // 2)  # letter salad has no vocabulary entry
    return 1 if len(piece) <= _WHOLE_WORD else -(-len(piece) // 5)
