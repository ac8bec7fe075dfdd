"""The words that a host of the A1111 family added to a picture's prompts, as one line of JSON in its infotext."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from ..errors import OutputError, PromptError
from ..json_text import read_json
from ..text.df_text import format_prompt, parse_prompt
from ..text.prompt import DFPrompt

Passes = Literal["both", "first", "hires"]
"""The passes of a picture in which a plan acts; without hires fix there is only the first."""

PASSES: tuple[Passes, ...] = get_args(Passes)
PLAN_KEY = "NegOpt plan"
"""Name of the plan among the settings of an infotext."""
VERSION = 1
"""Of the JSON; a reader refuses a newer one."""
_MAX_CHARS = 100_000
_HASH_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """Words, each with its weight and window, that follow the user's own words; and which policy wrote them, if any."""

    positive: DFPrompt = field(default_factory=DFPrompt)
    negative: DFPrompt = field(default_factory=DFPrompt)
    passes: Passes = "both"
    policy: str = ""
    policy_hash: str = ""
    """SHA-256 over the policy's files, or its first 16 hex digits."""
    policy_seed: int = 0
    writes: str = ""
    """What the policy was asked for, as the host names it."""

    @property
    def is_empty(self) -> bool:
        """True if nothing is added on either side."""
        return not (self.positive.text.strip() or self.negative.text.strip())

    def acts_in(self, is_hires: bool) -> bool:
        """True if the plan acts in a pass of this kind."""
        return self.passes == "both" or self.passes == ("hires" if is_hires else "first")

    def to_json(self) -> str:
        """One line that `read_plan` reads back as an equal plan, but for the length of its hash."""
        values: dict[str, Any] = {
            "v": VERSION,
            "prompt": format_prompt(self.positive),
            "negative": format_prompt(self.negative),
            "passes": self.passes,
        }
        if self.policy:
            values |= {
                "policy": self.policy,
                "hash": self.policy_hash[:_HASH_DIGITS],
                "seed": self.policy_seed,
                "writes": self.writes,
            }
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def read_plan(text: str) -> Plan:
    """Read a plan; OutputError for one that is malformed or newer, PromptError for unknown passes.

    Unknown fields are ignored.
    """
    if len(text) > _MAX_CHARS:
        raise OutputError(f"a NegOpt plan has at most {_MAX_CHARS:,} characters, got {len(text):,}; it is none of ours")
    try:
        values = read_json(text)
    except ValueError as error:
        raise OutputError(f"the NegOpt plan is not JSON: {error}; paste the picture's whole infotext") from error
    if not isinstance(values, dict) or values.get("v") is True or values.get("v") != VERSION:
        version = values.get("v") if isinstance(values, dict) else type(values).__name__
        raise OutputError(f"the NegOpt plan has version {version!r}, this negopt reads {VERSION}; update negopt")
    positive, negative, passes = (values.get(key, "") for key in ("prompt", "negative", "passes"))
    if not isinstance(positive, str) or not isinstance(negative, str):
        raise OutputError("the NegOpt plan holds no text under 'prompt' or 'negative'; it was changed by hand")
    seed = values.get("seed")
    return Plan(
        parse_prompt(positive),
        parse_prompt(negative),
        check_passes(passes or "both"),
        policy=str(values.get("policy", "")),
        policy_hash=str(values.get("hash", "")),
        policy_seed=seed if isinstance(seed, int) else 0,
        writes=str(values.get("writes", "")),
    )


def check_passes(passes: object) -> Passes:
    """The passes of that name; raises PromptError for an unknown one."""
    if passes not in PASSES:
        raise PromptError(f"there are no passes {passes!r}; use one of {', '.join(PASSES)}")
    return passes
