"""The lines under the boxes: the same checks as in ComfyUI, and when the words act."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from negopt_core.errors import NegOptError
from negopt_core.policy.token_estimate import encoder_tokens, estimate_tokens
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
WITHOUT_HIRES = (
    "the words are for the hires pass and hires fix is off, so they do nothing; turn it on, or set 'Passes' to both"
)
_LONGEST_LINE = 400
_WARNED = "▲ "
_TALLEST = "max-height:12em;overflow-y:auto"


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
    model_family: str | None = None
    """Family of the loaded checkpoint; None if unknown."""
    policy_family: str | None = None
    """Family that the policy is asked for, if the user named one."""
    embeddings: frozenset[str] | None = None
    """Names of the embedding files; None if unknown."""
    passes: str = "both"
    has_hires: bool | None = None
    """Whether hires fix is on; None if unknown."""


def check(boxes: Boxes) -> list[str]:
    """What the user should know before generating, each marked; the last lines say when the words act."""
    sides = (("prompt", boxes.positive), ("negative", boxes.negative))
    lines = [line for side, text in sides for line in _problems(side, text)]
    parsed = [parse_report(text[:MAX_WORDS]).prompt for _, text in sides]
    steps = boxes.steps if boxes.steps and boxes.steps > 0 else None
    cfg = boxes.cfg if boxes.cfg is not None and math.isfinite(boxes.cfg) else None
    setup = setup_of(steps, cfg, (boxes.model_family, boxes.policy_family), boxes.embeddings)
    lines += warnings_for(boxes.prompt, boxes.prompt_negative, parsed[0], parsed[1], setup)
    if not boxes.is_enabled and any(prompt.text.strip() for prompt in parsed):
        lines.append("'Enable negopt' is not ticked: these words are not used")
    if boxes.passes == "hires" and boxes.has_hires is False:
        lines.append(WITHOUT_HIRES)
    return [_WARNED + line for line in lines] + [
        line for (side, _), prompt in zip(sides, parsed, strict=True) for line in _times(side, prompt, steps)
    ]


def setup_of(
    steps: int | None, cfg: float | None, families: tuple[str | None, str | None], embeddings: frozenset[str] | None
) -> Setup:
    """What the webui knows of a run; `families` are the loaded checkpoint's and the policy's, as `judged_families`."""
    return Setup(
        steps=steps,
        in_comfyui=False,
        cfg=cfg if cfg is not None and cfg >= 0 else None,
        model_family=families[0],
        policy_family=families[1],
        embeddings=embeddings,
        count_tokens=estimate_tokens,
        chunk_tokens=encoder_tokens(families[0]),
    )


def warnings_for(prompt: str, negative: str, positive: DFPrompt, negatives: DFPrompt, setup: Setup) -> list[str]:
    """What the checks find in the webui's two prompts with the scheduled words of either side behind them."""
    pair = PromptPair(
        joined(DFPrompt.plain(plain_words(prompt)), positive),
        joined(DFPrompt.plain(plain_words(negative)), negatives),
    )
    return [str(finding) for finding in inspect_setup(pair, setup) if finding.severity == "warning"]


def to_html(lines: Sequence[str]) -> str:
    """The lines for the page; nothing in them can become markup."""
    shown = (line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…" for line in lines)
    return "<br>".join(html.escape(line) for line in shown)


def in_scroller(lines: str) -> str:
    """HTML lines in a box that is never taller than a few of them: a long schedule or table is longer than a screen."""
    return f'<div style="{_TALLEST}">{lines}</div>' if lines else ""


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
        first, last = segment.first + 1, segment.stop
        when = f"step {first}" if first == last else f"steps {first} to {last}"
        yield f"{side}, {when} of {steps}: {_shown(segment.parts)}"


def _shown(parts: tuple[tuple[str, float], ...]) -> str:
    return "".join(text if weight == 1.0 else f"({text}:{weight:g})" for text, weight in parts) or "nothing"
