"""Schedules in words, for the report outputs."""

from __future__ import annotations

from collections.abc import Iterable

from ..negopt_core.text.df_text import Parsed
from ..negopt_core.text.planner import plan_pieces
from ..negopt_core.text.schedule import compile_schedule, spans_never_live


def describe(parsed: Parsed) -> str:
    """What acts over the run, as shares of its steps, then every bracket that was taken literally."""
    lines = [
        f"{piece.window.start:.4g} to {piece.window.end:.4g} of the run: {_parts(piece.parts)}"
        for piece in plan_pieces(parsed.prompt)
    ]
    return "\n".join([*lines, *map(str, parsed.problems)])


def describe_steps(parsed: Parsed, steps: int) -> str:
    """What acts in each step of a run of `steps` (0-based), then what never acts, then literal brackets."""
    lines = [
        f"steps {segment.first} to {segment.stop - 1}: {_parts(segment.parts)}"
        for segment in compile_schedule(parsed.prompt, steps)
    ]
    return "\n".join([*lines, *_faults(parsed, steps)])


def describe_faults(sides: Iterable[Parsed], steps: int) -> str:
    """What the bars on a node cannot show, in one line: a page shows few lines of a text, or runs them together."""
    faults = [fault for parsed in sides for fault in _faults(parsed, steps)]
    return "; ".join(faults) or f"every phrase acts in at least one of {steps} steps"


def _faults(parsed: Parsed, steps: int) -> list[str]:
    never = spans_never_live(parsed.prompt, steps)
    narrow = [f"never: {span.text!r} has a window narrower than one of {steps} steps" for span in never]
    return [*narrow, *map(str, parsed.problems)]


def _parts(parts: tuple[tuple[str, float], ...]) -> str:
    return "".join(text if weight == 1.0 else _weighed(text, weight) for text, weight in parts) or "(empty)"


def _weighed(text: str, weight: float) -> str:
    """The weight with its words; commas and blanks around them stay outside."""
    words = text.strip(", \n")
    before, after = text.split(words, 1) if words else (text, "")
    return f"{before}({words}:{weight:g}){after}" if words else text
