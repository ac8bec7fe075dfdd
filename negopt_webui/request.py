"""The script's arguments. Their order is public: API clients send them by position, so new ones go to the end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from negopt_core.errors import PolicyError, PromptError
from negopt_core.policy.phrases import append_phrases, phrase_spans
from negopt_core.policy.suggest import MAX_SEED
from negopt_core.provenance.plan import Passes, Plan, check_passes
from negopt_core.text.df_text import parse_prompt
from negopt_core.text.prompt import DFPrompt, Span, Window

from .model_family import AUTOMATIC, DEFAULT

NOTHING, EVERYTHING = "nothing", "negative and modifiers"
WRITES: dict[str, tuple[str, ...]] = {
    NOTHING: (),
    "negative": ("negative",),
    "modifiers": ("modifiers",),
    EVERYTHING: ("negative", "modifiers"),
}
"""What a policy writes by itself while pictures are generated."""
MAX_WORDS = 20_000
"""Longest text of either schedule box; far above what a text encoder can use."""
PICTURE_SEED = -1
"""Instead of a seed for the policy: each picture's own."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the user set, in the order of the script's arguments."""

    enabled: bool = False
    policy: str = DEFAULT
    writes: str = NOTHING
    positive: str = ""
    negative: str = ""
    passes: str = "both"
    seed: int = 0
    family: str = AUTOMATIC
    start: float | None = None
    """Only from a grid: where every window starts, as a share of the steps."""

    @property
    def modes(self) -> tuple[str, ...]:
        """What the policy is asked for."""
        if self.writes not in WRITES:
            raise PolicyError(f"a policy cannot write {self.writes!r}; use one of {', '.join(WRITES)}")
        return WRITES[self.writes]

    def plan(self) -> Plan:
        """The words in the two boxes."""
        passes: Passes = check_passes(self.passes)
        return Plan(self.place(self.positive), self.place(self.negative), passes)

    def place(self, words: str | DFPrompt) -> DFPrompt:
        """Scheduled words as a prompt, moved to the grid's window start if there is one."""
        if isinstance(words, str) and len(words) > MAX_WORDS:
            raise PromptError(f"scheduled words may have {MAX_WORDS:,} characters, got {len(words):,}; shorten them")
        prompt = parse_prompt(words) if isinstance(words, str) else words
        return prompt if self.start is None else starting_at(prompt, self.start)


ARGUMENTS = tuple(field.name for field in fields(Request) if field.name != "start")
"""Names of the script's arguments, in order."""


def read_request(values: Sequence[Any], axes: Mapping[str, Any] | None = None) -> Request:
    """The request in a script's arguments, with a grid's values in place of some; a grid of ours switches on.

    Surplus arguments are ignored and missing ones have their defaults. Anything but a plain yes in the first place is
    off, and then the rest is not looked at: other extensions call scripts with lists that are not meant for them.
    """
    given = dict(zip(ARGUMENTS, values, strict=False)) | ({"enabled": True, **axes} if axes else {})
    if not is_yes(given.get("enabled", False)):
        return Request()
    default = Request()

    def text(name: str) -> str:
        return str(getattr(default, name) if given.get(name) is None else given[name])

    if (
        axes and {"policy", "family", "seed"} & axes.keys() and text("writes") == NOTHING
    ):  # or all its cells would be the same
        given["writes"] = EVERYTHING

    return Request(
        enabled=True,
        policy=text("policy"),
        writes=text("writes"),
        positive=text("positive"),
        negative=text("negative"),
        passes=text("passes"),
        seed=default.seed if given.get("seed") is None else _seed(given["seed"]),
        family=text("family"),
        start=given.get("start"),
    )


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


def is_yes(value: object) -> bool:
    """True for True, and for the word as a grid gives it."""
    return value is True or (isinstance(value, str) and value.strip().casefold() == "true")


def _seed(value: Any) -> int:
    try:
        seed = float(value) if not isinstance(value, int) else value
        if not math.isfinite(seed) or seed != int(seed) or not PICTURE_SEED <= seed <= MAX_SEED:
            raise ValueError
    except (TypeError, ValueError):
        raise PromptError(
            f"a policy seed is a whole number from 0 to {MAX_SEED}, or -1 for the picture's own, got {value!r}"
        ) from None
    return int(seed)


def read_field(values: Mapping[str, Any], name: str, default: str | None, longest: int) -> str:
    """A text of a program's JSON; PromptError for anything else, or for one that is too long."""
    value = values.get(name, default)
    if not isinstance(value, str):
        raise PromptError(f"{name} is a text, got {type(value).__name__}; send a string")
    if len(value) > longest:
        raise PromptError(f"{name} may have {longest:,} characters, got {len(value):,}; shorten it")
    return value
