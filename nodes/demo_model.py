"""NegOptDemoModel: the embedded demo world as MODEL, CLIP and VAE, so that every workflow runs without a download."""

from __future__ import annotations

import json

import torch
from comfy_api.latest import io

from ..negopt_core.world import world_dir
from .host import make_schema


class NegOptDemoModel(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return make_schema(
            node_id="NegOptDemoModel",
            display_name="negopt: demo world",
            description="A tiny text-to-image world that comes with negopt: 64 x 64 pictures of simple scenes, painted "
            "on a CPU in seconds. It is there to try things out; it is not Stable Diffusion.",
            search_aliases=["demo checkpoint", "test model", "example model"],
            inputs=[io.Int.Input("batch_size", default=1, min=1, max=64, tooltip="Pictures in the empty latent.")],
            outputs=[
                io.Model.Output(),
                io.Clip.Output(),
                io.Vae.Output(),
                io.Latent.Output(tooltip="An empty latent of the world's picture size."),
            ],
        )

    @classmethod
    def execute(cls, batch_size: int = 1) -> io.NodeOutput:
        # ComfyUI's model code is read only when a demo is wanted: the pack must load fast
        from .demo_parts import build_clip, build_model, build_vae

        folder = world_dir()
        vae = build_vae(folder)
        side = json.loads((folder / "unet" / "config.json").read_text(encoding="utf-8"))["sample_size"]
        latent = {"samples": torch.zeros(batch_size, vae.latent_channels, side, side)}
        return io.NodeOutput(build_model(folder), build_clip(folder), vae, latent)


NODES = [NegOptDemoModel]
