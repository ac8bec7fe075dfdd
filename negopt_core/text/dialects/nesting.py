"""Reading nested round and square brackets: shared by A1111 and prompt-control, which differ in their `Rules`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, groupby
from typing import Protocol

from ...errors import DialectError
from ..prompt import MAX_WEIGHT, DFPrompt, Span, Window, step_at
from ..schedule import compile_schedule, live_texts

_TOKEN = re.compile(r"\\.?|[\[\]():|]|[^\\\[\]():|]+")  # `.` is no line end, as in both hosts
_SEPARATOR = " \t\r\n,"
_DEEPEST = 30  # brackets inside brackets; far above any prompt that a person wrote
_MOST_IN_TURN = 100_000  # characters, and 20 for each phrase, that words taking turns may be written out to


@dataclass(frozen=True, slots=True)
class Leaf:
    """A run of words, where it was read, its weight, and the cells `start` .. `stop - 1` of a grid it is live in."""

    text: str
    position: int
    weight: float
    start: int
    stop: int
    is_fixed: bool = False  # an outer weight no longer changes it


@dataclass(slots=True)
class Frame:
    """An open bracket: its fields so far, the sign that ended each, and where the current one begins in the text."""

    bracket: str
    position: int
    field_start: int
    fields: list[list[Leaf]] = field(default_factory=lambda: [[]])
    signs: str = ""
    """`:` or `|` behind each field but the last."""


@dataclass(frozen=True, slots=True)
class Sides:
    """What a text asks for, and the words that it weighs below zero."""

    prompt: DFPrompt
    opposite: DFPrompt
    """Words with a weight below zero, their weights made positive: what the other prompt of a pair would say."""
    below_zero: tuple[Leaf, ...]


class Rules(Protocol):
    """What one host makes of ordinary text, a closed bracket and a bar."""

    bar_rule: str
    grid: int

    def literal(self, token: str, position: int, is_inside: bool) -> str:
        """The text that a run of ordinary characters, a bar, or a backslash and the next character stands for."""
        ...

    def close_round(self, frame: Frame, last: str) -> list[Leaf]:
        """Apply a weight; `last` is the unread text of the last field."""
        ...

    def close_square(self, frame: Frame, last: str) -> list[Leaf]:
        """Apply a switch; `last` is the unread text of the last field."""
        ...

    def is_bar_text(self, stack: list[Frame]) -> bool:
        """True if a bar that is not directly inside a square bracket is ordinary text in these open brackets."""
        ...


def read_leaves(text: str, rules: Rules) -> list[Leaf]:
    """The words of a bracketed text in order; DialectError with the position for brackets that do not match."""
    stack = [Frame("", 0, 0)]
    for token in _TOKEN.finditer(text):
        at, sign, frame = token.start(), token.group(), stack[-1]
        if sign in ("(", "["):
            if len(stack) > _DEEPEST:
                raise refuse(at, f"brackets are nested more than {_DEEPEST} deep; write fewer")
            stack.append(Frame(sign, at, at + 1))
        elif sign in (")", "]"):
            stack.pop()
            if frame.bracket + sign not in ("()", "[]"):
                raise refuse(at, f"{sign!r} closes nothing; write \\{sign} for the character")
            close = rules.close_round if sign == ")" else rules.close_square
            stack[-1].fields[-1] += close(frame, text[frame.field_start : at])
        elif sign == "|" and frame.bracket != "[" and not rules.is_bar_text(stack):
            raise refuse(at, rules.bar_rule)
        elif (sign == ":" and frame.bracket) or (sign == "|" and frame.bracket == "["):
            frame.fields.append([])
            frame.signs += sign
            frame.field_start = at + 1
        else:
            words = sign if sign == ":" else rules.literal(sign, at, len(stack) > 1)
            frame.fields[-1].append(Leaf(words, at, 1.0, 0, rules.grid))
    if len(stack) > 1:
        raise refuse(stack[-1].position, f"{stack[-1].bracket!r} is never closed; write \\{stack[-1].bracket} for it")
    return stack[0].fields[0]


def refuse(position: int, rule: str) -> DialectError:
    """The error for text that cannot become a prompt."""
    return DialectError(f"character {position}: {rule}")


def between(leaves: list[Leaf], start: int, stop: int) -> list[Leaf]:
    """The leaves, live only inside `start` .. `stop - 1`."""
    return [replace(leaf, start=max(leaf.start, start), stop=min(leaf.stop, stop)) for leaf in _merge(leaves)]


def in_turn(frame: Frame, options: Sequence[list[Leaf]], stretches: Sequence[tuple[int, int]]) -> list[Leaf]:
    """One option for each stretch of cells (first, stop), the first again after the last."""
    merged = [_merge(option) for option in options]
    leaves: list[Leaf] = []
    left = _MOST_IN_TURN
    for index, stretch in enumerate(stretches):
        option = merged[index % len(merged)]
        live = [leaf for leaf in between(option, *stretch) if leaf.start < leaf.stop]
        left -= sum(20 + len(leaf.text) for leaf in live) + len(option)
        if left < 0:
            raise refuse(frame.position, f"words take turns {len(stretches)} times, too often to write out; use fewer")
        leaves += live
    return leaves


def weigh(leaves: list[Leaf], factor: float, is_fixed: bool = False) -> list[Leaf]:
    """The leaves, multiplied by a weight unless an inner weight is final."""
    return [
        leaf if leaf.is_fixed else replace(leaf, weight=leaf.weight * factor, is_fixed=is_fixed)
        for leaf in _merge(leaves)
    ]


def to_sides(leaves: list[Leaf], grid: int) -> Sides:
    """The prompt with these words, weights and cells of `grid`, without the words that have a weight below zero."""
    live = [leaf for leaf in _merge(leaves) if leaf.text and leaf.start < leaf.stop]
    for leaf in live:
        if abs(leaf.weight) > MAX_WEIGHT:
            raise refuse(leaf.position, f"a weight needs 0 <= weight <= {MAX_WEIGHT:g}, got {leaf.weight:g}")
    below = tuple(leaf for leaf in live if leaf.weight < 0.0)
    if below:
        texts = live_texts((Span(leaf.text), leaf.weight >= 0.0) for leaf in live)
        live = [replace(leaf, text=text) for leaf, text in zip(live, texts, strict=True) if text]
    return Sides(_to_prompt(live, grid), _opposite(below, grid), below)


def _opposite(below: Iterable[Leaf], grid: int) -> DFPrompt:
    words = [(leaf, text) for leaf in below if (text := leaf.text.strip(_SEPARATOR))]
    spans = [Span(text, -leaf.weight, _window(leaf.start, leaf.stop, grid)) for leaf, text in words]
    return DFPrompt(tuple(chain.from_iterable((span, Span(", ")) for span in spans))[:-1])


def _to_prompt(live: list[Leaf], grid: int) -> DFPrompt:
    """`a cat[, x:4]` reads back as the phrase `x` after `a cat, `, where that gives the host's texts exactly."""
    spans = [Span(leaf.text, leaf.weight, _window(leaf.start, leaf.stop, grid)) for leaf in live]
    tidy = DFPrompt(tuple(chain.from_iterable(map(_free_separators, spans))))
    return tidy if _is_exact(tidy, live, grid) else DFPrompt(tuple(spans))


