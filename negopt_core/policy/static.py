"""The fixed negative: the same words whatever the prompt, as most people do today."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import PolicyError
from ..text.df_text import parse_prompt
from ..text.prompt import DFPrompt, PromptPair
from .card import PolicyCard

DEFAULT_NEGATIVE = "low quality, worst quality, blurry, deformed, ugly, watermark, text"
"""The seven phrases people write most often, of those that fit any picture."""


def static_card(negative: str = DEFAULT_NEGATIVE, name: str = "static") -> PolicyCard:
    """The card of a policy that always answers `negative`, which may be DF-Prompt text."""
    return PolicyCard(
        kind="static",
        name=name,
        polarity="negative",
        settings={"negative": negative},
        provenance={"made_by": "written by hand for negopt"},
        licence="Apache-2.0",
    )


@dataclass(frozen=True, slots=True)
class StaticPolicy:
    """Answers every prompt with the negative in its card's settings. The seed changes nothing."""

    card: PolicyCard = field(default_factory=static_card)

    def __post_init__(self) -> None:
        negative = self.card.settings.get("negative")
        if not isinstance(negative, str) or not negative.strip():
            raise PolicyError(f"a static policy needs settings.negative with words in it, got {str(negative)[:60]!r}")

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the negative."""
        return hashlib.sha256(str(self.card.settings["negative"]).encode("utf-8", "surrogatepass")).hexdigest()

    def suggest(self, prompts: Sequence[str], seed: int) -> list[PromptPair]:
        """The prompt as it is, with the fixed negative."""
        negative = parse_prompt(str(self.card.settings["negative"]))
        return [PromptPair(DFPrompt.plain(prompt), negative) for prompt in prompts]
