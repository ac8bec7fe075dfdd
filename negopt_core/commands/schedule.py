"""`schedule`: what a DF-Prompt encodes at each step, and how other programs write it."""

from __future__ import annotations

import argparse

from ..errors import DialectError
from ..text.df_text import format_prompt, parse_report
from ..text.dialects import DIALECTS, import_dialect, to_a1111_passes, to_dialect
from ..text.prompt import DFPrompt
from ..text.schedule import compile_schedule, spans_never_live
from .output import add_json, emit


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser("schedule", help="show what a DF-Prompt encodes at each step")
    parser.add_argument("text", metavar="TEXT", help="DF-Prompt text, such as 'a cat, [detailed:0-0.5:0.75]'")
    parser.add_argument("--steps", type=int, required=True, help="sampler steps of the run")
    parser.add_argument("--from", dest="source", help=f"the text is in this notation: {', '.join(DIALECTS)}")
    parser.add_argument("--dialect", help=f"only this notation: {', '.join(DIALECTS)}")
    parser.add_argument("--hires-steps", type=int, help="steps of a second pass; only A1111's notation says them")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compile, translate, and say what could not be kept."""
    prompt, opposite, warnings = _read(args.text, args.source, args.steps)
    schedule = compile_schedule(prompt, args.steps)
    warnings += [
        f"{span.text[:60]!r} acts in no step: its window is narrower than one of {args.steps} steps"
        for span in spans_never_live(prompt, args.steps)
    ]
    written: dict[str, str | None] = {}
    for dialect in [args.dialect] if args.dialect else DIALECTS:
        try:
            written[dialect] = _write(prompt, dialect, args.steps, args.hires_steps)
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
    values = {"df": format_prompt(prompt), "steps": args.steps, "segments": segments, "dialects": written}
    lines = [f"DF-Prompt: {values['df']}"] if args.source else []
    if opposite.spans:
        values["opposite"] = format_prompt(opposite)
        lines.append(f"for the other prompt: {values['opposite']}")
    lines += [f"steps {segment.first}-{segment.stop - 1}: {segment.text}" for segment in schedule]
    lines += [f"{dialect}: {text}" for dialect, text in written.items() if text is not None]
    emit(args, {**values, "warnings": warnings}, "\n".join([*lines, *(f"note: {warning}" for warning in warnings)]))
    return 0


def _read(text: str, source: str | None, steps: int) -> tuple[DFPrompt, DFPrompt, list[str]]:
    """The prompt, what of it belongs into the other one, and what to know."""
    if source is None:
        parsed = parse_report(text)
        return parsed.prompt, DFPrompt(), [str(problem) for problem in parsed.problems]
    read = import_dialect(text, source, steps)
    return read.prompt, read.opposite, list(read.notices)


def _write(prompt: DFPrompt, dialect: str, steps: int, hires_steps: int | None) -> str:
    if dialect == "a1111" and hires_steps is not None:
        return to_a1111_passes(prompt, steps, hires_steps)
    return to_dialect(prompt, dialect, steps)
