"""LAION's aesthetic predictor: a linear stack on CLIP ViT-L/14, and its one-time conversion to safetensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ..errors import ModelError
from ..torch_file import read_torch_file, save_tensors
from .embed import Embedder

PUBLISHED = "sac+logos+ava1-l14-linearMSE.pth"
LAYERS = (0, 2, 4, 6, 7)
"""Places of the linear layers; dropout is between them, and nothing at all where it trains no more."""
_NAMES = {f"layers.{index}.{part}" for index in LAYERS for part in ("weight", "bias")}


@dataclass(frozen=True)
class AestheticScorer:
    """About 1 to 10. The stack has no activations, so it is one affine map of the embedding: score = w . x + b."""

    embedder: Embedder
    weight: Tensor
    """[D]."""
    bias: float
    name: str = "aesthetic"

    @classmethod
    def load(cls, head: Path, embedder: Embedder) -> AestheticScorer:
        """A converted head; ModelError if it is missing or does not fit the CLIP model."""
        try:
            tensors = load_file(head)
            weight, bias = tensors["weight"], float(tensors["bias"])
        except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
            raise ModelError(
                f"cannot read the aesthetic head {head}: {error}; make it with `convert aesthetic FILE`"
            ) from error
        width = int(embedder.model.config.projection_dim)
        if weight.shape != (width,):
            raise ModelError(f"the aesthetic head wants {len(weight)} channels, this CLIP has {width}; use ViT-L/14")
        return cls(embedder, weight, bias)

    def __call__(self, images: Tensor, prompts: Sequence[str]) -> Tensor:
        """Score pictures [B, 3, H, W] in 0..1 -> [B]; the prompt plays no part."""
        return self.embedder.pictures(images).cpu() @ self.weight + self.bias


def convert_head(source: Path, target: Path) -> None:
    """The published `sac+logos+ava1-l14-linearMSE.pth` to safetensors: its layers multiplied into one.

    The file is read with torch's weights-only unpickler, which runs no code.
    """
    weight, bias = flatten_layers(read_torch_file(source))
    save_tensors(target, {"weight": weight, "bias": bias}, {"source": source.name})


def flatten_layers(layers: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """w [D] and b of the affine map that linear layers without activations are, computed in double precision."""
    if not isinstance(layers, dict) or set(layers) != _NAMES:
        found = f"{len(layers)} entries, first {min(map(str, layers), default='none')}" if layers else "nothing"
        raise ModelError(
            f"these are not the layers of the aesthetic predictor ({found}); only {PUBLISHED} is one affine map, "
            "its older variants and those with ReLU are not"
        )
    try:
        stack = [(layers[f"layers.{i}.weight"].double(), layers[f"layers.{i}.bias"].double()) for i in LAYERS]
        weight, bias = stack[0]
        for matrix, offset in stack[1:]:
            weight, bias = matrix @ weight, matrix @ bias + offset
    except (KeyError, IndexError, ValueError, RuntimeError, AttributeError) as error:
        raise ModelError(f"these are not the layers of the aesthetic predictor: {error!r}") from error
    if weight.shape[0] != 1:
        raise ModelError(f"the aesthetic predictor ends in one number, these layers in {weight.shape[0]}")
    return weight[0].float(), bias[0].float()
