"""Stage 1 of `train world`: the autoencoder between pixels and latents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderTiny
from torch import Tensor
from torch.nn import functional

from ...world.render import render
from ...world.scenes import sample_scenes
from ..jobs.checkpoint import load_checkpoint, save_checkpoint
from ..jobs.progress import ProgressLog
from .models import build_vae


@dataclass(frozen=True, slots=True)
class VaeSettings:
    """How the autoencoder is trained."""

    steps: int = 2000
    batch_size: int = 16
    learning_rate: float = 2e-3
    latent_noise: float = 0.06
    """Noise added to latents in training, so that the decoder forgives what the diffusion model leaves."""
    seed: int = 11
    save_every: int = 400


def train_vae(folder: Path, settings: VaeSettings, device: str = "cpu") -> AutoencoderTiny:
    """Train (or resume) the autoencoder; the checkpoint lives in `folder`. Deterministic for a seed and threads."""
    torch.manual_seed(settings.seed)
    vae = build_vae().to(device)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=settings.learning_rate, betas=(0.9, 0.99), weight_decay=1e-4)
    rng = torch.Generator().manual_seed(settings.seed)
    path, start = folder / "vae.safetensors", 0
    if path.exists():
        start = int(load_checkpoint(path, {"vae": vae}, optimizer, rng)["step"])
    pace = ProgressLog("autoencoder", settings.steps * settings.batch_size, start * settings.batch_size)
    vae.train()
    for step in range(start, settings.steps):
        _set_rate(optimizer, settings.learning_rate * cosine_rate(step, settings.steps))
        scenes = sample_scenes(settings.batch_size, settings.seed * 1_000_003 + step)
        loss, error = _loss(vae, render(scenes).to(device) * 2 - 1, settings.latent_noise, rng)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        pace.update((step + 1) * settings.batch_size, f"PSNR {psnr(error):.1f} dB")
        if (step + 1) % settings.save_every == 0 or step + 1 == settings.steps:
            save_checkpoint(path, {"vae": vae}, optimizer, rng, {"step": step + 1})
    return vae.to("cpu").eval()


def psnr(mean_squared_error: float) -> float:
    """Peak signal-to-noise ratio in dB for pictures in -1..1."""
    return -10 * float(torch.log10(torch.tensor(mean_squared_error / 4)))


def _loss(vae: AutoencoderTiny, images: Tensor, noise: float, rng: torch.Generator) -> tuple[Tensor, float]:
    """Squared and absolute error, plus a pull of every latent channel towards mean 0 and variance 1."""
    latents = vae.encoder(images)
    mean, variance = latents.mean(dim=(0, 2, 3)), latents.var(dim=(0, 2, 3))
    prior = mean.square().mean() + (variance - 1).square().mean()
    noisy = latents + noise * torch.randn(latents.shape, generator=rng).to(latents.device)
    decoded = vae.decoder(noisy)
    error = functional.mse_loss(decoded, images)
    return error + 0.05 * functional.l1_loss(decoded, images) + 0.05 * prior, error.item()


def cosine_rate(step: int, steps: int, floor: float = 0.03) -> float:
    """Learning rate factor: 100 steps of warm-up, then half a cosine down to `floor`."""
    warm = min(1.0, (step + 1) / 100)
    return warm * (floor + (1 - floor) * 0.5 * (1 + float(torch.cos(torch.tensor(torch.pi * step / steps)))))


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
