"""The same prompt in the notation of another program: PAE, A1111 prompt editing, prompt-control for ComfyUI.

Writing is exact: at the given step count the other program encodes the texts of `compile_schedule`, or a DialectError
says what its notation cannot express. Reading is as strict: what has no counterpart in a `DFPrompt` is refused.
One thing is the same in all of them and in DF-Prompt text: `\\(` and `\\)` are round brackets that weigh nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import DialectError
from ..prompt import MAX_WEIGHT, DFPrompt, check_length, step_at
from ..word_checks import unexpanded
from . import a1111, pae, prompt_control
from .nesting import Sides, refuse

DIALECTS = ("pae", "a1111", "prompt-control")
"""The notations that `to_dialect` writes and `from_dialect` reads."""


def to_dialect(prompt: DFPrompt, dialect: str, steps: int) -> str:
    """Write a prompt in another program's notation, for a run of `steps`.

    `steps` is the host's own total (A1111 counts a second-order sampler's steps twice). Spans narrower than one step
    are left out, as in `compile_schedule`; `spans_never_live` names them. Raises DialectError for an unknown dialect
    and for what it cannot say, PromptError for a run without steps.
    """
    step_at(0.0, steps)  # refuses a run without steps
    check_length(prompt.text)
    if dialect == "pae":
        return pae.write(prompt, steps)
    if dialect == "a1111":
        return a1111.write(prompt, steps)
    if dialect == "prompt-control":
        return prompt_control.write(prompt, steps)
    raise _unknown(dialect)


def to_a1111_passes(prompt: DFPrompt, steps: int, hires_steps: int) -> str:
    """Write A1111 prompt editing for a picture with hires fix: the schedule starts anew in the second pass.

    `steps` and `hires_steps` are the host's own totals for the two passes. Raises as `to_dialect` does.
    """
    first, hires = to_dialect(prompt, "a1111", steps), a1111.write(prompt, hires_steps, steps_before=steps)
    return a1111.between_passes(first, hires, steps)


def from_dialect(text: str, dialect: str, steps: int) -> DFPrompt:
    """Read another program's notation, as it would act in a run of `steps`.

    Words, weights and steps are kept exactly. Between words, our rule holds: an absent phrase takes its separator
    with it, where the host would keep the comma of a hand-written `a cat, [x:4]`. Raises DialectError, with the
    position (0-based, in characters), for what cannot become a `DFPrompt`; `import_dialect` also takes words whose
    weight is below zero.
    """
    sides = _read(text, dialect, steps, None)
    for leaf in sides.below_zero:
        raise refuse(
            leaf.position,
            f"a weight needs 0 <= weight <= {MAX_WEIGHT:g}, got {leaf.weight:g}; say the words in the other prompt",
        )
    return sides.prompt


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of another program's text: nothing of it is lost."""

    prompt: DFPrompt
    opposite: DFPrompt
    """Words that the text weighs below zero, with the weight made positive: they belong into the other prompt."""
    notices: tuple[str, ...]
    """What the user should know, one line each."""


def import_dialect(text: str, dialect: str, steps: int, first_pass_steps: int | None = None) -> Imported:
    """Read as `from_dialect` does, but move words that weigh less than zero out of the prompt, and say so.

    With `first_pass_steps`, A1111's text as it acts in the second pass of a picture with hires fix: `steps` are those
    of that pass. Raises as `from_dialect` does.
    """
    sides = _read(text, dialect, steps, first_pass_steps)
    notices = [
        f"character {leaf.position}: {leaf.text.strip()[:40]!r} weighs {leaf.weight:g}; few text encoders read a "
        "weight below zero, so it is left out here and belongs into the other prompt"
        for leaf in sides.below_zero
    ]
    if places := unexpanded(sides.prompt.text):
        notices.append(f"{', '.join(places[:3])} was not expanded and stays as it is written; expand it first")
    return Imported(sides.prompt, sides.opposite, tuple(dict.fromkeys(notices)))


def _read(text: str, dialect: str, steps: int, first_pass_steps: int | None) -> Sides:
    step_at(0.0, steps)
    check_length(text)
    if dialect == "pae":
        return Sides(pae.read(text), DFPrompt(), ())
    if dialect == "a1111":
        return a1111.read(text, steps, first_pass_steps)
    if dialect == "prompt-control":
        return prompt_control.read(text)
    raise _unknown(dialect)


def _unknown(dialect: str) -> DialectError:
    return DialectError(f"there is no dialect {dialect!r}; choose one of {', '.join(DIALECTS)}")
