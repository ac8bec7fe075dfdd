"""Fidelity of one picture, and the Inception Score it adds up to: NegOpt's third term, which its paper leaves open.

For class posteriors p(y|x): the Inception Score of a set is exp(mean over x of KL(p(y|x) || p(y))). The term of one
picture is that KL against a fixed marginal p_ref, so that the reward does not depend on the rest of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import ModelError

Classify = Callable[[Tensor], Tensor]
"""Pictures [B, 3, H, W] in 0..1 -> posteriors [B, K] that add up to 1."""


def divergence(posteriors: Tensor, marginal: Tensor) -> Tensor:
    """[B] KL(p(y|x) || marginal) in nats; 0 log 0 is 0."""
    ratio = posteriors.clamp(min=1e-12).log() - marginal.clamp(min=1e-12).log()
    return (posteriors * ratio).sum(dim=-1)


def inception_score(posteriors: Tensor, splits: int = 1) -> tuple[float, float]:
    """Mean and standard deviation over splits of exp(mean KL to the split's own marginal)."""
    if not 1 <= splits <= len(posteriors):
        raise ModelError(f"an Inception Score over {len(posteriors)} pictures cannot have {splits} splits")
    parts = [float(divergence(part, part.mean(dim=0)).mean().exp()) for part in posteriors.double().chunk(splits)]
    scores = torch.tensor(parts, dtype=torch.float64)
    return float(scores.mean()), float(scores.std(unbiased=False))


@dataclass(frozen=True)
class FidelityScorer:
    """`KL(p(y|x) || p_ref)`: high where a classifier is sure, and sure of something that is not everywhere."""

    classify: Classify
    marginal: Tensor
    """[K] p_ref."""
    name: str = "fidelity"

    @classmethod
    def against(cls, classify: Classify, reference: Tensor, name: str = "fidelity") -> FidelityScorer:
        """p_ref from reference pictures [N, 3, H, W]."""
        return cls(classify, classify(reference).mean(dim=0), name)

    def __call__(self, images: Tensor, prompts: Sequence[str]) -> Tensor:
        """Score pictures [B, 3, H, W] in 0..1 -> [B] nats; the prompt plays no part."""
        return divergence(self.classify(images), self.marginal)
