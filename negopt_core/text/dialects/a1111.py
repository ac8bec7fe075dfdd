"""A1111's prompt editing, as its 1.10 reads it: `[before:after:when]`, `(words:weight)`, backslash escapes.

`when` is the last step, counted from 0, that still has `before`; a number with a point is a fraction of all steps.
In a hires pass whole numbers go on counting from the first pass, so that `[before:after:N]` changes between the passes.
"""

from __future__ import annotations

import re
from itertools import pairwise

from ...errors import DialectError
from ..prompt import DFPrompt
from .edits import Edits, boundary_span, escape, find_edits, plain_number, runs
from .nesting import Frame, Leaf, Sides, between, in_turn, read_leaves, refuse, to_sides, weigh

_SPECIAL = re.compile(r"[\\()\[\]:|]")
_RESERVED = re.compile(r"\b(?:AND|BREAK)\b")
_NETWORK = re.compile(r"<\w+:")
_ENDS_AS_WEIGHT = re.compile(r"\\?:\s*[-+]?(?:\d+\.?|\d*\.\d+)\s*\Z")  # the host reads it as the whole prompt's weight
_CLOSES_AS_WEIGHT = re.compile(r"\\:\s*[-+]?[.\d]+\s*\Z")  # before a closing round bracket, even though it is escaped
_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*", re.ASCII)
_WEIGHT = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)\s*", re.ASCII)
_TWICE = re.compile(
    r"(?:heun|restart|(?:dpm_?2|dpm(?:\+\+|pp)[_ ]?(?:2s|sde))(?:[_ ]a(?:ncestral)?)?)(?!\S)", re.IGNORECASE
)
_STRONGER = 1.1  # what a pair of round brackets without a number means; square ones divide


def host_steps(steps: int, sampler: str) -> int:
    """The steps by which the host counts prompt editing: a sampler that calls the model twice a step counts double."""
    return 2 * steps if _TWICE.match(sampler.strip()) else steps


def write(prompt: DFPrompt, steps: int, steps_before: int = 0) -> str:
    """Write prompt editing that gives each step of a run of `steps` exactly our text.

    `steps_before` are the steps of the pass before this one: 0 for a first pass.
    """
    edits = find_edits(prompt, steps, _write_words)
    if 1 in edits.firsts:
        span = boundary_span(prompt, steps, 1)
        window = f"{span.window.start:g} to {span.window.end:g}"
        raise DialectError(
            f"A1111 cannot switch between its first and second step, which {span.text[:40]!r} ({window}) does "
            f"in {steps} steps; widen or move the window"
        )
    text = "".join(_edit(runs(piece, edits.firsts), steps_before) for piece in edits.pieces)
    _check_reserved(text, edits)
    ending = _ENDS_AS_WEIGHT.search(text)
    return f"{text[: ending.start()]}({text[ending.start() :]}:1)" if ending else text


def between_passes(first: str, hires: str, steps: int) -> str:
    """One text for two passes: `first` in a pass of `steps`, then `hires`, written with as many `steps_before`."""
    return first if first == hires else _switch(first, hires, steps)


def read(text: str, steps: int, steps_before: int | None = None) -> Sides:
    """Read prompt editing as the host would run it in `steps` steps of its first pass.

    With `steps_before`, the steps of the first pass, as it would run in the second: numbers count on from the first.
    """
    for pattern, rule in (
        (_RESERVED, "AND and BREAK split the prompt, which has no counterpart; write one prompt"),
        (_NETWORK, "extra networks such as LoRA have no counterpart; leave them out, or write \\: for the text"),
        (re.compile("#"), "A1111 drops the rest of the line as a comment; leave it out"),
        (_ENDS_AS_WEIGHT, "A1111 reads this ending as the prompt's weight; write (:number:1) for the text"),
    ):
        if match := pattern.search(text):
            raise refuse(match.start(), f"{match.group()[:40]!r}: {rule}")
    rules = _Rules(steps, steps_before)
    leaves = read_leaves(text, rules)
    if rules.bar is not None and rules.has_edit:
        raise refuse(rules.bar, r"| outside of [ ] undoes the whole schedule; write \| for the character")
    return to_sides(leaves, steps)


