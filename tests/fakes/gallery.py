"""A gallery with a painter that counts, and scorers that can be asked for anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from negopt_core import PromptPair
from negopt_core.lab.compare.gallery import Gallery, Order
from negopt_core.paint.base import PaintSettings
from tests.fakes.painter import FakePainter


class CountingPainter(FakePainter):
    """A `ModelPainter` that can be made to stop after some pictures."""

    def __init__(self, weights: str = "weights", stop_after: int | None = None, **settings: Any) -> None:
        super().__init__(size=8)
        self.settings = PaintSettings(**settings)
        self.weights, self.stop_after = weights, stop_after

    def paint(self, pairs: Any, seeds: Any, on_progress: Any = None, cancel: Any = None) -> Tensor:
        if self.stop_after is not None and len(self.painted) >= self.stop_after:
            raise KeyboardInterrupt
        return super().paint(pairs, seeds, on_progress, cancel)

    def model_hash(self) -> str:
        return self.weights

    def describe(self) -> dict[str, Any]:
        told = {"painter": "fake", "device": "cpu", "dtype": "float32", "strength": None, "torch": "0"}
        return told | {"steps": self.settings.steps, "guidance_scale": self.settings.guidance_scale}


@dataclass
class AnyScorer:
    """A scorer made of a function of pictures and prompts; remembers how many pictures it saw."""

    give: Callable[[Tensor, Sequence[str]], Tensor] = field(
        default=lambda images, prompts: images.mean(dim=(1, 2, 3)),
    )
    name: str = "any"
    seen: int = 0

    def __call__(self, images: Tensor, prompts: Sequence[str]) -> Tensor:
        self.seen += len(images)
        return self.give(images, prompts)


def open_gallery(folder: Path, painter: CountingPainter | None = None) -> Gallery:
    return Gallery(folder, painter or CountingPainter(), "fake")


def orders(count: int, negative: str = "") -> list[Order]:
    return [Order(f"a cat {n}", PromptPair.plain(f"a cat {n}", negative), n) for n in range(count)]