def _merge(leaves: list[Leaf]) -> list[Leaf]:
    """Join neighbours that differ only in their text."""
    groups = [
        list(group)
        for _, group in groupby(leaves, key=lambda leaf: (leaf.weight, leaf.start, leaf.stop, leaf.is_fixed))
    ]
    return [replace(group[0], text="".join(leaf.text for leaf in group)) for group in groups]


def _window(start: int, stop: int, grid: int) -> Window:
    return Window(_progress(start, grid), _progress(stop, grid))


def _progress(cell: int, grid: int) -> float:
    """The progress at which `cell` begins; rounded down where rounding up would reach into the next cell."""
    progress = round(cell / grid, 9)
    return progress if step_at(progress, grid) == cell else progress - 1e-9


def _free_separators(span: Span) -> list[Span]:
    """A scheduled phrase with the separators at its edges made plain: absent phrases take theirs with them anyway."""
    if span.is_plain or span.weight != 1.0:
        return [span]
    words = span.text.strip(_SEPARATOR)
    if not words:
        return [Span(span.text)]
    start = span.text.index(words)
    end = start + len(words)
    lead = [Span(span.text[:start])] if start else []
    tail = [Span(span.text[end:])] if end < len(span.text) else []
    return [*lead, replace(span, text=words), *tail]


def _is_exact(prompt: DFPrompt, leaves: list[Leaf], grid: int) -> bool:
    """True if the prompt encodes in every cell what the host would encode."""
    schedule = compile_schedule(prompt, grid)
    cells = {segment.first for segment in schedule} | {leaf.start for leaf in leaves} | {leaf.stop for leaf in leaves}
    by_cell = iter(schedule)
    segment = next(by_cell)
    for cell in sorted(cells - {grid}):
        while cell >= segment.stop:
            segment = next(by_cell)
        host = [(leaf.text, leaf.weight) for leaf in leaves if leaf.start <= cell < leaf.stop]
        if _joined(host) != _joined(segment.parts):
            return False
    return True


def _joined(parts: list[tuple[str, float]] | tuple[tuple[str, float], ...]) -> list[tuple[str, float]]:
    """Parts with neighbours of equal weight joined, which is all that an encoder sees."""
    return [("".join(text for text, _ in group), weight) for weight, group in groupby(parts, key=lambda part: part[1])]
