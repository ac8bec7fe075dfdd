"""The line under the boxes: what is written there, when it acts, and what will not work."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from negopt_core.errors import NegOptError
from negopt_core.text.checks import Setup, inspect_setup
from negopt_core.text.df_text import parse_report
from negopt_core.text.planner import plan_pieces
from negopt_core.text.prompt import DFPrompt, PromptPair
from negopt_core.text.schedule import compile_schedule

from .native import plain_words, write_words
from .request import MAX_WORDS
from .writing import joined

_EMPHASIS = re.compile(r"(?<!\\)\([^()]*:\s*[\d.]+\s*\)")
_NETWORK = re.compile(r"<\w+:[^<>]*>")
_LONGEST_LINE = 400


@dataclass(frozen=True, slots=True)
class Boxes:
    """What stands in the page's boxes; steps and CFG are None where the page does not show them."""

    positive: str
    negative: str
    prompt: str = ""
    prompt_negative: str = ""
    is_enabled: bool = True
    steps: int | None = None
    cfg: float | None = None


def check(boxes: Boxes) -> list[str]:
    """What the user should know before generating; the last lines say when the words act."""
    sides = (("prompt", boxes.positive), ("negative", boxes.negative))
    lines = [line for side, text in sides for line in _problems(side, text)]
    parsed = [parse_report(text[:MAX_WORDS]).prompt for _, text in sides]
    steps = boxes.steps if boxes.steps and boxes.steps > 0 else None
    cfg = boxes.cfg if boxes.cfg is not None and math.isfinite(boxes.cfg) and boxes.cfg >= 0 else None
    pair = PromptPair(
        joined(DFPrompt.plain(plain_words(boxes.prompt)), parsed[0]),
        joined(DFPrompt.plain(plain_words(boxes.prompt_negative)), parsed[1]),
    )
    found = inspect_setup(pair, Setup(steps=steps, cfg=cfg))
    lines += [str(finding) for finding in found if finding.severity == "warning"]
    if not boxes.is_enabled and any(prompt.text.strip() for prompt in parsed):
        lines.append("'Enable negopt' is not ticked: nothing of this acts")
    return lines + [
        line for (side, _), prompt in zip(sides, parsed, strict=True) for line in _times(side, prompt, steps)
    ]


def to_html(lines: Sequence[str]) -> str:
    """The lines for the page; nothing in them can become markup."""
    shown = (line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…" for line in lines)
    return "<br>".join(html.escape(line) for line in shown)


def _problems(side: str, text: str) -> Iterator[str]:
    if len(text) > MAX_WORDS:
        yield f"{side}: {len(text):,} characters, and {MAX_WORDS:,} are read; shorten it"
    report = parse_report(text[:MAX_WORDS])
    for problem in report.problems:
        yield f"{side}, {problem}"
    if found := _EMPHASIS.search(text):
        yield f"{side}: {found.group()} stays as it is written here; a weight is written [words:0-1:weight]"
    if found := _NETWORK.search(text):
        yield f"{side}: {found.group()} does nothing here; networks go into the prompt box"
    try:
        for piece in plan_pieces(report.prompt):
            write_words(piece.parts)
    except NegOptError as error:
        yield f"{side}: {error}"


def _times(side: str, prompt: DFPrompt, steps: int | None) -> Iterator[str]:
    if not prompt.text.strip():
        return
    if steps is None:
        for piece in plan_pieces(prompt):
            yield f"{side}, {piece.window.start:.4g} to {piece.window.end:.4g} of the steps: {_shown(piece.parts)}"
        return
    for segment in compile_schedule(prompt, steps):
        yield f"{side}, steps {segment.first + 1} to {segment.stop} of {steps}: {_shown(segment.parts)}"


def _shown(parts: tuple[tuple[str, float], ...]) -> str:
    return "".join(text if weight == 1.0 else f"({text}:{weight:g})" for text, weight in parts) or "nothing"
