"""Judges of the world's pictures: quality, what is in them, what is wrong. Trained against exact ground truth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from ..errors import ModelError
from ..scorers.fidelity import FidelityScorer
from ..torch_file import save_tensors
from . import vocabulary as words
from .captions import Request, read_prompt
from .scenes import quality_effects
from .small import restore

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
_HEADS = {"severity": len(words.DEGRADATIONS), **CONTENT_HEADS, **FLAG_HEADS}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge sees in B pictures."""

    quality: Tensor
    """[B], about 1..10."""
    logits: dict[str, Tensor]
    """Per head [B, K]: softmax for the content heads, sigmoid for `degradations` and `enhancements`."""
    severity: Tensor
    """[B, 10] expected severity 0..1 of each degradation."""


class Residual(nn.Module):
    """Two 3 x 3 convolutions beside a straight line."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(width, width), nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, features: Tensor) -> Tensor:
        """[B, width, H, W] -> the same shape."""
        return nn.functional.silu(features + self.body(features))


def _convolution(before: int, after: int, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(after), nn.SiLU()]


JUDGE_WIDTH = 192
"""Channels that a judge's body ends with."""


def judge_body() -> nn.Sequential:
    """Pictures [B, 3, 64, 64] in -1..1 -> features [B, 192, 4, 4]."""
    return nn.Sequential(
        *_convolution(3, 32, 5, 2),
        *_convolution(32, 32),
        *_convolution(32, 64, stride=2),
        Residual(64),
        *_convolution(64, 128, stride=2),
        Residual(128),
        *_convolution(128, JUDGE_WIDTH, stride=2),
        Residual(JUDGE_WIDTH),
    )


def pooled(features: Tensor) -> Tensor:
    """Features [B, C, H, W] -> [B, 2 C], their means and their maxima."""
    return torch.cat([features.mean(dim=(2, 3)), features.amax(dim=(2, 3))], dim=1)


class Judge(nn.Module):
    """A small residual network over 64 x 64 pictures in 0..1, with one head for each question.

    Quality is not a head of its own: it is the world's formula on what the network sees and expects.
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = judge_body()
        self.heads = nn.Linear(2 * JUDGE_WIDTH, sum(_HEADS.values()))
        self.register_buffer("effects", quality_effects(), persistent=False)
        self.register_buffer("bonuses", torch.tensor(list(words.ENHANCEMENTS.values())), persistent=False)

    def forward(self, images: Tensor) -> Verdict:
        """Judge pictures [B, 3, 64, 64] in 0..1."""
        features = self.body(images * 2 - 1)
        outputs = dict(zip(_HEADS, self.heads(pooled(features)).split(list(_HEADS.values()), dim=1), strict=True))
        severity = outputs.pop("severity").sigmoid()
        medium, time = outputs["medium"].softmax(1), outputs["time"].softmax(1)
        effects = torch.einsum("bm,bt,mtd->bd", medium, time, self.effects)
        quality = words.BASE_QUALITY + (severity * effects).sum(1) + outputs["enhancements"].sigmoid() @ self.bonuses
        return Verdict(quality.clamp(1.0, 10.0), outputs, severity)


def save_judge(judge: Judge, path: Path, card: dict[str, object]) -> None:
    """Write a judge as fp16 safetensors; the card (seed, data, measurements) travels in the header."""
    weights = {key: value.half() for key, value in judge.state_dict().items()}
    save_tensors(path, weights, {"card": json.dumps(card)})


def load_judge(path: Path) -> Judge:
    """Read a judge, in float32 and ready to use; ModelError if the file is missing or is something else."""
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"cannot read the judge {path}: {error}; reinstall negopt, or make it with `train world`"
        ) from error
    judge = Judge()
    judge.load_state_dict(restore(weights), strict=True)
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
    return join_verdicts([judge(part.float()) for part in torch.split(images, batch_size)])


def join_verdicts(parts: Sequence[Verdict]) -> Verdict:
    """Verdicts on parts of a set of pictures as one."""
    logits = {head: torch.cat([part.logits[head] for part in parts]) for head in parts[0].logits}
    quality, severity = (torch.cat([getattr(part, name) for part in parts]) for name in ("quality", "severity"))
    return Verdict(quality, logits, severity)


def alignment(verdict: Verdict, requests: Sequence[Request]) -> Tensor:
    """[B] share found of what each prompt asks for (medium, place, time, shape, colour); 1 if it asks nothing."""
    seen = {
        head: verdict.logits[head].argmax(dim=1).tolist() for head in ("medium", "place", "time", "shape", "colour")
    }
    shares = []
    for row, request in enumerate(requests):
        asked = [(head, getattr(request, head)) for head in seen if getattr(request, head) is not None]
        shares.append(sum(seen[head][row] == value for head, value in asked) / len(asked) if asked else 1.0)
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


def fidelity_scorer(judge: Judge) -> FidelityScorer:
    """`world-fidelity`: against the marginal over shapes and colours of rendered clean scenes."""
    from .render import render
    from .scenes import sample_clean_scenes

    def classify(images: Tensor) -> Tensor:
        return class_posteriors(judge_pictures(judge, images))

    reference = render(sample_clean_scenes(_REFERENCE_SCENES, seed=7))
    return FidelityScorer.against(classify, reference, "world-fidelity")


_REFERENCE_SCENES = 512
"""Rendered scenes whose classes are the marginal that fidelity is measured against."""


def shipped_judge(role: str) -> Judge:
    """A judge that comes with negopt: "eval" or "reward", trained apart to show reward hacking; else ModelError."""
    from . import world_dir

    if role not in ("eval", "reward"):
        raise ModelError(f"unknown judge {role!r}; choose 'eval' or 'reward'")
    return load_judge(world_dir() / "judges" / f"{role}.safetensors")
