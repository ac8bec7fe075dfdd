"""Which model a command paints with, and with what settings unless told otherwise."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import PromptError
from ..policy.families import families
from ..policy.loglinear.policy import family_named
from ..policy.store import default_policy, with_family

if TYPE_CHECKING:
    from ..lab.jobs.processes import Processes

WORLD = "world"
COMFY = "comfy:"
WORLD_STEPS, WORLD_CFG = 20, 2.5
"""What the demo world is measured with (docs/world.md)."""
MODEL_HELP = "world, a diffusers folder, a .safetensors file, hf:owner/name, or comfy:[CHECKPOINT@]http://host:port,..."
PAPER_STEPS, PAPER_CFG = 25, 7.5
"""NegOpt's settings for Stable Diffusion (arXiv 2403.07605)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A model and how it is sampled."""

    model: str
    """As the user wrote it."""
    path: str
    steps: int
    cfg: float
    family: str
    """The policy family to use when the user names `rules` or `negopt` without one."""


def choose(model: str, steps: int | None, cfg: float | None) -> Choice:
    """Fill in what the user left open."""
    if not paints_world(model):
        known = family_named(model)
        family = known.name if known else "sd15"
        return Choice(model, model, PAPER_STEPS if steps is None else steps, PAPER_CFG if cfg is None else cfg, family)
    steps, cfg = WORLD_STEPS if steps is None else steps, WORLD_CFG if cfg is None else cfg
    return Choice(model, place_of(model), steps, cfg, WORLD)


def paints_world(model: str) -> bool:
    """True for the demo world, here or on ComfyUI servers."""
    return model == WORLD or (model.startswith(COMFY) and "@" not in model)


def place_of(model: str) -> str:
    """What `open_painter` understands."""
    from ..world import world_dir

    return str(world_dir()) if model == WORLD else model


def read_size(text: str | None) -> tuple[int | None, int | None]:
    """`WIDTHxHEIGHT` in pixels; (None, None) for the model's own."""
    if text is None:
        return None, None
    width, _, height = text.lower().partition("x")
    if not width.isdigit() or not height.isdigit():
        raise PromptError(f"--size is written WIDTHxHEIGHT in pixels, got {text!r}")
    return int(width), int(height)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """What `paint` and `demo` share."""
    parser.add_argument(
        "--steps", type=int, help=f"sampler steps (default {PAPER_STEPS}; the demo world {WORLD_STEPS})"
    )
    parser.add_argument(
        "--cfg", type=float, help=f"guidance scale (default {PAPER_CFG:g}; the demo world {WORLD_CFG:g})"
    )


def policy_name(name: str, choice: Choice) -> str:
    """`rules` and `negopt` alone mean theirs for the painting model; the demo world has words of its own in `rules`."""
    if name == "rules" or (name == default_policy() and choice.family == WORLD):
        return f"rules:{choice.family if choice.family in families() else 'sd15'}"
    return with_family(name, choice.family) if name == default_policy() else name


def own_device(model: str, processes: Processes) -> str | None:
    """Where a process of several paints, unless ComfyUI servers do."""
    return None if model.startswith(COMFY) else processes.device
