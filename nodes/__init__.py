"""The ComfyUI skin: nodes in ComfyUI's V3 schema. Nothing here is imported outside ComfyUI."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from . import conditioning, sampler_hook, timeline

NODES: list[type[io.ComfyNode]] = [*sampler_hook.NODES, *conditioning.NODES, *timeline.NODES]


class NegOptExtension(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return NODES


async def comfy_entrypoint() -> NegOptExtension:
    """Called by ComfyUI when it loads the pack."""
    return NegOptExtension()
