"""Which precision paints faster on this CPU: bfloat16 needs instructions of its own, and is measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..text.prompt import PromptPair
from .base import ModelPainter, PaintSettings
from .open import open_painter

_PICTURES, _STEPS, _ROUNDS = 8, 3, 3
WORTH = 1.1
"""Times as fast as float32 that bfloat16 must be: below that, exact pictures are worth more."""


@dataclass(frozen=True, slots=True)
class Precision:
    """A name in `open.DTYPES`, and why it was chosen, for a person."""

    dtype: str
    reason: str


def has_bfloat16() -> bool:
    """Has this CPU instructions for bfloat16? Where torch cannot tell (before 2.10), no."""
    read = getattr(torch.cpu, "get_capabilities", None)
    features = read() if read else {}
    return any(bool(there) for name, there in features.items() if "bf16" in name)


def choose_precision(model: str, settings: PaintSettings, clock: Callable[[], float] = time.process_time) -> Precision:
    """float32, or bfloat16 if painting `model` on this CPU is at least `WORTH` times as fast in it.

    Paints a few pictures in both, in turn, after one of each that does not count; takes the fastest round of each.
    """
    if not has_bfloat16():
        return Precision("float32", "this CPU has no bfloat16 instructions")
    short = PaintSettings(_STEPS, settings.guidance_scale, settings.height, settings.width, batch_size=_PICTURES)
    painters = {name: open_painter(model, short, "cpu", dtype=name) for name in ("float32", "bfloat16")}
    rounds = [{name: _seconds(painter, clock) for name, painter in painters.items()} for _ in range(_ROUNDS + 1)]
    fastest = {name: min(one[name] for one in rounds[1:]) for name in painters}
    ratio = fastest["float32"] / max(fastest["bfloat16"], 1e-9)
    chosen = "bfloat16" if ratio >= WORTH else "float32"
    return Precision(chosen, f"measured: bfloat16 paints {ratio:.2f} times as fast as float32 on this CPU")


def _seconds(painter: ModelPainter, clock: Callable[[], float]) -> float:
    started = clock()
    painter.paint([PromptPair.plain("a photo of a red ball", "blurry")] * _PICTURES, range(_PICTURES))
    return clock() - started
