"""The autoencoder onto the patch code's latents: its encoder learns to give them, its decoder to look right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderTiny
from torch import Tensor
from torch.nn import functional

from ..jobs.checkpoint import load_checkpoint, save_checkpoint
from ..jobs.progress import ProgressLog
from ..make_world.train_vae import cosine_rate, psnr
from .latents import PatchCode
from .models import build_vae
from .render import Renderer
from .scenes import joined, sample_clean_scenes, sample_scenes

Layers = Callable[[Tensor], list[Tensor]]
"""Pictures in 0..1 -> what a pretrained network makes of them, at several depths."""


@dataclass(frozen=True, slots=True)
class AutoencoderSettings:
    """How the autoencoder is trained."""

    steps: int = 3000
    batch_size: int = 16
    learning_rate: float = 2e-3
    latent_noise: float = 0.10
    """Most noise added to latents in training, so that the decoder forgives what the diffusion model leaves."""
    perceptual: float = 0.02
    """Weight of the difference between the pretrained network's layers ..."""
    perceptual_from: float = 0.9
    """... from this share of the run on: it makes a step four times as long."""
    seed: int = 11
    save_every: int = 300


class AutoencoderRun:
    """Networks, optimiser and random state; `train` continues where the checkpoint ended."""

    def __init__(
        self, folder: Path, renderer: Renderer, code: PatchCode, layers: Layers, settings: AutoencoderSettings
    ) -> None:
        torch.manual_seed(settings.seed)
        self.path = folder / "autoencoder.safetensors"
        self.renderer, self.code, self.layers, self.settings = renderer, code, layers, settings
        self.vae = build_vae().train()
        self.optimizer = torch.optim.AdamW(
            self.vae.parameters(), settings.learning_rate, (0.9, 0.99), weight_decay=1e-4
        )
        self.rng = torch.Generator().manual_seed(settings.seed)
        self.step = 0
        if self.path.exists():
            self.step = int(load_checkpoint(self.path, {"vae": self.vae}, self.optimizer, self.rng)["step"])

    def train(self) -> AutoencoderTiny:
        """Run to the end of the settings, saving as it goes."""
        settings = self.settings
        pace = ProgressLog("autoencoder", settings.steps, self.step)
        while self.step < settings.steps:
            for group in self.optimizer.param_groups:
                group["lr"] = settings.learning_rate * cosine_rate(self.step, settings.steps)
            loss, error = self._loss()
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.vae.parameters(), 1.0)
            self.optimizer.step()
            self.step += 1
            pace.update(self.step, f"PSNR {psnr(error):.1f} dB")
            if self.step % settings.save_every == 0 or self.step == settings.steps:
                save_checkpoint(self.path, {"vae": self.vae}, self.optimizer, self.rng, {"step": self.step})
        return self.vae.eval()

    def _loss(self) -> tuple[Tensor, float]:
        settings, scale = self.settings, self.vae.config["scaling_factor"]
        seed, half = settings.seed * 1_000_003 + self.step, settings.batch_size // 2
        scenes = joined(sample_clean_scenes(half, seed), sample_scenes(settings.batch_size - half, seed))
        images = self.renderer(scenes) * 2 - 1
        latents = self.code.encode(images)
        strength = settings.latent_noise * torch.rand(len(latents), 1, 1, 1, generator=self.rng)
        noisy = latents + strength * torch.randn(latents.shape, generator=self.rng)
        decoded = self.vae.decoder(noisy / scale)
        error = functional.mse_loss(decoded, images)
        encoded = functional.mse_loss(self.vae.encoder(images) * scale, latents)
        loss = error + 0.1 * functional.l1_loss(decoded, images) + 0.1 * encoded
        if self.step >= settings.perceptual_from * settings.steps:
            seen = zip(self.layers(decoded / 2 + 0.5), self.layers(images / 2 + 0.5), strict=True)
            loss = loss + settings.perceptual * sum(functional.l1_loss(*pair) for pair in seen)
        return loss, error.item()
