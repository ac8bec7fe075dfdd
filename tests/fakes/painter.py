"""A painter for tests of the code around painters: pictures depend on words, weights, windows and seed only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import torch

from negopt_core import PromptPair, format_prompt
from negopt_core.errors import Cancelled


class FakePainter:
    """Satisfies `Painter`; counts what it painted in `painted`."""

    def __init__(self, size: int = 8) -> None:
        self.size = size
        self.painted: list[tuple[PromptPair, int]] = []

    def paint(
        self, pairs: Sequence[PromptPair], seeds: Sequence[int], on_progress: Any = None, cancel: Any = None
    ) -> torch.Tensor:
        images = []
        for done, (pair, seed) in enumerate(zip(pairs, seeds, strict=True), start=1):
            if cancel is not None and getattr(cancel, "is_set", cancel)():
                raise Cancelled("the fake painter was stopped")
            key = f"{format_prompt(pair.positive)}\0{format_prompt(pair.negative)}\0{seed}"
            noise = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")
            images.append(torch.rand(3, self.size, self.size, generator=torch.Generator().manual_seed(noise)))
            self.painted.append((pair, seed))
            if on_progress is not None:
                on_progress(done, len(pairs))
        return torch.stack(images)

    def model_hash(self) -> str:
        return "fake"

    def describe(self) -> dict[str, Any]:
        return {"painter": "fake", "size": self.size}
