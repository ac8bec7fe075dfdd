"""`schedule`: what a DF-Prompt encodes at each step, and how other programs write it."""

from __future__ import annotations

from dataclasses import MISSING, dataclass

from ..errors import DialectError
from ..flags import flag, word
from ..text.df_text import format_prompt, parse_report
from ..text.dialects import DIALECTS, import_dialect, to_a1111_passes, to_dialect
from ..text.prompt import DFPrompt
from ..text.schedule import compile_schedule, spans_never_live
from . import Command, Result

_NAMES = ", ".join(DIALECTS)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What `schedule` takes."""

    text: str = word(MISSING, "DF-Prompt text, such as 'a cat, [detailed:0-0.5:0.75]'", metavar="TEXT")
    steps: int = flag(MISSING, "sampler steps of the run")
    from_dialect: str | None = flag(
        None, f"the text is in this notation: {_NAMES}", old=("from",), metavar="DIALECT", shown="DF-Prompt"
    )
    dialect: str | None = flag(None, f"only this notation: {_NAMES}", shown="all")
    hires_steps: int | None = flag(None, "steps of a second pass; only A1111's notation says them")


def run(settings: Settings) -> Result:
    """Compile, translate, and say what could not be kept."""
    prompt, opposite, warnings = _read(settings.text, settings.from_dialect, settings.steps)
    schedule = compile_schedule(prompt, settings.steps)
    warnings += [
        f"{span.text[:60]!r} acts in no step: its window is narrower than one of {settings.steps} steps"
        for span in spans_never_live(prompt, settings.steps)
    ]
    written: dict[str, str | None] = {}
    for dialect in [settings.dialect] if settings.dialect else DIALECTS:
        try:
            written[dialect] = _write(prompt, dialect, settings.steps, settings.hires_steps)
        except DialectError as error:
            if settings.dialect:
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
    values = {"df": format_prompt(prompt), "steps": settings.steps, "segments": segments, "dialects": written}
    lines = [f"DF-Prompt: {values['df']}"] if settings.from_dialect else []
    if opposite.spans:
        values["opposite"] = format_prompt(opposite)
        lines.append(f"for the other prompt: {values['opposite']}")
    lines += [f"steps {segment.first}-{segment.stop - 1}: {segment.text}" for segment in schedule]
    lines += [f"{dialect}: {text}" for dialect, text in written.items() if text is not None]
    told = "\n".join([*lines, *(f"note: {warning}" for warning in warnings)])
    return Result({**values, "warnings": warnings}, told)


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


COMMANDS = (Command("", "", Settings, run),)
