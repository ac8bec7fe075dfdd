"""Schedules in words, for the report outputs."""

from __future__ import annotations

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
    for span in spans_never_live(parsed.prompt, steps):
        lines.append(f"never: {span.text!r} has a window narrower than one of {steps} steps")
    return "\n".join([*lines, *map(str, parsed.problems)])


def _parts(parts: tuple[tuple[str, float], ...]) -> str:
    return "".join(text if weight == 1.0 else f"({text}:{weight:g})" for text, weight in parts) or "(empty)"
