"""DF-Prompt text, the written form of a `DFPrompt`: `a cat, [trending on artstation:0-0.5:0.75]`.

The range is PAE's (arXiv 2404.04095): noise time, 1 = pure noise = the first step. Reading is total: every string has
a meaning, a malformed bracket is literal text, and no character is ever lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import PromptError
from .prompt import MAX_WEIGHT, DFPrompt, Span, Window, check_length

_ESCAPE = re.compile(r"\\([\[\]:\\])")
_ESCAPED_ROUND = re.compile(r"\\([()])")
_TOKEN = re.compile(r"\\[\[\]:\\]|[\[\]]")  # an escape, or a bare bracket
_NEEDS_BACKSLASH = re.compile(r"\\(?=[\[\]:\\]|\Z)|[\[\]]")
_FIELDS = re.compile(r"\\[\[\]:\\]|:")
_NUMBER = r"\s*(\d{1,4}(?:\.\d{0,30})?|\.\d{1,30})\s*"
_RANGE = re.compile(rf"{_NUMBER}(?:-|\u2013|->|\|->|→|↦|⟶|⟼){_NUMBER}", re.ASCII)
_WEIGHT = re.compile(r"\s*(?:\d{1,6}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,3})?\s*", re.ASCII)
_UNCLOSED = r"it is never closed; write \[ for a bracket"


@dataclass(frozen=True, slots=True)
class Problem:
    """A bracket that was taken literally: where it starts (0-based, in characters), its text, and the rule it broke."""

    position: int
    text: str
    rule: str

    def __str__(self) -> str:
        shown = self.text if len(self.text) <= 40 else self.text[:37] + "..."
        return f"character {self.position}: {shown!r} is taken literally: {self.rule}"


@dataclass(frozen=True, slots=True)
class Parsed:
    """A prompt and the brackets in its text that could not be read as such."""

    prompt: DFPrompt
    problems: tuple[Problem, ...]


def parse_prompt(text: str) -> DFPrompt:
    """Read DF-Prompt text. Never fails on content; use `parse_report` to see what was taken literally."""
    return parse_report(text).prompt


def parse_report(text: str) -> Parsed:
    """Read DF-Prompt text and report each malformed bracket. Linear in the length of the text.

    Raises PromptError only past `MAX_PROMPT_CHARS` characters.
    """
    check_length(text)
    spans: list[Span] = []
    problems: list[Problem] = []
    done = 0  # everything before this character is in `spans`
    for opened, closed in _brackets(text, problems):
        try:
            span = _read_span(text[opened + 1 : closed])
        except PromptError as error:
            problems.append(Problem(opened, text[opened : closed + 1], str(error)))
            continue
        spans += [*_literal(text[done:opened]), span]
        done = closed + 1
    spans += _literal(text[done:])
    return Parsed(DFPrompt(tuple(spans)), tuple(sorted(problems, key=lambda problem: problem.position)))


def format_prompt(prompt: DFPrompt) -> str:
    """Write DF-Prompt text; `parse_prompt(format_prompt(prompt)) == prompt` for every prompt."""
    return "".join(_write_span(span) for span in prompt.spans)


def plain_rounds(words: str) -> str:
    """Words for an encoder that knows no weights in its text: `\\(` and `\\)` are round brackets."""
    return _ESCAPED_ROUND.sub(r"\1", words)


def _brackets(text: str, problems: list[Problem]) -> list[tuple[int, int]]:
    """The (open, close) positions of bare brackets that match; the others are reported."""
    pairs: list[tuple[int, int]] = []
    opened: int | None = None
    for token in _TOKEN.finditer(text):
        if token.group() == "[":
            if opened is not None:
                problems.append(Problem(opened, text[opened : token.start()], _UNCLOSED))
            opened = token.start()
        elif token.group() == "]":
            if opened is None:
                problems.append(Problem(token.start(), "]", r"it was never opened; write \] for a bracket"))
            else:
                pairs.append((opened, token.start()))
            opened = None
    if opened is not None:
        problems.append(Problem(opened, text[opened:], _UNCLOSED))
    return pairs


def _read_span(body: str) -> Span:
    """`words:range:weight`, split at the last two bare colons."""
    colons = [match.start() for match in _FIELDS.finditer(body) if match.group() == ":"]
    if len(colons) < 2:
        raise PromptError("a phrase is written [words:low-high:weight]")
    words = _unescape(body[: colons[-2]])
    range_text, weight_text = body[colons[-2] + 1 : colons[-1]], body[colons[-1] + 1 :]
    match = _RANGE.fullmatch(range_text)
    if not match:
        raise PromptError(f"a range is written low-high with numbers from 0 to 1, got {range_text[:40]!r}")
    low, high = sorted((float(match.group(1)), float(match.group(2))))
    if high > 1.0 or round(low, 9) >= round(high, 9):
        raise PromptError(f"a range needs 0 <= low < high <= 1, got {range_text[:40]!r}")
    if not _WEIGHT.fullmatch(weight_text) or float(weight_text) > MAX_WEIGHT:
        raise PromptError(f"a weight needs 0 <= weight <= {MAX_WEIGHT:g}, got {weight_text[:40]!r}")
    if not words:
        raise PromptError("a phrase needs words before its range")
    return Span(words, float(weight_text), Window.from_noise(low, high))


def _literal(text: str) -> list[Span]:
    return [Span(_unescape(text))] if text else []


def _unescape(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)


def _write_span(span: Span) -> str:
    words = _NEEDS_BACKSLASH.sub(r"\\\g<0>", span.text)
    if span.is_plain:
        return words
    low, high = span.window.to_noise()
    return f"[{words.replace(':', chr(92) + ':')}:{_decimal(low)}-{_decimal(high)}:{_shortest(span.weight)}]"


def _decimal(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _shortest(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
