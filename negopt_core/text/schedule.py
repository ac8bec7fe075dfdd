"""From a prompt with windows to what is encoded at each step: `compile_schedule`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise

from .prompt import DFPrompt, Span, step_at

_SEPARATOR = " \t\r\n,"


@dataclass(frozen=True, slots=True)
class Segment:
    """Steps `first` .. `stop - 1` of a run, and the (text, weight) parts that are encoded for them, in order."""

    first: int
    stop: int
    parts: tuple[tuple[str, float], ...]

    @property
    def text(self) -> str:
        """The encoded text, exactly."""
        return "".join(text for text, _ in self.parts)


Schedule = tuple[Segment, ...]
"""Segments in order; together they cover every step of the run exactly once."""


def compile_schedule(prompt: DFPrompt, steps: int) -> Schedule:
    """Cut a run of `steps` wherever a span starts or stops; outside its window a span and its separator are absent."""
    step_at(0.0, steps)  # refuses a run without steps
    live = [(span, span.window.steps(steps)) for span in prompt.spans]
    cuts = sorted({0, steps}.union(*({when.start, when.stop} for _, when in live if when)))
    segments: list[Segment] = []
    for first, stop in pairwise(cuts):
        parts = join_live((span, first in when) for span, when in live)
        if segments and segments[-1].parts == parts:
            first = segments.pop().first
        segments.append(Segment(first, stop, parts))
    return tuple(segments)


def segment_at(schedule: Schedule, step: int) -> Segment:
    """The one segment that holds `step`; before the run it is the first, after it the last."""
    for segment in schedule:
        if step < segment.stop:
            return segment
    return schedule[-1]


def spans_never_live(prompt: DFPrompt, steps: int) -> tuple[Span, ...]:
    """Spans whose window is narrower than one step of this run and therefore never act."""
    return tuple(span for span in prompt.spans if not span.window.steps(steps))


def longest_texts(prompt: DFPrompt, steps: int, most: int) -> tuple[set[str], bool]:
    """The texts of a run, and whether these are all: no more than `most` stretches are joined, the longest first."""
    live = [(span, span.window.steps(steps)) for span in prompt.spans]
    changes = {0: 0}
    for span, when in live:
        if when:
            changes[when.start] = changes.get(when.start, 0) + len(span.text)
            changes[when.stop] = changes.get(when.stop, 0) - len(span.text)
    firsts = sorted(first for first in changes if first < steps)
    lengths = accumulate(changes[first] for first in firsts)
    longest = [first for _, first in sorted(zip(lengths, firsts, strict=True), reverse=True)]
    texts = {"".join(live_texts((span, first in when) for span, when in live)) for first in longest[:most]}
    return texts, len(longest) <= most


def join_live(spans: Iterable[tuple[Span, bool]]) -> tuple[tuple[str, float], ...]:
    """The parts that remain when absent spans go and take one separator each with them.

    `a cat, [x], dog` without x is `a cat, dog`; a separator left over at either end goes too.
    """
    pairs = list(spans)
    texts = live_texts(pairs)
    return tuple((text, span.weight) for (span, _), text in zip(pairs, texts, strict=True) if text)


def live_texts(spans: Iterable[tuple[Span, bool]]) -> list[str]:
    """What `join_live` leaves of each span, in order; empty for a span that is absent or was only a separator."""
    texts: list[str] = []
    filled: list[int] = []  # the spans that still have text
    gap = False  # something was removed since the last text
    for index, (span, is_live) in enumerate(spans):
        texts.append("")
        if not is_live:
            gap = True
            continue
        text = _close_gap(texts, filled, span.text) if gap else span.text
        if text:
            texts[index] = text
            filled.append(index)
            gap = False
    if gap:
        _strip_end(texts, filled)
    return texts


def _close_gap(texts: list[str], filled: list[int], text: str) -> str:
    """Leave one separator where a removed span had two; a comma wins over a space. Returns what is left of `text`."""
    stripped = text.lstrip(_SEPARATOR)
    if not filled:
        return stripped
    before = texts[filled[-1]]
    kept = before.rstrip(_SEPARATOR)
    if kept == before:
        return text
    if "," in text[: len(text) - len(stripped)] and "," not in before[len(kept) :]:
        _strip_end(texts, filled)
        return text
    return stripped


def _strip_end(texts: list[str], filled: list[int]) -> None:
    """Remove trailing separators, through as many spans as they reach."""
    while filled:
        texts[filled[-1]] = texts[filled[-1]].rstrip(_SEPARATOR)
        if texts[filled[-1]]:
            return
        filled.pop()
