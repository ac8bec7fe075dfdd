"""Latents in closed form: principal components of 8 x 8 patches, half-whitened. Training can start at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .backdrops import SIZE

PATCH = 8
"""Pixels per latent position along one side."""
CHANNELS = 32
_SIDE = SIZE // PATCH


@dataclass(frozen=True, slots=True)
class PatchCode:
    """Latents [B, 32, 8, 8] of mean variance 1 from pictures [B, 3, 64, 64] in -1..1, and back."""

    mean: Tensor
    """[192]"""
    encoder: Tensor
    """[192, 32]"""
    decoder: Tensor
    """[32, 192]"""

    def encode(self, pictures: Tensor) -> Tensor:
        """Pictures in -1..1 -> latents."""
        return ((_patches(pictures) - self.mean) @ self.encoder).permute(0, 3, 1, 2)

    def decode(self, latents: Tensor) -> Tensor:
        """The best linear guess of the pictures, not clipped."""
        patches = latents.permute(0, 2, 3, 1) @ self.decoder + self.mean
        grid = patches.view(-1, _SIDE, _SIDE, 3, PATCH, PATCH).permute(0, 3, 1, 4, 2, 5)
        return grid.reshape(-1, 3, SIZE, SIZE)


def fit_patch_code(pictures: Tensor) -> PatchCode:
    """Fit to pictures [B, 3, 64, 64] in -1..1: each component times its eigenvalue to the power -1/4."""
    patches = _patches(pictures).reshape(-1, 3 * PATCH**2)
    mean = patches.mean(dim=0)
    values, vectors = torch.linalg.eigh(torch.cov((patches - mean).T))
    values, vectors = values.flip(0)[:CHANNELS], vectors.flip(1)[:, :CHANNELS]
    vectors = vectors * vectors[vectors.abs().argmax(dim=0), torch.arange(CHANNELS)].sign()  # a sign of its own
    scale = values**-0.25
    scale = scale / (((patches - mean) @ vectors) * scale).square().mean().sqrt()
    return PatchCode(mean, vectors * scale, (vectors / scale).T.contiguous())


def _patches(pictures: Tensor) -> Tensor:
    """[B, 3, 64, 64] -> [B, 8, 8, 192]."""
    grid = pictures.view(-1, 3, _SIDE, PATCH, _SIDE, PATCH).permute(0, 2, 4, 1, 3, 5)
    return grid.reshape(-1, _SIDE, _SIDE, 3 * PATCH**2)
