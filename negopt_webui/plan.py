"""What is added to one picture's prompts, and the record of it that travels in the picture's infotext."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from negopt_core.errors import OutputError, PromptError
from negopt_core.policy.phrases import append_phrases, phrase_spans
from negopt_core.text.df_text import format_prompt, parse_prompt
from negopt_core.text.prompt import DFPrompt, Span, Window

Passes = Literal["both", "first", "hires"]
"""The passes of a picture in which a plan acts; without hires fix there is only the first."""

PASSES: tuple[Passes, ...] = get_args(Passes)
VERSION = 1
"""Of the record; a reader refuses a newer one."""
_MAX_RECORD = 100_000


@dataclass(frozen=True, slots=True)
class Origin:
    """Who wrote the words, for the record only: the words themselves reproduce the picture."""

    policy: str = ""
    fingerprint: str = ""
    seed: int = 0
    writes: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Words, each with its weight and window, that follow the user's own words."""

    positive: DFPrompt = field(default_factory=DFPrompt)
    negative: DFPrompt = field(default_factory=DFPrompt)
    passes: Passes = "both"
    origin: Origin = field(default_factory=Origin)

    @property
    def is_empty(self) -> bool:
        """True if nothing is added on either side."""
        return not (self.positive.text.strip() or self.negative.text.strip())

    def acts_in(self, is_hires: bool) -> bool:
        """True if the plan acts in a pass of this kind."""
        return self.passes == "both" or self.passes == ("hires" if is_hires else "first")

    def to_json(self) -> str:
        """One line that `read_plan` reads back as an equal plan."""
        record: dict[str, Any] = {
            "v": VERSION,
            "prompt": format_prompt(self.positive),
            "negative": format_prompt(self.negative),
            "passes": self.passes,
        }
        if self.origin.policy:
            record |= {
                "policy": self.origin.policy,
                "hash": self.origin.fingerprint[:16],
                "seed": self.origin.seed,
                "writes": self.origin.writes,
            }
        return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def read_plan(text: str) -> Plan:
    """Read a record; raises OutputError for one that is malformed or newer. Unknown fields are ignored."""
    if len(text) > _MAX_RECORD:
        raise OutputError(
            f"a NegOpt plan has at most {_MAX_RECORD:,} characters, got {len(text):,}; it is none of ours"
        )
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OutputError(f"the NegOpt plan is not JSON: {error}; paste the picture's whole infotext") from error
    if not isinstance(record, dict) or record.get("v") is True or record.get("v") != VERSION:
        found = record.get("v") if isinstance(record, dict) else type(record).__name__
        raise OutputError(f"the NegOpt plan has version {found!r}, this negopt reads {VERSION}; update negopt")
    positive, negative, passes = (record.get(key, "") for key in ("prompt", "negative", "passes"))
    if not isinstance(positive, str) or not isinstance(negative, str):
        raise OutputError("the NegOpt plan holds no text under 'prompt' or 'negative'; it was changed by hand")
    seed = record.get("seed")
    origin = Origin(
        policy=str(record.get("policy", "")),
        fingerprint=str(record.get("hash", "")),
        seed=seed if isinstance(seed, int) else 0,
        writes=str(record.get("writes", "")),
    )
    return Plan(parse_prompt(positive), parse_prompt(negative), check_passes(passes or "both"), origin)


def check_passes(passes: object) -> Passes:
    """The passes of that name; raises PromptError for an unknown one."""
    for known in PASSES:
        if passes == known:
            return known
    raise PromptError(f"there are no passes {passes!r}; use one of {', '.join(PASSES)}")


def starting_at(prompt: DFPrompt, progress: float) -> DFPrompt:
    """Every phrase of the prompt, from `progress` (0 = the first step) to its own end; ended ones are left out."""
    if not 0.0 <= progress < 1.0:
        raise PromptError(f"a window start needs 0 <= start < 1, got {progress}; give a share of the steps")
    phrases = [
        Span(phrase.text, phrase.weight, Window(progress, phrase.window.end))
        for phrase in phrase_spans(prompt.spans)
        if progress < phrase.window.end
    ]
    return append_phrases(DFPrompt(), phrases)
