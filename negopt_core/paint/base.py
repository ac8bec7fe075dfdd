"""What a painter is, and the settings of a run: `Painter`, `PaintSettings`, `PRESETS`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from types import MappingProxyType
from typing import Any, Literal, Protocol, get_args, runtime_checkable

import torch

from ..encode.chunks import COMMA_BACKTRACK
from ..encode.weighting import Rule, check_rule
from ..errors import PromptError
from ..text.prompt import PromptPair

Sampler = Literal["model", "unipc", "dpm++2m", "euler", "euler-a", "ddim", "heun"]
"""Name of a sampler; `model` is the one the model was saved with."""

SAMPLERS: tuple[Sampler, ...] = get_args(Sampler)

OnProgress = Callable[[int, int], None]
"""Called with (steps done, steps in all); a step is one sampler step of one batch."""

Cancel = Event | Callable[[], bool]
"""Asked between steps: a set event, or a function that returns True, stops the work."""


@dataclass(frozen=True, slots=True)
class PaintSettings:
    """How a painter paints. Raises PromptError for values that no painter can use."""

    steps: int = 25
    """Sampler steps of a whole run, at least 1; with an initial image only the last `strength` of them are run."""
    guidance_scale: float = 7.5
    """Classifier-free guidance. At 1 and below the model is not guided and the negative has no effect."""
    height: int | None = None
    """Pixels; None is the model's own size."""
    width: int | None = None
    """Pixels; None is the model's own size."""
    init_image: torch.Tensor | None = field(default=None, compare=False)
    """[3, H, W] in 0..1 to start from; its size is the picture's size."""
    strength: float | None = None
    """How much of the run an initial image goes through: above 0, at most 1, and only with an image. None is 0.75."""
    sampler: Sampler = "model"
    """The sampler; `model` keeps the model's own."""
    weighting: Rule = "pae"
    """What a weight does to the embedding."""
    batch_size: int = 4
    """Images painted at the same time, at least 1. Speed and memory only: an image does not depend on its batch."""
    clip_skip: int | None = None
    """Layers of the text encoder left out at the end of the positive side, as in the diffusers pipelines."""
    comma_backtrack: int = COMMA_BACKTRACK
    """Tokens that a full row of a long prompt looks back for a comma to break at; 0 breaks anywhere."""

    def __post_init__(self) -> None:
        check_rule(self.weighting)
        if self.sampler not in SAMPLERS:
            raise PromptError(f"no sampler is called {self.sampler!r}; use one of {', '.join(SAMPLERS)}")
        for name in ("steps", "batch_size"):
            _check_count(name, getattr(self, name), least=1)
        _check_count("comma_backtrack", self.comma_backtrack, least=0)
        for name in ("height", "width"):
            if getattr(self, name) is not None:
                _check_count(name, getattr(self, name), least=8)
        if not math.isfinite(self.guidance_scale) or self.guidance_scale < 0.0:
            raise PromptError(f"guidance_scale needs a number from 0 up, got {self.guidance_scale}; 7.5 is usual")
        if self.strength is not None and not 0.0 < self.strength <= 1.0:
            raise PromptError(f"strength needs 0 < strength <= 1, got {self.strength}")
        if self.init_image is not None:
            _check_image(self.init_image, self.height, self.width)
        elif self.strength is not None:
            raise PromptError(f"strength {self.strength} needs an initial image to start from; give both or neither")


def _check_count(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise PromptError(f"{name} needs a whole number from {least} up, got {value!r}")


def _check_image(image: torch.Tensor, height: int | None, width: int | None) -> None:
    if image.dim() != 3 or image.shape[0] != 3 or not image.is_floating_point():
        raise PromptError(f"an initial image is [3, height, width] in 0..1, got {list(image.shape)} {image.dtype}")
    if not bool(((image >= 0.0) & (image <= 1.0)).all()):
        raise PromptError("an initial image needs values from 0 to 1; divide 8-bit values by 255")
    size = tuple(image.shape[1:])
    if (height or size[0], width or size[1]) != size:
        raise PromptError(f"the initial image is {size[1]}x{size[0]} but {width}x{height} is asked for; resize it")


PRESETS: Mapping[str, PaintSettings] = MappingProxyType(
    {
        "negopt": PaintSettings(steps=25, guidance_scale=7.5),  # arXiv 2403.07605
        "pae": PaintSettings(steps=10, guidance_scale=7.5, sampler="unipc"),  # arXiv 2404.04095
    }
)
"""The papers' own settings; change single values with `dataclasses.replace`."""


MAX_SEED = 2**63 - 1


def check_seeds(pairs: Sequence[PromptPair], seeds: Sequence[int]) -> None:
    """PromptError unless there are pairs and for each a seed that every painter can use."""
    if not pairs or len(pairs) != len(seeds):
        raise PromptError(f"painting needs at least one pair and one seed for each, got {len(pairs)} and {len(seeds)}")
    for seed in seeds:
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
            raise PromptError(f"a seed is a whole number from 0 to {MAX_SEED}, got {seed!r}")


class Painter(Protocol):
    """Paints prompt pairs. A diffusers pipeline, a ComfyUI server or a fake for tests."""

    def paint(self, pairs: Sequence[PromptPair], seeds: Sequence[int]) -> torch.Tensor:
        """Paint one picture for each pair from the seed at the same place.

        Returns [B, 3, H, W] float32 in 0..1 on the CPU, in the order of `pairs`. A picture depends on its pair and
        seed, not on its neighbours. For several pictures of one pair, repeat the pair with different seeds.
        """
        ...


class ModelPainter(Painter, Protocol):
    """A painter that says what it paints with, for a picture's record, and can be watched and stopped."""

    settings: PaintSettings

    def paint(
        self,
        pairs: Sequence[PromptPair],
        seeds: Sequence[int],
        on_progress: OnProgress | None = None,
        cancel: Cancel | None = None,
    ) -> torch.Tensor:
        """As `Painter.paint`; Cancelled if `cancel` says so."""
        ...

    def model_hash(self) -> str:
        """The first 16 hex digits of a SHA-256 over the weights; empty where they are out of reach."""
        ...

    def describe(self) -> dict[str, Any]:
        """What paints and how, in plain values: at least `device`, `dtype`, `strength` and `torch`."""
        ...


@runtime_checkable
class PaintsEach(Protocol):
    """A painter that hands out pictures as they are done, such as a pool of servers."""

    def paint_each(
        self, pairs: Sequence[PromptPair], seeds: Sequence[int], cancel: Cancel | None = None
    ) -> Iterator[tuple[int, torch.Tensor]]:
        """(place, picture [3, H, W]) in any order; else as `ModelPainter.paint`."""
        ...


def paint_in_turn(
    painter: ModelPainter, pairs: Sequence[PromptPair], seeds: Sequence[int], batch: int, cancel: Cancel | None = None
) -> Iterator[tuple[int, torch.Tensor]]:
    """(place, picture) as they come: from `PaintsEach` each by itself, from others `batch` at a time."""
    if isinstance(painter, PaintsEach):
        yield from painter.paint_each(pairs, seeds, cancel)
        return
    for start in range(0, len(pairs), batch):
        end = start + batch
        yield from enumerate(painter.paint(pairs[start:end], seeds[start:end], cancel=cancel), start)
