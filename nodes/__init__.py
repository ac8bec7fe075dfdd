"""The ComfyUI skin: nodes in ComfyUI's V3 schema. Nothing here is imported outside ComfyUI."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from . import compare, conditioning, demo_model, explain, policy, prompt, provenance, sampler_hook, score, timeline
from .routes import register_routes

_MODULES = (prompt, policy, timeline, conditioning, sampler_hook, provenance, demo_model, score, compare, explain)

NODES: list[type[io.ComfyNode]] = [node for module in _MODULES for node in module.NODES]


class NegOptExtension(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return NODES


async def comfy_entrypoint() -> NegOptExtension:
    """Called by ComfyUI when it loads the pack."""
    register_routes()
    return NegOptExtension()
