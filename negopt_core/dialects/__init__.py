"""The same prompt in the notation of another program: PAE, A1111 prompt editing, prompt-control for ComfyUI.

Writing is exact: at the given step count the other program encodes the texts of `compile_schedule`, or a DialectError
says what its notation cannot express. Reading is as strict: what has no counterpart in a `DFPrompt` is refused.
"""

from __future__ import annotations

from ..errors import DialectError
from ..prompt import DFPrompt, check_length, step_at
from . import a1111, pae, prompt_control

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
    position (0-based, in characters), for what cannot become a `DFPrompt`.
    """
    step_at(0.0, steps)
    check_length(text)
    if dialect == "pae":
        return pae.read(text)
    if dialect == "a1111":
        return a1111.read(text, steps)
    if dialect == "prompt-control":
        return prompt_control.read(text)
    raise _unknown(dialect)


def _unknown(dialect: str) -> DialectError:
    return DialectError(f"there is no dialect {dialect!r}; choose one of {', '.join(DIALECTS)}")
