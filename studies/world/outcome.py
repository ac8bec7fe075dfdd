"""What the judges found in the pictures of one arm: `Outcome`, and how it is kept on disk."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from negopt_core.lab.make_world.measure import ATTRIBUTES
from negopt_core.torch_file import save_tensors
from negopt_core.world.captions import Request
from negopt_core.world.judges import Verdict, class_posteriors

KEPT_PICTURES = 24
"""Pictures kept of each arm, the first seed of the first prompts: enough for the grid and to read them by eye."""

ALIGNMENT_WEIGHT = 3.0
"""R = quality + 3 alignment: quality runs over about 9 points, alignment over 1."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Verdicts over P prompts with S seeds each; the same prompt and seed have the same noise in every arm."""

    quality: Tensor
    """[P, S] 1..10."""
    hits: Tensor
    """[P, S, 5] 1 where medium, place, time, shape, colour are found as asked, else 0."""
    second: Tensor
    """[P, S] 1 where both objects are found with their shapes and colours; 0 if the prompt names one."""
    faults: Tensor
    """[P, S, 10] 1 where the judge sees a degradation."""
    severity: Tensor
    """[P, S, 10] expected severity of each degradation."""
    better: Tensor
    """[P, S, 6] probability 0..1 of each enhancement."""
    posteriors: Tensor
    """[P, S, 36] p(y|x) over shape x colour."""
    pictures: Tensor
    """[up to 24, 3, H, W] uint8, the first seed of the first prompts."""

    @property
    def alignment(self) -> Tensor:
        """[P] share of what the prompt asks for that is found."""
        return self.hits.mean(dim=(1, 2))

    @property
    def mean_quality(self) -> Tensor:
        """[P] quality averaged over seeds."""
        return self.quality.mean(dim=1)

    @property
    def reward(self) -> Tensor:
        """[P] R = quality + 3 alignment, averaged over seeds."""
        return self.mean_quality + ALIGNMENT_WEIGHT * self.alignment


def make_outcome(verdict: Verdict, requests: list[Request], seeds: int, images: Tensor) -> Outcome:
    """Order the verdicts on P * S pictures (the seeds of a prompt stand together) by prompt and seed."""
    found = torch.stack([verdict.logits[head].argmax(1) for head in ATTRIBUTES], dim=1)
    asked = torch.tensor([[_index(request, head) for head in ATTRIBUTES] for request in requests])
    flags = verdict.logits["degradations"] > 0

    def by_seed(values: Tensor) -> Tensor:
        return values.float().reshape(-1, seeds, *values.shape[1:])

    return Outcome(
        by_seed(verdict.quality),
        by_seed(found == asked),
        by_seed(_both(verdict, requests)),
        by_seed(flags),
        by_seed(verdict.severity),
        by_seed(verdict.logits["enhancements"].sigmoid()),
        by_seed(class_posteriors(verdict)),
        (images[::seeds][:KEPT_PICTURES] * 255).round().byte(),
    )


def _index(request: Request, head: str) -> int:
    value: int | None = getattr(request, head)
    return -1 if value is None else value


def _both(verdict: Verdict, requests: list[Request]) -> Tensor:
    """[B] are both objects there, each with its shape and colour; false where the prompt names one."""
    heads = ("shape", "colour", "shape2", "colour2")
    asked = torch.tensor([[_index(request, head) for head in heads] for request in requests])
    found = torch.stack([verdict.logits[head].argmax(1) for head in heads], dim=1)
    return (found == asked).all(dim=1)


def save_outcome(outcome: Outcome, path: Path) -> None:
    """Write all tensors as one safetensors file, or nothing."""
    save_tensors(path, {field.name: getattr(outcome, field.name) for field in fields(outcome)})


def load_outcome(path: Path) -> Outcome:
    """The inverse of `save_outcome`."""
    return Outcome(**load_file(path))