def _write_words(text: str, weight: float) -> str:
    words = escape(text, _SPECIAL)
    return words if weight == 1.0 else f"({words}:{plain_number(weight)})"


def _edit(switches: list[tuple[int, str]], steps_before: int) -> str:
    """Nest the switches from the last to the first."""
    text = switches[-1][1]
    for (_, before), (first, _) in reversed(list(pairwise(switches))):
        text = _switch(before, text, steps_before + first - 1)
    return text


def _switch(before: str, after: str, last: int) -> str:
    return f"[{before}:{after}:{last}]" if before else f"[{after}:{last}]"


def _check_reserved(text: str, edits: Edits) -> None:
    """AND is cut from the whole text, BREAK from what is left at a step; `#` starts a comment that nothing escapes."""
    for encoded in (text, *edits.segment_texts()):
        if match := _RESERVED.search(encoded):
            raise DialectError(
                f"A1111 splits a prompt at {match.group()!r} and has no escape for it; write it otherwise"
            )
        if "#" in encoded:
            raise DialectError("A1111 drops everything after '#' on a line and has no escape for it; leave '#' out")


class _Rules:
    """A1111's reading of brackets."""

    bar_rule = ""  # outside of square brackets a bar is text

    def __init__(self, steps: int, steps_before: int | None) -> None:
        self.grid = steps
        self.before = steps_before
        self.bar: int | None = None
        self.has_edit = False

    def literal(self, token: str, position: int, is_inside: bool) -> str:
        if token == "|":
            self.bar = position if self.bar is None else self.bar
        if not token.startswith("\\"):
            return token
        if len(token) < 2 or token[1].isspace():
            raise refuse(position, "a backslash needs a character after it; write two for one")
        return token[1]

    def close_round(self, frame: Frame, last: str) -> list[Leaf]:
        if _CLOSES_AS_WEIGHT.search(last):
            raise refuse(frame.position, "A1111 reads the number before ) as a weight; end the bracket with :1)")
        if len(frame.fields) == 1:
            return weigh(frame.fields[0], _STRONGER)
        if len(frame.fields) > 2 or not _WEIGHT.fullmatch(last):
            raise refuse(
                frame.position, rf"(words:weight) ends in one colon and a number, got {last[:40]!r}; write \: in words"
            )
        return weigh(frame.fields[0], float(last))

    def close_square(self, frame: Frame, last: str) -> list[Leaf]:
        if len(frame.fields) == 1:
            return weigh(frame.fields[0], 1 / _STRONGER)
        self.has_edit = True
        if "|" in frame.signs:
            return self._take_turns(frame)
        number = _NUMBER.fullmatch(last)
        if len(frame.fields) > 3 or not number:
            rule = rf"[before:after:when] ends in a step or fraction, got {last[:40]!r}; write \: in words"
            raise refuse(frame.position, rule)
        cut = self._first_after(number.group(1), frame.position)
        before = frame.fields[0] if len(frame.fields) == 3 else []
        return between(before, 0, cut) + between(frame.fields[-2], cut, self.grid)

    def is_bar_text(self, stack: list[Frame]) -> bool:
        return True

    def _take_turns(self, frame: Frame) -> list[Leaf]:
        """`[a|b]`: another one at each step, but the first holds for two, as before every switch of this host."""
        if ":" in frame.signs:
            raise refuse(frame.position, r"a bracket has | or :, not both; nest [a|b] in [before:after:when]")
        stretches = [(0, min(2, self.grid)), *((step, step + 1) for step in range(2, self.grid))]
        return in_turn(frame, frame.fields, stretches)

    def _first_after(self, number: str, position: int) -> int:
        """The first step with `after`."""
        is_share, value = "." in number, float(number)
        if self.before is not None:
            value -= 1.0 if is_share else self.before
        value *= self.grid if is_share else 1
        if abs(value) > 1e9:
            raise refuse(position, f"a step needs at most 1,000,000,000, got {number[:40]}")
        last = min(self.grid, int(value))
        return min(last + 1, self.grid) if last >= 1 else 0
