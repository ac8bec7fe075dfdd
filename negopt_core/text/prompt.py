"""The words of a prompt and when each of them acts: `Window`, `Span`, `DFPrompt`, `PromptPair`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..errors import PromptError

MAX_WEIGHT = 10.0
"""Largest weight a span may carry; past it every encoder we know returns noise."""

MAX_PROMPT_CHARS = 1_000_000
"""Longest prompt that is read at all; a guard against pasted files, far above any prompt that can act."""

_DECIMALS = 9  # windows live on this grid, so that text and value convert both ways without loss


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open slice of denoising progress: 0 is before the first step, 1 after the last."""

    start: float = 0.0
    end: float = 1.0

    def __post_init__(self) -> None:
        start, end = self.start, self.end
        # written so that NaN fails too
        if not 0.0 <= start < end <= 1.0 or not round(start, _DECIMALS) < round(end, _DECIMALS):
            raise PromptError(f"a window needs 0 <= start < end <= 1, got {start} to {end}; give progress, not steps")
        object.__setattr__(self, "start", round(float(start), _DECIMALS) + 0.0)
        object.__setattr__(self, "end", round(float(end), _DECIMALS))

    @classmethod
    def from_noise(cls, low: float, high: float) -> Window:
        """PAE counts in noise, where 1 is pure noise; flip it here and nowhere else."""
        return cls(round(1.0 - high, _DECIMALS), round(1.0 - low, _DECIMALS))

    def to_noise(self) -> tuple[float, float]:
        """The window as PAE's (low, high) noise range; the inverse of `from_noise`."""
        return round(1.0 - self.end, _DECIMALS) + 0.0, round(1.0 - self.start, _DECIMALS)

    def steps(self, total: int) -> range:
        """The steps of a run of `total` in which the window is live; empty if it is narrower than one step."""
        return range(step_at(self.start, total), step_at(self.end, total))

    @property
    def is_full(self) -> bool:
        """True if the window covers the whole run."""
        return self.start == 0.0 and self.end == 1.0


def step_at(progress: float, steps: int) -> int:
    """The first step that lies at or after `progress`; the rounding matters because 1 - 0.85 is not 0.15."""
    if steps < 1:
        raise PromptError(f"a run needs at least 1 step, got {steps}")
    return math.ceil(round(progress * steps, 6))


def check_length(text: str) -> None:
    """Refuse text past `MAX_PROMPT_CHARS` characters."""
    if len(text) > MAX_PROMPT_CHARS:
        raise PromptError(f"a prompt may have {MAX_PROMPT_CHARS:,} characters, got {len(text):,}; shorten it")


FULL = Window()


@dataclass(frozen=True, slots=True)
class Span:
    """Verbatim text, how strongly it counts (1 = as written) and when it acts."""

    text: str
    weight: float = 1.0
    window: Window = FULL

    def __post_init__(self) -> None:
        if not self.text:
            raise PromptError("a span needs text, got an empty string; leave the span out instead")
        if not 0.0 <= self.weight <= MAX_WEIGHT:
            raise PromptError(f"a weight needs 0 <= weight <= {MAX_WEIGHT:g}, got {self.weight} for {self.text[:40]!r}")
        object.__setattr__(self, "weight", float(self.weight) + 0.0)

    @property
    def is_plain(self) -> bool:
        """True if the span is ordinary text: weight 1, all steps."""
        return self.weight == 1.0 and self.window.is_full


@dataclass(frozen=True, slots=True)
class DFPrompt:
    """A prompt whose phrases carry weights and windows; ordinary text is a prompt of one span.

    Neighbouring plain spans are joined, so that equal prompts compare equal however they were put together.
    """

    spans: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "spans", tuple(_join_plain(self.spans)))

    @classmethod
    def plain(cls, text: str) -> DFPrompt:
        """Ordinary text, taken literally: brackets in it mean nothing."""
        return cls((Span(text),)) if text else cls()

    @property
    def text(self) -> str:
        """Every word of the prompt, whatever its window: what a host without schedules would encode."""
        return "".join(span.text for span in self.spans)

    @property
    def is_plain(self) -> bool:
        """True if the prompt is ordinary text: nothing weighted, nothing scheduled."""
        return all(span.is_plain for span in self.spans)

    def __add__(self, other: DFPrompt) -> DFPrompt:
        return DFPrompt(self.spans + other.spans)


def _join_plain(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    run: list[str] = []
    for span in spans:
        if span.is_plain:
            run.append(span.text)
            continue
        if run:
            joined.append(Span("".join(run)))
            run = []
        joined.append(span)
    return [*joined, Span("".join(run))] if run else joined


@dataclass(frozen=True, slots=True)
class PromptPair:
    """What a policy proposes and a painter consumes: the wanted and the unwanted, each with its schedule."""

    positive: DFPrompt = field(default_factory=DFPrompt)
    negative: DFPrompt = field(default_factory=DFPrompt)

    @classmethod
    def plain(cls, positive: str, negative: str = "") -> PromptPair:
        """An unscheduled pair from two ordinary texts."""
        return cls(DFPrompt.plain(positive), DFPrompt.plain(negative))
