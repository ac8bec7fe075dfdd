"""Stage 3 of `train world`: the UNet and its text encoder, together, on velocity prediction."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..jobs.checkpoint import load_checkpoint, save_checkpoint
from ..jobs.progress import ProgressLog
from .dataset import Dataset
from .models import Networks, build_scheduler


@dataclass(frozen=True, slots=True)
class DiffusionSettings:
    """How the diffusion model is trained."""

    images: int = 280_000
    batch_size: int = 32
    learning_rate: float = 1e-3
    warmup_images: int = 10_000
    ema_decay: float = 0.9985
    clean_first: float = 0.8
    """Share of clean scenes in the first batches, until `clean_from` ..."""
    clean_last: float = 0.04
    """... falling to this share at `clean_until`, and staying there."""
    clean_from: float = 0.0
    clean_until: float = 0.45
    """Shares of the run between which the mix changes."""
    hold: float = 0.0
    """Share of the run before the learning rate begins to fall."""
    seed: int = 31
    save_every: int = 400
    """Steps between checkpoints."""


class DiffusionRun:
    """Networks, their running average, optimiser and random state; `train` continues where the checkpoint ended."""

    def __init__(
        self, folder: Path, networks: Networks, dataset: Dataset, settings: DiffusionSettings, device: str = "cpu"
    ) -> None:
        self.path = folder / "diffusion.safetensors"
        self.networks, self.dataset, self.settings = networks, dataset, settings
        self.model = nn.ModuleDict({"unet": networks.unet, "text_encoder": networks.text_encoder})
        self.model.to(device).train()
        self.device = device
        self.average = _copy(self.model)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), settings.learning_rate, (0.9, 0.99), weight_decay=0.01
        )
        self.rng = torch.Generator().manual_seed(settings.seed)
        self.alphas_cumprod = build_scheduler().alphas_cumprod.to(device)
        self.done = 0
        if self.path.exists():
            self.done = int(load_checkpoint(self.path, self._modules(), self.optimizer, self.rng)["images"])

    def train(self) -> None:
        """Run to the end of the settings, saving as it goes; leaves the averaged weights in the networks."""
        settings = self.settings
        pace = ProgressLog("diffusion", settings.images, self.done)
        recent, steps = 1.0, 0
        while self.done < settings.images:
            recent += 0.02 * (self.step() - recent)
            steps += 1
            pace.update(self.done, f"loss {recent:.3f}")
            if steps % settings.save_every == 0 or self.done >= settings.images:
                self.save()
        self.use_average()

    def save(self) -> None:
        """Write the checkpoint that a later run continues from."""
        save_checkpoint(self.path, self._modules(), self.optimizer, self.rng, {"images": self.done})

    def use_average(self) -> None:
        """Put the averaged weights into the networks, for painting."""
        self.model.load_state_dict(self.average.state_dict())
        self.model.to("cpu").eval()

    def _modules(self) -> dict[str, nn.Module]:
        return {"model": self.model, "average": self.average}

    def step(self) -> float:
        """One update on one batch; returns the loss."""
        share = self.done / self.settings.images
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * self._rate(share)
        latents, tokens = self._batch(share)
        loss = self._loss(latents, tokens)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self._update_average()
        self.done += self.settings.batch_size
        return loss.item()

    def _rate(self, share: float) -> float:
        warm = min(1.0, (self.done + self.settings.batch_size) / self.settings.warmup_images)
        falling = max(0.0, share - self.settings.hold) / (1 - self.settings.hold)
        return warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * falling)))

    def _batch(self, share: float) -> tuple[Tensor, Tensor]:
        settings, dataset = self.settings, self.dataset
        ramp = (share - settings.clean_from) / (settings.clean_until - settings.clean_from)
        ramp = min(1.0, max(0.0, ramp))
        clean_share = settings.clean_first + ramp * (settings.clean_last - settings.clean_first)
        size, total = settings.batch_size, len(dataset.latents)
        is_clean = torch.rand(size, generator=self.rng) < clean_share
        index = torch.where(
            is_clean,
            torch.randint(dataset.clean, (size,), generator=self.rng),
            torch.randint(dataset.clean, total, (size,), generator=self.rng),
        )
        caption = torch.randint(dataset.tokens.shape[1], (size,), generator=self.rng)
        latents, tokens = dataset.latents[index], dataset.tokens[index, caption]
        return latents.to(self.device).float(), tokens.to(self.device).long()

    def _loss(self, latents: Tensor, tokens: Tensor) -> Tensor:
        """Velocity loss |v - (a * noise - s * x)|^2 at timesteps mostly from the middle, where shapes are decided."""
        size = len(latents)
        middle = torch.sigmoid(0.3 + torch.randn(size, generator=self.rng))
        uniform = torch.rand(size, generator=self.rng)
        place = torch.where(torch.rand(size, generator=self.rng) < 0.7, middle, uniform)
        timesteps = (place * 1000).long().clamp(0, 999).to(self.device)
        noise = torch.randn(latents.shape, generator=self.rng).to(self.device)
        alpha = self.alphas_cumprod[timesteps].sqrt()[:, None, None, None]
        sigma = (1 - self.alphas_cumprod[timesteps]).sqrt()[:, None, None, None]
        states = self.networks.text_encoder(tokens).last_hidden_state
        predicted = self.networks.unet(alpha * latents + sigma * noise, timesteps, states).sample
        return functional.mse_loss(predicted, alpha * noise - sigma * latents)

    @torch.no_grad()
    def _update_average(self) -> None:
        steps = self.done / self.settings.batch_size
        decay = min(self.settings.ema_decay, (1 + steps) / (10 + steps))
        averaged: list[Tensor] = list(self.average.parameters())
        current: list[Tensor] = list(self.model.parameters())
        torch._foreach_lerp_(averaged, current, 1 - decay)


def _copy(model: nn.ModuleDict) -> nn.ModuleDict:
    return copy.deepcopy(model).requires_grad_(False).eval()
