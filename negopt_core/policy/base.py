"""The policy port: what writes a negative prompt and modifiers for a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..text.prompt import PromptPair
from .card import PolicyCard

__all__ = ["Policy", "PolicyCard"]


class Policy(Protocol):
    """Proposes a prompt pair for each prompt. `suggest.suggest` is how to call one: it adds the guarantees."""

    @property
    def card(self) -> PolicyCard:
        """What the policy is."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hex, of whatever decides its suggestions: weights, tables or a text."""
        ...

    def suggest(self, prompts: Sequence[str], seed: int) -> list[PromptPair]:
        """One pair for each prompt, in order, each independent of the others.

        A prompt is ordinary text. The positive of its pair begins with that text, unchanged and unscheduled; what
        follows are modifiers, comma-separated. The same prompt and seed give the same pair.
        """
        ...
