"""What the checks share: the loaded pack, the tiny model, and one way to run ComfyUI's sampler and watch it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any

import boot
import tiny
import torch


@cache
def pack() -> tuple[str, dict[str, Any]]:
    """The pack's module name, and its nodes by id."""
    name, classes = boot.load_pack()
    return name, {node.define_schema().node_id: node for node in classes}


def node(node_id: str) -> Any:
    return pack()[1][node_id]


def module(dotted: str) -> ModuleType:
    """A module of the pack, under the name ComfyUI gave it."""
    return sys.modules[f"{pack()[0]}.{dotted}"]


@cache
def checkpoint() -> tuple[Any, Any]:
    """MODEL and CLIP of the small SD1.5."""
    return tiny.small_model(), tiny.small_clip()


@cache
def stock(text: str) -> Any:
    """CONDITIONING of ComfyUI's own text-encode node."""
    clip = checkpoint()[1]
    return clip.encode_from_tokens_scheduled(clip.tokenize(text))


@cache
def encoded(df_text: str) -> Any:
    """CONDITIONING of NegOptEncode."""
    return node("NegOptEncode").execute(clip=checkpoint()[1], df_text=df_text).result[0]


def hooked(model: Any = None, **settings: Any) -> Any:
    """The model with NegOptSamplerHook on it."""
    settings = {"unit": "sampler steps", **settings}
    return node("NegOptSamplerHook").execute(model=model or checkpoint()[0], **settings).result[0]


@dataclass
class Watched:
    """A finished run: its latent, the latent after each step, and the batch size of each call of the network."""

    latent: torch.Tensor = field(default_factory=lambda: torch.zeros(0))
    steps: list[torch.Tensor] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)


def watch_calls(model: Any, seen: list[int]) -> Any:
    """The model, noting the batch size of every call of its network."""
    from comfy.patcher_extension import WrappersMP

    def note(executor: Any, x: Any, *args: Any, **kw: Any) -> Any:
        seen.append(x.shape[0])
        return executor(x, *args, **kw)

    watched = model.clone()
    watched.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, "test", note)
    return watched


def run(
    model: Any,
    positive: Any,
    negative: Any,
    *,
    sampler: str = "euler",
    scheduler: str = "normal",
    steps: int = 6,
    cfg: float = 7.0,
    denoise: float = 1.0,
    batch: int = 1,
    start: int | None = None,
    stop: int | None = None,
    latent: torch.Tensor | None = None,
) -> Watched:
    """One run of ComfyUI's KSampler on an 8 x 8 latent, seed 3."""
    import comfy.sample

    seen = Watched()
    at = latent if latent is not None else torch.zeros([batch, 4, 8, 8])
    seen.latent = comfy.sample.sample(
        watch_calls(model, seen.batches),
        comfy.sample.prepare_noise(at, 3),
        steps,
        cfg,
        sampler,
        scheduler,
        positive,
        negative,
        at,
        denoise=denoise,
        start_step=start,
        last_step=stop,
        disable_pbar=True,
        seed=3,
        callback=lambda step, x0, x, total: seen.steps.append(x0.clone()),
    )
    return seen


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Bit for bit, and finite: NaN must not pass for equality or for difference."""
    assert torch.isfinite(one).all() and torch.isfinite(other).all()
    return torch.equal(one, other)


def sigmas(model: Any, scheduler: str, steps: int) -> list[float]:
    """The sigmas ComfyUI's scheduler gives."""
    import comfy.samplers

    return comfy.samplers.calculate_sigmas(model.get_model_object("model_sampling"), scheduler, steps).tolist()
