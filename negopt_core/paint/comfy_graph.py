"""A prompt pair as a graph for ComfyUI's API: negopt's own nodes encode it and hook the model, ComfyUI's paint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import diffusers

from ..errors import PromptError
from ..quiet import quiet
from ..text.df_text import format_prompt
from ..text.prompt import PromptPair
from ..world import world_dir
from .base import PaintSettings, Sampler
from .comfy_client import Graph

COMFY_SAMPLERS: dict[Sampler, str] = {
    "unipc": "uni_pc",
    "dpm++2m": "dpmpp_2m",
    "euler": "euler",
    "euler-a": "euler_ancestral",
    "ddim": "ddim",
    "heun": "heun",
}
"""Our names of samplers, in ComfyUI's."""
_RULES = ("comfy", "pae", "pae-raw", "none")
NODES = ("NegOptEncode", "NegOptSamplerHook", "NegOptDemoModel")
"""What a server needs of ours."""
CHECKPOINT_SIZE = 512
"""Pixels of a side where nobody says how large: Stable Diffusion 1's. ComfyUI does not tell a checkpoint's own."""


@dataclass(frozen=True, slots=True)
class Source:
    """What paints on the server: a checkpoint in its own folder, or the demo world that comes with negopt's nodes."""

    checkpoint: str = ""

    @property
    def is_world(self) -> bool:
        """True for the demo world."""
        return not self.checkpoint


def check_settings(settings: PaintSettings) -> None:
    """PromptError for what cannot be asked of a server."""
    if settings.weighting not in _RULES:
        raise PromptError(f"ComfyUI has no weighting rule {settings.weighting!r}; use one of {', '.join(_RULES)}")
    if settings.init_image is not None:
        raise PromptError("a ComfyUI server paints from noise only; leave out the initial image, or paint here")


def build_graph(source: Source, settings: PaintSettings, pair: PromptPair, seed: int) -> Graph:
    """One picture. It depends on nothing but its pair, its seed and the settings."""
    loaded = _node("NegOptDemoModel", batch_size=1)
    latent: list[Any] = ["model", 3]
    clip = ["model", 1]
    graph: Graph = {}
    if not source.is_world:
        loaded = _node("CheckpointLoaderSimple", ckpt_name=source.checkpoint)
        width, height = picture_size(source, settings)
        graph["latent"], latent = _node("EmptyLatentImage", batch_size=1, width=width, height=height), ["latent", 0]
    if settings.clip_skip:
        layer = -1 - settings.clip_skip  # diffusers counts the layers that are left out, ComfyUI from the last
        graph["clip"], clip = _node("CLIPSetLastLayer", clip=clip, stop_at_clip_layer=layer), ["clip", 0]
    for side, prompt in (("positive", pair.positive), ("negative", pair.negative)):
        text = {"df_text": format_prompt(prompt), "weighting": settings.weighting, "same_length": True}
        graph[side] = _node("NegOptEncode", clip=clip, **text)
    hook = {"unit": "sampler steps", "step_offset": 0, "total_steps": 0}
    return {
        "model": loaded,
        **graph,
        "hook": _node("NegOptSamplerHook", model=["model", 0], **hook),
        "sampler": _node("KSamplerSelect", sampler_name=sampler_name(source, settings.sampler)),
        "sigmas": _sigmas(source, settings.steps),
        "paint": _node(
            "SamplerCustom",
            model=["hook", 0],
            add_noise=True,
            noise_seed=seed,
            cfg=max(1.0, settings.guidance_scale),  # below 1 ComfyUI would guide the other way, diffusers not at all
            positive=["positive", 0],
            negative=["negative", 0],
            sampler=["sampler", 0],
            sigmas=["sigmas", 0],
            latent_image=latent,
        ),
        "decode": _node("VAEDecode", samples=["paint", 0], vae=["model", 2]),
        "picture": _node("PreviewImage", images=["decode", 0]),  # into the server's temporary folder
    }


def picture_size(source: Source, settings: PaintSettings) -> tuple[int | None, int | None]:
    """Width and height in pixels as asked of the server; None is the demo world's own."""
    own = None if source.is_world else CHECKPOINT_SIZE
    return settings.width or own, settings.height or own


def sampler_name(source: Source, sampler: Sampler) -> str:
    """ComfyUI's name. A checkpoint has no sampler of its own, so that "model" is ComfyUI's default."""
    if sampler != "model":
        return COMFY_SAMPLERS[sampler]
    return "dpmpp_2m" if source.is_world else "euler"


def _sigmas(source: Source, steps: int) -> dict[str, Any]:
    """For the demo world its own noise levels, which no scheduler of ComfyUI has; for a checkpoint the usual ones."""
    if not source.is_world:
        return _node("BasicScheduler", model=["hook", 0], scheduler="normal", steps=steps, denoise=1.0)
    with quiet():
        scheduler = diffusers.DPMSolverMultistepScheduler.from_pretrained(str(world_dir()), subfolder="scheduler")
    scheduler.set_timesteps(steps)
    return _node("ManualSigmas", sigmas=", ".join(f"{float(sigma):.7f}" for sigma in scheduler.sigmas))


def _node(kind: str, **inputs: Any) -> dict[str, Any]:
    """One node; an input `["model", 1]` is the second output of the node of that name."""
    return {"class_type": kind, "inputs": inputs}
