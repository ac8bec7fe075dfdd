"""CLIP score, PickScore and HPS: how well a picture fits its prompt, to CLIP and to people who compared pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from .embed import Embedder


@dataclass(frozen=True)
class ClipScorer:
    """Cosine of picture and prompt, at least 0 (PAE's form; its floor 0.28 is on this scale)."""

    embedder: Embedder
    name: str = "clip"

    def __call__(self, images: Tensor, prompts: Sequence[str]) -> Tensor:
        """Score pictures [B, 3, H, W] in 0..1 -> [B] in 0..1."""
        return cosines(self.embedder, images, prompts).clamp(min=0.0)


@dataclass(frozen=True)
class PickScorer:
    """PickScore (arXiv 2305.01569): the cosine times the model's scale, about 15 to 25; each picture with its own
    prompt (PAE's code scores every picture against the first prompt)."""

    embedder: Embedder
    name: str = "pickscore"

    def __call__(self, images: Tensor, prompts: Sequence[str]) -> Tensor:
        """Score pictures [B, 3, H, W] in 0..1 -> [B]."""
        return self.embedder.scale * cosines(self.embedder, images, prompts)


@dataclass(frozen=True)
class HpsScorer:
    """HPS v2 (arXiv 2306.09341): the cosine of a CLIP ViT-H/14 trained on people's choices, about 0.2 to 0.35.

    As its authors do, the longer side is made to fit and the rest is black; CLIP's own way crops.
    """

    embedder: Embedder
    name: str = "hps"

    def __call__(self, images: Tensor, prompts: Sequence[str]) -> Tensor:
        """Score pictures [B, 3, H, W] in 0..1 -> [B]."""
        height, width = images.shape[-2:]
        side = max(height, width)
        left, top = (side - width) // 2, (side - height) // 2
        square = functional.pad(images, (left, side - width - left, top, side - height - top))
        return cosines(self.embedder, square, prompts)


def cosines(embedder: Embedder, images: Tensor, prompts: Sequence[str]) -> Tensor:
    """[B] cosine of each picture with the prompt at its own place; each distinct prompt is embedded once."""
    distinct = list(dict.fromkeys(prompts))
    texts = embedder.prompts(distinct)[[distinct.index(prompt) for prompt in prompts]]
    return (embedder.pictures(images) * texts).sum(dim=-1).cpu()
