"""Judges of the world's pictures: quality, what is in them, what is wrong. Trained against exact ground truth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ..errors import ModelError
from ..reward.base import Scorer
from ..reward.fidelity import FidelityScorer
from . import vocabulary as words
from .captions import Request, read_prompt

CONTENT_HEADS: dict[str, int] = {
    "medium": len(words.MEDIUMS),
    "place": len(words.PLACES),
    "time": len(words.TIMES),
    "shape": len(words.SHAPES),
    "colour": len(words.COLOURS),
    "relation": len(words.RELATIONS),
    "shape2": len(words.SHAPES),
    "colour2": len(words.COLOURS),
}
FLAG_HEADS: dict[str, int] = {"degradations": len(words.DEGRADATIONS), "enhancements": len(words.ENHANCEMENTS)}
_HEADS = {"quality": 1, **CONTENT_HEADS, **FLAG_HEADS}
_QUALITY_CENTRE, _QUALITY_SPREAD = 5.0, 1.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge sees in B pictures."""

    quality: Tensor
    """[B], about 1..10."""
    logits: dict[str, Tensor]
    """Per head [B, K]: softmax for the content heads, sigmoid for `degradations` and `enhancements`."""


class Judge(nn.Module):
    """A small convolutional network over 64 x 64 pictures in 0..1, with one head for each question."""

    def __init__(self) -> None:
        super().__init__()
        widths = (
            (3, 24, 5, 2),
            (24, 48, 3, 1),
            (48, 96, 3, 2),
            (96, 96, 3, 1),
            (96, 160, 3, 2),
            (160, 160, 3, 1),
            (160, 192, 3, 2),
        )
        layers: list[nn.Module] = []
        for before, after, kernel, stride in widths:
            layers += [nn.Conv2d(before, after, kernel, stride, kernel // 2), nn.GroupNorm(8, after), nn.SiLU()]
        self.body = nn.Sequential(*layers)
        self.heads = nn.Linear(2 * 192, sum(_HEADS.values()))

    def forward(self, images: Tensor) -> Verdict:
        """Judge pictures [B, 3, 64, 64] in 0..1."""
        features = self.body(images * 2 - 1)
        pooled = torch.cat([features.mean(dim=(2, 3)), features.amax(dim=(2, 3))], dim=1)
        outputs = dict(zip(_HEADS, self.heads(pooled).split(list(_HEADS.values()), dim=1), strict=True))
        quality = outputs.pop("quality")[:, 0] * _QUALITY_SPREAD + _QUALITY_CENTRE
        return Verdict(quality, outputs)


def save_judge(judge: Judge, path: Path, card: dict[str, object]) -> None:
    """Write a judge as fp16 safetensors; the card (seed, data, measurements) travels in the header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    weights = {key: value.half().contiguous() for key, value in judge.state_dict().items()}
    save_file(weights, partial, {"card": json.dumps(card)})
    partial.replace(path)


def load_judge(path: Path) -> Judge:
    """Read a judge, in float32 and ready to use; ModelError if the file is missing or is something else."""
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"cannot read the judge {path}: {error}; reinstall negopt, or make it with `train world`"
        ) from error
    judge = Judge()
    judge.load_state_dict({key: value.float() for key, value in weights.items()}, strict=True)
    return judge.eval().requires_grad_(False)


def judge_card(path: Path) -> dict[str, object]:
    """The card in a judge's header."""
    with safe_open(path, framework="pt") as file:
        card: dict[str, object] = json.loads(file.metadata()["card"])
    return card


@torch.inference_mode()
def judge_pictures(judge: Judge, images: Tensor, batch_size: int = 64) -> Verdict:
    """Judge any number of pictures [B, 3, H, W] in 0..1; other sizes than 64 x 64 are resized first."""
    if images.shape[-2:] != (64, 64):
        images = nn.functional.interpolate(images, (64, 64), mode="area")
    parts = [judge(images[start : start + batch_size].float()) for start in range(0, len(images), batch_size)]
    logits = {head: torch.cat([part.logits[head] for part in parts]) for head in parts[0].logits}
    return Verdict(torch.cat([part.quality for part in parts]), logits)


def alignment(verdict: Verdict, requests: Sequence[Request]) -> Tensor:
    """[B] share found of what each prompt asks for (medium, place, time, shape, colour); 1 if it asks nothing."""
    found = {
        head: verdict.logits[head].argmax(dim=1).tolist() for head in ("medium", "place", "time", "shape", "colour")
    }
    shares = []
    for row, request in enumerate(requests):
        asked = [(head, getattr(request, head)) for head in found if getattr(request, head) is not None]
        shares.append(sum(found[head][row] == value for head, value in asked) / len(asked) if asked else 1.0)
    return torch.tensor(shares)


def class_posteriors(verdict: Verdict) -> Tensor:
    """[B, 36] p(y|x) over shape x colour, for Inception-style scores."""
    shape, colour = verdict.logits["shape"].softmax(1), verdict.logits["colour"].softmax(1)
    return (shape[:, :, None] * colour[:, None, :]).flatten(1)


@dataclass(frozen=True, slots=True)
class QualityScorer:
    """`world-quality`: the judge's estimate of quality, about 1..10; the prompt plays no part."""

    judge: Judge
    name: str = "world-quality"

    def __call__(self, images: Tensor, prompts: Sequence[str]) -> Tensor:
        """Score pictures [B, 3, H, W] in 0..1 -> [B]."""
        return judge_pictures(self.judge, images).quality


@dataclass(frozen=True, slots=True)
class AlignmentScorer:
    """`world-alignment`: share 0..1 of what the prompt asks for that the judge finds in the picture."""

    judge: Judge
    name: str = "world-alignment"

    def __call__(self, images: Tensor, prompts: Sequence[str]) -> Tensor:
        """Score pictures [B, 3, H, W] in 0..1 -> [B]."""
        return alignment(judge_pictures(self.judge, images), [read_prompt(prompt) for prompt in prompts])


def _fidelity(judge: Judge) -> FidelityScorer:
    """Against the marginal over shapes and colours of rendered clean scenes."""
    from .render import render
    from .scenes import sample_clean_scenes

    def classify(images: Tensor) -> Tensor:
        return class_posteriors(judge_pictures(judge, images))

    reference = render(sample_clean_scenes(_REFERENCE_SCENES, seed=7))
    return FidelityScorer.against(classify, reference, "world-fidelity")


SCORERS = ("world-quality", "world-alignment", "world-fidelity")
_REFERENCE_SCENES = 512
"""Rendered scenes whose classes are the marginal that fidelity is measured against."""


def load_scorer(name: str, role: str = "eval") -> Scorer:
    """One of the world's scorers. `role` is "eval" or "reward": two judges trained apart, to show reward hacking."""
    from . import world_dir

    if role not in ("eval", "reward"):
        raise ModelError(f"unknown judge {role!r}; choose 'eval' or 'reward'")
    path = world_dir() / "judges" / f"{role}.safetensors"
    judge = load_judge(path) if name in SCORERS else None
    if judge is not None and name == "world-quality":
        return QualityScorer(judge)
    if judge is not None and name == "world-alignment":
        return AlignmentScorer(judge)
    if judge is not None:
        return _fidelity(judge)
    raise ModelError(f"unknown scorer {name!r}; the demo world has {', '.join(SCORERS)}")
