"""A trained language policy behind the policy port, for the command line and the hosts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ...text.prompt import PromptPair
from ..card import PolicyCard
from ..folder_check import CheckedFolder
from .actions import Sampling
from .folder import open_policy
from .model import LanguagePolicy
from .render import pair_of

_BATCH = 32


@dataclass(frozen=True)
class LanguageSuggester:
    """Seed 0 gives the likeliest text; any other seed draws one (temperature and top-k from the card's settings)."""

    policy: LanguagePolicy
    fingerprint: str

    @classmethod
    def open(cls, checked: CheckedFolder, card: PolicyCard, family: str = "") -> LanguageSuggester:
        """Load a policy folder; `family` is the family of models to write for, empty for any."""
        if not family:
            return cls(open_policy(checked.path, card, "", checked), checked.fingerprint)
        fingerprint = hashlib.sha256(f"{checked.fingerprint} {family}".encode()).hexdigest()
        return cls(open_policy(checked.path, card.for_family(family), family, checked), fingerprint)

    @property
    def card(self) -> PolicyCard:
        """What the policy is."""
        return self.policy.card

    def suggest(self, prompts: Sequence[str], seed: int) -> list[PromptPair]:
        """One pair for each prompt; a row's words depend on its prompt and the seed, not on its neighbours."""
        return [
            pair
            for start in range(0, len(prompts), _BATCH)
            for pair in self._batch(prompts[start : start + _BATCH], seed)
        ]

    def _batch(self, prompts: Sequence[str], seed: int) -> list[PromptPair]:
        settings = self.card.settings
        sampling = Sampling(
            is_greedy=seed == 0,
            temperature=float(settings.get("temperature", 0.9)),
            top_k=int(settings.get("top_k", 200)),
        )
        with torch.inference_mode():
            responses = self.policy.respond(prompts, [row_seed(seed, prompt) for prompt in prompts], sampling)
        rows = self.policy.spans(responses)
        return [pair_of(prompt, spans, self.card.polarity) for prompt, spans in zip(prompts, rows, strict=True)]


def row_seed(seed: int, prompt: str) -> int:
    """A seed of its own for each prompt, so that a batch draws nothing in common."""
    digest = hashlib.sha256(f"{seed} {prompt}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % 2**63
