"""From a schedule to the pieces of text that an editing notation switches: shared by A1111 and prompt-control."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, pairwise

from ..prompt import DFPrompt, Span
from ..schedule import compile_schedule, live_texts

_ESCAPED_ROUND = re.compile(r"(\\[()])")

Write = Callable[[str, float], str]
"""Words and weight -> the host's notation for them, escaped."""


@dataclass(frozen=True, slots=True)
class Edits:
    """`firsts`: the first step of each segment; `pieces`: in text order, what each piece says in each segment."""

    firsts: tuple[int, ...]
    pieces: tuple[tuple[str, ...], ...]

    def segment_texts(self) -> list[str]:
        """What the host is given to encode in each segment, in its own notation."""
        return ["".join(piece[index] for piece in self.pieces) for index in range(len(self.firsts))]


def find_edits(prompt: DFPrompt, steps: int, write: Write) -> Edits:
    """Cut a prompt into constant and switching pieces; a separator switches together with its phrase."""
    firsts = tuple(segment.first for segment in compile_schedule(prompt, steps))
    live = [(span, span.window.steps(steps)) for span in prompt.spans]
    rows = [live_texts((span, first in when) for span, when in live) for first in firsts]
    pieces: list[tuple[str, ...]] = []
    for span, texts in zip(prompt.spans, zip(*rows, strict=True), strict=True):
        pieces += _split_span(span, texts, write)
    return Edits(firsts, tuple(_join(pieces)))


def boundary_span(prompt: DFPrompt, steps: int, step: int) -> Span:
    """The span whose window starts or stops at `step`, for error messages."""
    return next(span for span in prompt.spans if (when := span.window.steps(steps)) and step in (when.start, when.stop))


def runs(piece: tuple[str, ...], firsts: tuple[int, ...]) -> list[tuple[int, str]]:
    """(first step, text) wherever the piece changes."""
    starts = [index for index in range(len(piece)) if index == 0 or piece[index] != piece[index - 1]]
    return [(firsts[index], piece[index]) for index in starts]


def escape(words: str, special: re.Pattern[str]) -> str:
    """Words with a backslash before each special character; `\\(` and `\\)` have theirs already."""
    parts = _ESCAPED_ROUND.split(words)
    return "".join(part if at % 2 else special.sub(r"\\\g<0>", part) for at, part in enumerate(parts))


def plain_number(value: float) -> str:
    """The shortest decimal that reads back as `value`, never with an exponent."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _split_span(span: Span, texts: tuple[str, ...], write: Write) -> list[tuple[str, ...]]:
    """What the span keeps in every segment, and what it loses in some: only its separators, unless it is absent."""
    if span.weight != 1.0:  # one pair of brackets per text, so that the weight reads as one
        return [tuple(write(text, span.weight) if text else "" for text in texts)]
    head = texts[0] if len(set(texts)) == 1 else _shared_head(texts)
    rest = [text[len(head) :] for text in texts]
    tail = _shared_head([text[::-1] for text in rest])[::-1]
    middle = [text[: len(text) - len(tail)] for text in rest]
    parts = ([head] * len(texts), middle, [tail] * len(texts))
    return [tuple(write(text, 1.0) if text else "" for text in part) for part in parts if any(part)]


def _shared_head(texts: Sequence[str]) -> str:
    """The longest text that all of them begin with."""
    shortest = min(texts, key=len)
    return next(
        (shortest[:at] for at, column in enumerate(zip(*texts, strict=False)) if len(set(column)) > 1), shortest
    )


def _join(pieces: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Neighbours that change at the same steps become one piece."""
    groups = (list(group) for _, group in groupby(pieces, key=_changes))
    return [tuple("".join(texts) for texts in zip(*group, strict=True)) for group in groups]


def _changes(piece: tuple[str, ...]) -> list[bool]:
    return [before != after for before, after in pairwise(piece)]
