"""`schedule`: what a DF-Prompt encodes at each step, and how other programs write it."""

from __future__ import annotations

import argparse

from ..df_text import format_prompt, parse_report
from ..dialects import DIALECTS, to_a1111_passes, to_dialect
from ..errors import DialectError
from ..prompt import DFPrompt
from ..schedule import compile_schedule, spans_never_live
from .output import add_json, emit


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser("schedule", help="show what a DF-Prompt encodes at each step")
    parser.add_argument("text", metavar="DF_TEXT", help="DF-Prompt text, such as 'a cat, [detailed:0-0.5:0.75]'")
    parser.add_argument("--steps", type=int, required=True, help="sampler steps of the run")
    parser.add_argument("--dialect", help=f"only this notation: {', '.join(DIALECTS)}")
    parser.add_argument("--hires-steps", type=int, help="steps of a second pass; only A1111's notation says them")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compile, translate, and say what could not be kept."""
    parsed = parse_report(args.text)
    schedule = compile_schedule(parsed.prompt, args.steps)
    warnings = [str(problem) for problem in parsed.problems]
    warnings += [
        f"{span.text[:60]!r} acts in no step: its window is narrower than one of {args.steps} steps"
        for span in spans_never_live(parsed.prompt, args.steps)
    ]
    written: dict[str, str | None] = {}
    for dialect in [args.dialect] if args.dialect else DIALECTS:
        try:
            written[dialect] = _write(parsed.prompt, dialect, args.steps, args.hires_steps)
        except DialectError as error:
            if args.dialect:
                raise
            written[dialect] = None
            warnings.append(f"{dialect} cannot say this: {error}")
    segments = [
        {
            "first": segment.first,
            "stop": segment.stop,
            "text": segment.text,
            "parts": [{"text": text, "weight": weight} for text, weight in segment.parts],
        }
        for segment in schedule
    ]
    values = {"df": format_prompt(parsed.prompt), "steps": args.steps, "segments": segments, "dialects": written}
    lines = [f"steps {segment.first}-{segment.stop - 1}: {segment.text}" for segment in schedule]
    lines += [f"{dialect}: {text}" for dialect, text in written.items() if text is not None]
    emit(args, {**values, "warnings": warnings}, "\n".join([*lines, *(f"note: {warning}" for warning in warnings)]))
    return 0


def _write(prompt: DFPrompt, dialect: str, steps: int, hires_steps: int | None) -> str:
    if dialect == "a1111" and hires_steps is not None:
        return to_a1111_passes(prompt, steps, hires_steps)
    return to_dialect(prompt, dialect, steps)
