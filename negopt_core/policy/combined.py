"""Two policies as one: the negative from the first, the modifiers from the second (`negative+modifiers`)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import PolicyError
from ..text.prompt import PromptPair
from .base import Policy
from .card import PolicyCard

SIGN = "+"


@dataclass(frozen=True)
class CombinedPolicy:
    """Each policy is asked for every prompt, and the side that is its own is kept."""

    negative: Policy
    modifiers: Policy

    def __post_init__(self) -> None:
        for policy, side, other in (
            (self.negative, "negative", "modifiers"),
            (self.modifiers, "modifiers", "negative"),
        ):
            if policy.card.polarity == other:
                raise PolicyError(
                    f"{policy.card.name} writes {other}, and stands where the {side} come from; write "
                    "NEGATIVE_POLICY+MODIFIER_POLICY"
                )

    @property
    def card(self) -> PolicyCard:
        """Made of both."""
        first, second = self.negative.card, self.modifiers.card
        return PolicyCard(
            kind="joint",
            name=f"{first.name}{SIGN}{second.name}",
            families=first.families if first.families == second.families else (),
            max_tokens=min(first.max_tokens, second.max_tokens),
            caveats=tuple(dict.fromkeys([*first.caveats, *second.caveats])),
            provenance={"negative": dict(first.provenance), "modifiers": dict(second.provenance)},
            licence=" AND ".join(dict.fromkeys(filter(None, (first.licence, second.licence)))),
        )

    @property
    def fingerprint(self) -> str:
        """SHA-256 of both fingerprints."""
        return hashlib.sha256(f"{self.negative.fingerprint} {self.modifiers.fingerprint}".encode()).hexdigest()

    def suggest(self, prompts: Sequence[str], seed: int) -> list[PromptPair]:
        """The modifiers' positive with the negative's negative."""
        negatives, positives = self.negative.suggest(prompts, seed), self.modifiers.suggest(prompts, seed)
        return [
            PromptPair(with_modifiers.positive, with_negative.negative)
            for with_modifiers, with_negative in zip(positives, negatives, strict=True)
        ]
