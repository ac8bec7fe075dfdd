"""The text of PAE's reference code: `[words:low-high:weight]`, noise time, ascending only, no escapes.

This is the notation. The reference's own pipeline also leaves an absent phrase's comma in the text; ours removes it.
"""

from __future__ import annotations

import re

from ...errors import DialectError
from ..df_text import plain_rounds
from ..prompt import MAX_WEIGHT, DFPrompt, Span, Window
from ..schedule import compile_schedule
from .edits import plain_number
from .nesting import refuse

_NUMBER = r"\s*(?:\d+\.?\d*|\.\d+)"
_RANGE = re.compile(rf"({_NUMBER}\s*)-({_NUMBER}\s*)", re.ASCII)
_WEIGHT = re.compile(rf"{_NUMBER}(?:[eE][-+]?\d+)?\s*", re.ASCII)


def write(prompt: DFPrompt, steps: int) -> str:
    """Write PAE text whose numbers give the same steps by the reference's rounding, in a run of `steps`."""
    led = [span.text[:40] for span in prompt.spans if not span.is_plain and span.text.startswith(" ")]
    if led and not _may_move_spaces(prompt, steps):
        raise DialectError(
            f"PAE's reference moves the space before {led[0]!r} out of its bracket, where it would stay at every step; "
            "write the space before the bracket"
        )
    return "".join(_write_span(span, steps) for span in prompt.spans)


def read(text: str) -> DFPrompt:
    """Read PAE text; DialectError for a bracket whose words the reference would lose or mangle."""
    text = text.replace("[ ", " [")  # as the reference does, so that a phrase never starts with a space
    spans: list[Span] = []
    done = 0
    while (opened := text.find("[", done)) >= 0:
        closed = text.find("]", opened)
        if closed < 0:
            raise refuse(opened, "'[' is never closed; PAE has no escapes, leave it out")
        spans += [Span(text[done:opened])] if opened > done else []
        spans.append(_read_span(text[opened + 1 : closed], opened))
        done = closed + 1
    return DFPrompt((*spans, Span(text[done:])) if text[done:] else tuple(spans))


def _write_span(span: Span, steps: int) -> str:
    forbidden = "[" if span.is_plain else "[]:"
    for character in forbidden:
        if character in span.text:
            raise DialectError(f"PAE has no escape for {character!r} in {span.text[:40]!r}; leave the character out")
    if span.is_plain:
        return plain_rounds(span.text)
    low, high = span.window.to_noise()
    live = span.window.steps(steps)
    low_text, high_text = _bound(low, steps, steps - live.stop), _bound(high, steps, steps - live.start)
    text = plain_rounds(span.text)
    words = text.lstrip(" ")  # the reference moves a leading space out of the bracket, so it is written there
    lead = " " * (len(text) - len(words))
    return f"{lead}[{words}:{low_text}-{high_text}:{plain_number(span.weight)}]" if words else lead


def _may_move_spaces(prompt: DFPrompt, steps: int) -> bool:
    """True if the same words with the same weights are encoded at every step; a space has no weight."""
    moved: list[Span] = []
    for span in prompt.spans:
        words = span.text if span.is_plain else span.text.lstrip(" ")
        lead = " " * (len(span.text) - len(words))
        moved += [Span(lead)] if lead else []
        moved += [Span(words, span.weight, span.window)] if words else []
    return _words_by_step(prompt, steps) == _words_by_step(DFPrompt(tuple(moved)), steps)


def _words_by_step(prompt: DFPrompt, steps: int) -> list[tuple[int, str, list[tuple[str, float]]]]:
    changes: list[tuple[int, str, list[tuple[str, float]]]] = []
    for segment in compile_schedule(prompt, steps):
        words = [(text.strip(" "), weight) for text, weight in segment.parts if text.strip(" ")]
        if not changes or changes[-1][1:] != (segment.text, words):
            changes.append((segment.first, segment.text, words))
    return changes


def _bound(noise: float, steps: int, wanted: int) -> str:
    """`noise`, moved up a hair where the reference's truncation `int(noise * steps)` would lose a step."""
    near = round(wanted / steps, 9)
    texts = [plain_number(value) for value in (noise, near, round(near + 1e-9, 9))]
    return next((text for text in texts if int(float(text) * steps) == wanted), texts[-1])


def _read_span(body: str, position: int) -> Span:
    fields = body.split(":")
    if len(fields) != 3 or not fields[0]:
        raise refuse(position, f"a phrase is written [words:low-high:weight], got '[{body[:40]}]'")
    words, range_text, weight_text = fields
    bounds = _RANGE.fullmatch(range_text)
    low, high = (float(bounds.group(1)), float(bounds.group(2))) if bounds else (0.0, 0.0)
    if not round(low, 9) < round(high, 9) <= 1.0:
        raise refuse(position, f"a range is written low-high with 0 <= low < high <= 1, got {range_text[:40]!r}")
    if not _WEIGHT.fullmatch(weight_text) or float(weight_text) > MAX_WEIGHT:
        raise refuse(position, f"a weight needs 0 <= weight <= {MAX_WEIGHT:g}, got {weight_text[:40]!r}")
    return Span(words, float(weight_text), Window.from_noise(low, high))
