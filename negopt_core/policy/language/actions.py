"""What a policy does for a batch of prompts: words, and for each finished phrase a window and a weight."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ...errors import PolicyError

CHANNELS = ("words", "windows", "weights")
"""The three kinds of action; each has log-probabilities of its own."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How actions are drawn. PAE (arXiv 2404.04095) writes with temperature 0.9 and top-k 200."""

    is_greedy: bool = False
    temperature: float = 1.0
    top_k: int = 0
    """Words are drawn from the likeliest `top_k`; 0 means from all. Windows and weights always from all."""

    def __post_init__(self) -> None:
        if not 0.01 <= self.temperature <= 100.0 or self.top_k < 0:
            raise PolicyError(
                f"sampling needs 0.01 <= temperature <= 100 and top_k >= 0, got {self.temperature} and {self.top_k}"
            )


@dataclass(frozen=True, slots=True)
class Responses:
    """Actions for B prompts in T places. A place holds one word token, the comma, or the end of text.

    The comma or end that finishes a phrase carries the phrase's window and weight: they are chosen by the state that
    has read the whole phrase, once for each phrase, so what is sampled is what is rendered and credited.
    """

    words: Tensor
    """[B, T] token ids, padded after the end."""
    windows: Tensor
    """[B, T] index into the card's windows where a phrase ends, 0 elsewhere."""
    weights: Tensor
    """[B, T] index into the card's weights where a phrase ends, 0 elsewhere."""
    is_action: Tensor
    """[B, T] bool: False after the end of text."""
    is_phrase_end: Tensor
    """[B, T] bool: the comma or end after a phrase."""
    allowed: Tensor
    """[B, T, V] bool: the words that could have been chosen there."""

    def __len__(self) -> int:
        return len(self.words)

    def __getitem__(self, rows: Tensor) -> Responses:
        return Responses(*(getattr(self, item.name)[rows] for item in fields(self)))

    def mask(self, channel: str) -> Tensor:
        """[B, T] bool: where a channel acts."""
        return self.is_action if channel == "words" else self.is_phrase_end

    def to(self, device: torch.device | str) -> Responses:
        """The same on another device."""
        return Responses(*(getattr(self, item.name).to(device) for item in fields(self)))
