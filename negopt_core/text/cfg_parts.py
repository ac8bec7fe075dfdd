"""Runs whose guidance scale changes on the way: what of a negative lies where it is 1, and so is never computed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..errors import PromptError
from .finding import Finding, distinct, examples
from .prompt import DFPrompt, Window

_SEPARATOR = " \t\r\n,"


@dataclass(frozen=True, slots=True)
class RunPart:
    """A part of a run with a guidance scale of its own, as one sampler of a chain; raises PromptError if it is none."""

    start: float
    """Progress at which it begins, from 0."""
    end: float
    """Progress at which it ends, up to 1."""
    cfg: float

    def __post_init__(self) -> None:
        Window(self.start, self.end)
        check_cfg(self.cfg)


def check_cfg(cfg: float) -> None:
    """Raises PromptError for a guidance scale that is none."""
    if not (math.isfinite(cfg) and cfg >= 0.0):
        raise PromptError(f"a guidance scale needs a number from 0, got {cfg}; 5 to 8 is usual")


def judge_parts(negative: DFPrompt, parts: Sequence[RunPart], steps: int | None) -> Iterator[Finding]:
    """What of the negative lies where the guidance scale is 1, if it is another elsewhere."""
    idle = [part for part in parts if math.isclose(part.cfg, 1.0)]
    active = [part for part in parts if part not in idle]
    if not idle:
        return
    where = ", ".join(_part_text(part, steps) for part in idle)
    rule = f"CFG is 1 in {where}, where ComfyUI does not compute the negative"
    dead = [
        span.text.strip(_SEPARATOR)
        for span in negative.spans
        if span.text.strip(_SEPARATOR) and not any(_overlap(span.window, part) for part in active)
    ]
    if dead:
        yield Finding(
            "window-at-cfg-one",
            "warning",
            f"{examples(dead)} in the negative: {rule}, so it never acts",
            "move the window to where CFG is above 1, or raise CFG there",
            "negative",
            distinct(dead),
        )
    elif any(_overlap(span.window, part) for span in negative.spans for part in idle):
        yield Finding(
            "cfg-one-part",
            "info",
            f"{rule}: there it does nothing",
            "raise CFG there if the negative should act to the end",
        )


def _overlap(window: Window, part: RunPart) -> bool:
    return window.start < part.end and part.start < window.end


def _part_text(part: RunPart, steps: int | None) -> str:
    if steps is None:
        return f"{part.start:.0%} to {part.end:.0%} of the run"
    first, stop = (math.ceil(round(progress * steps, 6)) for progress in (part.start, part.end))
    return f"steps {first} to {stop - 1} of {steps}"
