"""Which model to paint with, and with what settings unless told otherwise: the demo world's reach no other model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import PromptError
from ..flags import flag
from ..policy.families import families
from ..policy.store import default_policy, with_family

if TYPE_CHECKING:
    from .base import PaintSettings
    from .defaults import Defaults

WORLD = "world"
COMFY = "comfy:"
WORLD_STEPS, WORLD_CFG = 20, 2.5
"""What the demo world is measured with (docs/world.md)."""
REAL_STEPS, REAL_CFG = 25, 7.5
"""NegOpt's settings for Stable Diffusion (arXiv 2403.07605); `defaults.TABLE` has those of other kinds."""
_IN_RULES = {"illustrious": "anime"}
"""Families that the policy `rules` names otherwise."""
XL_STEPS, XL_CFG = 30, 5.0
"""What diffusers, and the makers' own code, paint with."""
_SHOWN_STEPS = f"{REAL_STEPS}; SDXL {XL_STEPS}; the demo world {WORLD_STEPS}"
_SHOWN_CFG = f"{REAL_CFG:g}; SDXL {XL_CFG:g}; the demo world {WORLD_CFG:g}"

MODEL_HELP = "world, a diffusers folder, a .safetensors file, hf:owner/name, or comfy:[CHECKPOINT@]http://host:port,..."


@dataclass(frozen=True, slots=True)
class Choice:
    """A model and how it is sampled."""

    model: str
    """As the user wrote it."""
    path: str
    """As `open_painter` reads it."""
    steps: int
    cfg: float
    family: str
    """The policy family to use when the user names `rules` or `negopt` without one."""
    defaults: Defaults
    """What else its kind is painted with: sampler, clip skip, a size where only the name is known."""

    def settings(self, **given: Any) -> PaintSettings:
        """PaintSettings: these steps and CFG, `given` where it is not None, and the defaults for the rest.

        The sampler "model" is the one of the defaults. Only servers are told a size: other painters know their own.
        """
        if given.get("sampler") == "model":
            given.pop("sampler")
        made = self.defaults.settings(**{"steps": self.steps, "guidance_scale": self.cfg, **given})
        if self.path.startswith(COMFY):
            return made
        return replace(made, height=given.get("height"), width=given.get("width"))


def choose(model: str, steps: int | None = None, cfg: float | None = None, world_steps: int = WORLD_STEPS) -> Choice:
    """Fill in what the user left open: `world_steps` for the demo world, else as `defaults.TABLE` says for its kind.

    Raises ModelError for a single file that no painter could open.
    """
    from .defaults import defaults_for

    row = defaults_for(model)
    usual = world_steps if row.family == WORLD else row.steps
    steps, cfg = usual if steps is None else steps, row.guidance_scale if cfg is None else cfg
    return Choice(model, _place_of(model), steps, cfg, row.family, row)


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """How a picture is sampled, where somebody says so."""

    steps: int | None = flag(None, "sampler steps", shown=_SHOWN_STEPS)
    cfg: float | None = flag(None, "guidance scale", shown=_SHOWN_CFG)

    def choice(self, model: str) -> Choice:
        """A model with these settings, or its own."""
        return choose(model, self.steps, self.cfg)


@dataclass(frozen=True, kw_only=True)
class OnDevice:
    """Where the networks run."""

    device: str | None = flag(None, "cpu, cuda, mps", shown="the GPU if there is one")


@dataclass(frozen=True, kw_only=True)
class Painted(Sampled, OnDevice):
    """How a picture is painted."""

    size: str | None = flag(None, "pixels", metavar="WxH", shown="the model's own")


def paints_world(model: str) -> bool:
    """True for the demo world, here or on ComfyUI servers."""
    return model == WORLD or (model.startswith(COMFY) and "@" not in model)


def _place_of(model: str) -> str:
    from ..world import world_dir

    return str(world_dir()) if model == WORLD else model


def recorded_place(named: str | None, recorded: str, host: str) -> str:
    """The model to paint a picture again with: the named one, else its record's, if this machine can find that.

    Raises PromptError if it cannot.
    """
    if named:
        return named
    is_ours = host == "diffusers" or recorded.startswith(COMFY)
    is_here = recorded == WORLD or recorded.startswith(("hf:", COMFY)) or Path(recorded).exists()
    if not recorded or not is_ours or not is_here:
        raise PromptError(
            f"the picture was made with {recorded or 'a model it does not name'}; say where that is with --model"
        )
    return recorded


def read_size(text: str | None) -> tuple[int | None, int | None]:
    """`WIDTHxHEIGHT` in pixels; (None, None) for the model's own."""
    if text is None:
        return None, None
    width, _, height = text.lower().partition("x")
    if not width.isdigit() or not height.isdigit():
        raise PromptError(f"--size is written WIDTHxHEIGHT in pixels, got {text!r}")
    return int(width), int(height)


def policy_name(name: str, choice: Choice) -> str:
    """`rules` and `negopt` alone mean theirs for the painting model; the demo world has words of its own in `rules`."""
    if name == "rules" or (name == default_policy() and choice.family == WORLD):
        family = _IN_RULES.get(choice.family, choice.family)
        return f"rules:{family if family in families() else 'sd15'}"
    return with_family(name, choice.family) if name == default_policy() else name
