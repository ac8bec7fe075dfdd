"""Measures of a whole set of pictures: Inception Score, Fréchet distance (FID), CMMD.

The formulas stand here in double precision; features come from torch-fidelity's Inception
(`is`, `fid`), CLIP (`cmmd`) or the demo world's judge (`world-is`, `world-fid`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ModelError
from ..scorers.fidelity import inception_score

Features = NDArray[numpy.float64]
"""[N, D], one row for each picture."""
Extract = Callable[[Tensor], Tensor]
"""Pictures [B, 3, H, W] in 0..1 -> features [B, D]."""

CMMD_SIGMA, CMMD_SCALE = 10.0, 1000.0
"""As in CMMD's paper (arXiv 2401.09603)."""
_BLOCK = 1024
_SHUFFLE_SEED = 2020
"""torch-fidelity's, so that the splits of an Inception Score hold the same pictures."""


def extract_all(batches: Iterator[tuple[list[int], Tensor]], extract: Extract) -> Features:
    """Features of all pictures; only one batch of pictures is in memory at a time."""
    rows = [extract(images).detach().double().cpu().numpy() for _, images in batches]
    if not rows:
        raise ModelError("there is no picture to take features from")
    return numpy.concatenate(rows)


@dataclass(frozen=True, slots=True)
class Spread:
    """An Inception Score: mean and standard deviation over its splits."""

    mean: float
    deviation: float


def split_inception_score(posteriors: Tensor, splits: int) -> Spread:
    """Inception Score of [N, K] posteriors over shuffled splits of equal size, as torch-fidelity does it."""
    count = len(posteriors)
    if not 1 <= splits <= count:
        raise ModelError(f"an Inception Score over {count} pictures cannot have {splits} splits; use at most {count}")
    order = torch.from_numpy(numpy.random.RandomState(_SHUFFLE_SEED).permutation(count))
    shuffled = posteriors.double()[order]
    parts = [shuffled[i * count // splits : (i + 1) * count // splits] for i in range(splits)]
    scores = numpy.array([inception_score(part)[0] for part in parts])
    return Spread(float(scores.mean()), float(scores.std()))


def frechet_distance(painted: Features, reference: Features) -> float:
    """FID's formula: |m1 - m2|^2 + tr(C1 + C2 - 2 sqrt(C1 C2)) of two sets of features [N, D] and [M, D]."""
    for name, features in (("painted", painted), ("reference", reference)):
        if len(features) < 2:
            raise ModelError(
                f"a Fréchet distance needs at least 2 pictures on each side, the {name} set has {len(features)}"
            )
        if not numpy.isfinite(features).all():
            raise ModelError(f"the features of the {name} pictures are not all finite numbers; look at the pictures")
    shift = painted.mean(axis=0) - reference.mean(axis=0)
    one, other = (numpy.atleast_2d(numpy.cov(features, rowvar=False)) for features in (painted, reference))
    # the trace of the square root of a matrix is the sum of the square roots of its eigenvalues
    roots = numpy.sqrt(numpy.linalg.eigvals(one @ other).astype(numpy.complex128)).real.sum()
    return float(shift @ shift + numpy.trace(one) + numpy.trace(other) - 2 * roots)


def cmmd(painted: Features, reference: Features) -> float:
    """Squared maximum mean discrepancy of CLIP embeddings of length 1, Gaussian kernel, all pairs, times 1000."""
    if not len(painted) or not len(reference):
        raise ModelError("CMMD needs at least one picture on each side")
    within = _mean_kernel(painted, painted) + _mean_kernel(reference, reference)
    return CMMD_SCALE * (within - 2 * _mean_kernel(painted, reference))


def _mean_kernel(one: Features, other: Features) -> float:
    """Mean of exp(-|x - y|^2 / (2 sigma^2)) over all pairs, a block of rows at a time."""
    total = 0.0
    lengths = (other**2).sum(axis=1)
    for start in range(0, len(one), _BLOCK):
        rows = one[start : start + _BLOCK]
        squared = (rows**2).sum(axis=1)[:, None] + lengths[None] - 2 * rows @ other.T
        total += float(numpy.exp(-squared / (2 * CMMD_SIGMA**2)).sum())
    return total / (len(one) * len(other))
