"""Flags that several commands have: what a policy is asked for, and what it is painted with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import PromptError
from ..flags import flag
from ..paint.choice import Choice, policy_name
from ..policy import SuggestOptions
from ..policy.store import default_policy, with_family


@dataclass(frozen=True, kw_only=True)
class Folders:
    """Where policies are, besides those that come with negopt."""

    policies: tuple[Path, ...] = flag((), "folder to look for policies in", metavar="DIR")


@dataclass(frozen=True, kw_only=True)
class Asked(Folders):
    """What a policy is asked for."""

    policy: str = flag("", "folder or name of a policy")
    family: str | None = flag(None, "family of the painting model: sd15, sdxl, flux, pony, ...", metavar="NAME")
    mode: str = flag("negative,modifiers", "what to suggest")
    negative: str = flag("", "your own negative, kept untouched and first", metavar="TEXT")
    max_tokens: int | None = flag(None, "token budget of either side", shown="the policy's own")

    @property
    def modes(self) -> tuple[str, ...]:
        """The sides to write."""
        return tuple(part.strip() for part in self.mode.split(",") if part.strip())

    def options(self, seed: int) -> SuggestOptions:
        """As `suggest` takes them."""
        return SuggestOptions(self.modes, negative=self.negative, seed=seed, max_tokens=self.max_tokens)

    def policy_to_paint(self, choice: Choice) -> str:
        """The name of the policy for the family asked for, or for the painting model's."""
        return with_family(self.policy, self.family, self.policies) if self.family else policy_name(self.policy, choice)

    def policy_to_read(self) -> str:
        """The name of the policy where nothing is painted."""
        if not self.family:
            return self.policy
        if self.policy == default_policy():
            return default_policy(self.family)
        return with_family(self.policy, self.family, self.policies)


def names_in(text: str) -> list[str]:
    """Names with commas between."""
    return [name.strip() for name in text.split(",") if name.strip()]


def check_positive(**counts: int) -> None:
    """PromptError for a flag that is below 1."""
    for name, count in counts.items():
        if count < 1:
            raise PromptError(f"--{name} is at least 1, got {count}")
