"""From a prompt with windows to pieces a host can gate: exactly one piece is active at every step of any run.

A host encodes a prompt before it knows how many steps the run will have. So the cuts stay on the progress axis, and
a step is resolved only when it comes. For every step count that gives the same text as `compile_schedule`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..errors import PromptError
from .prompt import DFPrompt, Window, step_at
from .schedule import join_live

PERCENT_NUDGE = 1.7e-5
"""How much earlier than nominal a ComfyUI percent cut lies, so that a step exactly on a cut belongs to the later side.

ComfyUI's ranges include both ends; a cut that no step can hit exactly keeps two neighbours from acting together.
It is a sixtieth of one training timestep, far below the distance between two steps.
"""


@dataclass(frozen=True, slots=True)
class Piece:
    """One slice of progress, and the (text, weight) parts that are encoded for it, in order."""

    window: Window
    parts: tuple[tuple[str, float], ...]

    @property
    def text(self) -> str:
        """The encoded text, exactly."""
        return "".join(text for text, _ in self.parts)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a host may use a piece if nothing gates it; None is an open end. The unit is the function's that made it."""

    start: float | None
    end: float | None


NEVER = Limits(-1.0, None)
"""Sigma limits of a piece that is narrower than one step: active below sigma -1, which is never."""


def plan_pieces(prompt: DFPrompt) -> tuple[Piece, ...]:
    """Cut progress wherever a span starts or stops; the pieces cover 0..1 without gap or overlap."""
    edges = {edge for span in prompt.spans for edge in (span.window.start, span.window.end)}
    pieces: list[Piece] = []
    for start, end in pairwise(sorted({0.0, 1.0} | edges)):
        parts = join_live((span, span.window.start <= start and end <= span.window.end) for span in prompt.spans)
        if pieces and pieces[-1].parts == parts:
            start = pieces.pop().window.start
        pieces.append(Piece(Window(start, end), parts))
    return tuple(pieces)


def group_id(pieces: Sequence[Piece], flavour: str = "") -> str:
    """A short name for pieces that belong together; equal pieces and `flavour` get the same name in every process."""
    drawn = [[piece.window.start, piece.window.end, piece.parts] for piece in pieces]
    return hashlib.sha256(json.dumps([flavour, drawn]).encode()).hexdigest()[:16]


def active_index(starts: Sequence[float], step: int, steps: int) -> int:
    """Which of the pieces that start at `starts` (progress, ascending) is active at `step` of a run of `steps`.

    Where pieces are missing, the last one that has started stands in, and before all of them the first.
    """
    started = [index for index, start in enumerate(starts) if step_at(start, steps) <= step]
    return started[-1] if started else 0


def active_index_by_sigma(start_sigmas: Sequence[float], sigma: float) -> int:
    """Which piece is active at noise level `sigma`, given the sigma at which each starts (descending)."""
    started = [index for index, start in enumerate(start_sigmas) if sigma <= start]
    return started[-1] if started else 0


def percent_limits(pieces: Sequence[Piece]) -> tuple[Limits, ...]:
    """Ranges in ComfyUI's percent: a fraction of the model's training timesteps, so only roughly the chosen steps."""
    return tuple(
        Limits(start_percent(piece.window.start), start_percent(piece.window.end) if piece.window.end < 1.0 else None)
        for piece in pieces
    )


def start_percent(progress: float) -> float | None:
    """The ComfyUI percent at which a piece that starts at `progress` begins; None from the very start."""
    return max(progress - PERCENT_NUDGE, PERCENT_NUDGE) if progress > 0.0 else None


def sigma_limits(pieces: Sequence[Piece], sigmas: Sequence[float]) -> tuple[Limits, ...]:
    """Ranges in sigma, cut halfway (geometric mean) between the two steps on either side of each boundary.

    `sigmas` are the run's own, one more than it has steps, falling. Raises PromptError for anything else.
    """
    steps = len(sigmas) - 1
    if steps < 1 or any(later >= sooner for sooner, later in pairwise(sigmas)):
        raise PromptError(
            f"step ranges need falling sigmas for at least 1 step, got {steps + 1} values; connect a scheduler's SIGMAS"
        )

    def cut(step: int) -> float | None:
        return math.sqrt(sigmas[step - 1] * sigmas[step]) if 0 < step < steps else None

    limits: list[Limits] = []
    for piece in pieces:
        live = piece.window.steps(steps)
        limits.append(Limits(cut(live.start), cut(live.stop)) if live else NEVER)
    return tuple(limits)
