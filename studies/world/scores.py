"""What a judge of the world found in the pictures of one arm (`Scores`), kept on disk; paired gains between arms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from negopt_core.lab.make_world.measure import ATTRIBUTES
from negopt_core.measure.statistics import Interval, mean_interval
from negopt_core.torch_file import save_tensors
from negopt_core.world.captions import read_prompt
from negopt_core.world.judges import Verdict, class_posteriors

KEPT_PICTURES = 24
"""Pictures kept of each arm, the first seed of the first prompts: enough for the grid and to read them by eye."""

ALIGNMENT_WEIGHT = 3.0
"""R = quality + 3 alignment: quality runs over about 9 points, alignment over 1."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Of P prompts with S seeds each; the same prompt and seed have the same noise in every arm."""

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

    @property
    def means(self) -> dict[str, float]:
        """Over all pictures, for files of figures."""
        return {"quality": round(float(self.quality.mean()), 4), "alignment": round(float(self.hits.mean()), 4)}


def gain(one: Scores, other: Scores, measure: str = "reward") -> Interval:
    """Paired difference over prompts of `reward`, `alignment` or `mean_quality`."""
    return mean_interval(getattr(one, measure) - getattr(other, measure))


def make_scores(verdict: Verdict, prompts: Sequence[str], seeds: int, pictures: Tensor) -> Scores:
    """Order the verdicts on P * S pictures (the seeds of a prompt stand together) by prompt and seed.

    `pictures` [N, 3, H, W] in 0..1 are those of the first seed.
    """
    requests = [read_prompt(prompt) for prompt in prompts for _ in range(seeds)]

    def right(heads: Sequence[str]) -> Tensor:
        """[P * S, heads] is each found as the prompt asks; false for what it does not name."""
        found = torch.stack([verdict.logits[head].argmax(1) for head in heads], dim=1)
        asked = [[-1 if (value := getattr(one, head)) is None else value for head in heads] for one in requests]
        return found == torch.tensor(asked)

    def by_seed(values: Tensor) -> Tensor:
        return values.float().reshape(-1, seeds, *values.shape[1:])

    return Scores(
        by_seed(verdict.quality),
        by_seed(right(ATTRIBUTES)),
        by_seed(right(("shape", "colour", "shape2", "colour2")).all(dim=1)),
        by_seed(verdict.logits["degradations"] > 0),
        by_seed(verdict.severity),
        by_seed(verdict.logits["enhancements"].sigmoid()),
        by_seed(class_posteriors(verdict)),
        (pictures[:KEPT_PICTURES] * 255).round().byte(),
    )


def save_scores(scores: Scores, path: Path) -> None:
    """Write all tensors as one safetensors file, or nothing."""
    save_tensors(path, {field.name: getattr(scores, field.name) for field in fields(scores)})


def load_scores(path: Path) -> Scores:
    """The inverse of `save_scores`."""
    return Scores(**load_file(path))
