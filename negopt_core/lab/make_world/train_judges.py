"""Stage 4 of `train world`: two judges with separate seeds and data, one for rewards and one for evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from diffusers import AutoencoderTiny
from torch import Tensor, nn
from torch.nn import functional

from ...world.judges import Judge, Verdict
from ...world.render import render
from ...world.scenes import Scenes, sample_clean_scenes, sample_scenes, true_quality
from ..jobs.checkpoint import load_checkpoint, save_checkpoint
from ..jobs.progress import ProgressLog

AnyJudge = TypeVar("AnyJudge", bound=nn.Module)
AnyScenes = TypeVar("AnyScenes")


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """How one judge is trained."""

    seed: int
    steps: int = 7500
    batch_size: int = 32
    learning_rate: float = 2e-3
    save_every: int = 300


def train_judge(path: Path, vae: AutoencoderTiny, settings: JudgeSettings, device: str = "cpu") -> Judge:
    """Train (or resume) one judge on rendered scenes, some of them seen through the autoencoder as painted ones are."""

    def draw(seed: int, rng: torch.Generator) -> tuple[Tensor, Scenes]:
        scenes = draw_scenes(settings.batch_size, seed)
        return through_vae(render(scenes), vae, rng), scenes.to(device)

    return fit_judge(path, Judge, draw, judge_loss, settings, device)


def fit_judge(
    path: Path,
    build: Callable[[], AnyJudge],
    draw: Callable[[int, torch.Generator], tuple[Tensor, AnyScenes]],
    loss_of: Callable[[Verdict, AnyScenes], Tensor],
    settings: JudgeSettings,
    device: str = "cpu",
) -> AnyJudge:
    """Train (or resume) what `build` makes; `draw` gives the pictures of a step by its seed, and what is in them."""
    torch.manual_seed(settings.seed)
    judge = build().to(device)
    optimizer = torch.optim.AdamW(judge.parameters(), settings.learning_rate, weight_decay=0.02)
    rng = torch.Generator().manual_seed(settings.seed)
    start = int(load_checkpoint(path, {"judge": judge}, optimizer, rng)["step"]) if path.exists() else 0
    pace = ProgressLog(f"judge {path.stem}", settings.steps, start)
    for step in range(start, settings.steps):
        falling = 0.02 + 0.49 * (1 + math.cos(math.pi * step / settings.steps))
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * min(1.0, (step + 1) / 50) * falling
        images, scenes = draw(settings.seed * 1_000_003 + step, rng)
        loss = loss_of(judge(_augment(images, rng).to(device)), scenes)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        pace.update(step + 1, f"loss {loss.item():.2f}")
        if (step + 1) % settings.save_every == 0 or step + 1 == settings.steps:
            save_checkpoint(path, {"judge": judge}, optimizer, rng, {"step": step + 1})
    return judge.to("cpu").eval()


def draw_scenes(count: int, seed: int) -> Scenes:
    """A quarter clean scenes, the rest from the world's own distribution."""
    clean, mixed = sample_clean_scenes(count // 4, seed), sample_scenes(count - count // 4, seed)
    return Scenes(
        **{name: torch.cat([getattr(clean, name), getattr(mixed, name)]) for name in Scenes.__dataclass_fields__}
    )


@torch.no_grad()
def through_vae(images: Tensor, vae: AutoencoderTiny, rng: torch.Generator) -> Tensor:
    """Replace two in five of the pictures by what the autoencoder makes of them, with a little noise on the latents."""
    rows = torch.rand(len(images), generator=rng) < 0.4
    latents = vae.encoder(images[rows] * 2 - 1)
    latents = latents + 0.08 * torch.rand((), generator=rng) * torch.randn(latents.shape, generator=rng)
    images = images.clone()
    images[rows] = (vae.decoder(latents) / 2 + 0.5).clamp(0, 1)
    return images


def _augment(images: Tensor, rng: torch.Generator) -> Tensor:
    """Small shifts, so that a judge does not learn pixel positions."""
    shift = torch.randint(-3, 4, (2,), generator=rng).tolist()
    padded = functional.pad(images, (3, 3, 3, 3), mode="replicate")
    return padded[:, :, 3 + shift[0] : 67 + shift[0], 3 + shift[1] : 67 + shift[1]]


def judge_loss(verdict: Verdict, scenes: Scenes) -> Tensor:
    """Squared error on quality and severities, cross-entropy on content, flags as bits; a second object counts only
    where there is one."""
    loss = 0.5 * functional.mse_loss(verdict.quality, true_quality(scenes))
    loss = loss + 20 * functional.mse_loss(verdict.severity, scenes.severity)
    targets = {
        "medium": scenes.medium,
        "place": scenes.place,
        "time": scenes.time,
        "shape": scenes.shape[:, 0],
        "colour": scenes.colour[:, 0],
        "relation": scenes.relation,
    }
    for head, target in targets.items():
        loss = loss + functional.cross_entropy(verdict.logits[head], target)
    second = scenes.has_second
    if bool(second.any()):
        loss = loss + 0.3 * functional.cross_entropy(verdict.logits["shape2"][second], scenes.shape[second, 1])
        loss = loss + 0.3 * functional.cross_entropy(verdict.logits["colour2"][second], scenes.colour[second, 1])
    for head, flags in (("degradations", scenes.severity > 0), ("enhancements", scenes.enhanced > 0)):
        loss = loss + 4 * functional.binary_cross_entropy_with_logits(verdict.logits[head], flags.float())
    return loss
