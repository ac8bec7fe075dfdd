"""Graphs for the tests: small ones to queue, and workflow files turned into what ComfyUI runs."""

from __future__ import annotations

from typing import Any

_WIDGET_TYPES = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
_NOT_RUN = {"Note", "MarkdownNote"}

Graph = dict[str, Any]


def node(kind: str, **inputs: Any) -> Graph:
    """One node of a graph; an input `("3", 0)` is the first output of node 3."""
    linked = {name: list(value) if isinstance(value, tuple) else value for name, value in inputs.items()}
    return {"class_type": kind, "inputs": linked}


def painting(model: tuple[str, int], positive: tuple[str, int], negative: tuple[str, int], **sampler: Any) -> Graph:
    """Nodes 90 to 92 paint one demo picture and save it; node 1 must be the demo model."""
    settings = {"seed": 1, "steps": 4, "cfg": 5.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0}
    links = {"model": model, "positive": positive, "negative": negative, "latent_image": ("1", 3)}
    return {
        "1": node("NegOptDemoModel", batch_size=1),
        "90": node("KSampler", **{**settings, **sampler}, **links),
        "91": node("VAEDecode", samples=("90", 0), vae=("1", 2)),
        "92": node("SaveImage", images=("91", 0), filename_prefix="test"),
    }


def runnable(workflow: dict[str, Any], known: dict[str, Any]) -> Graph:
    """A saved workflow as ComfyUI's page would send it. `known` is the server's `/object_info`.

    Understands what our example workflows use: no subgraphs, no reroutes, no bypassed nodes.
    """
    links = {link[0]: [str(link[1]), link[2]] for link in workflow["links"]}
    graph: Graph = {}
    for saved in workflow["nodes"]:
        if saved["type"] in _NOT_RUN:
            continue
        values = saved.get("widgets_values")  # without them each widget takes what its menu has first
        inputs = dict(zip(_widget_names(known[saved["type"]]), values, strict=True)) if values else {}
        inputs = {name: value for name, value in inputs.items() if not name.startswith("control after ")}
        for socket in saved.get("inputs", ()):
            if socket.get("link") is not None:
                inputs[socket["name"]] = links[socket["link"]]
        graph[str(saved["id"])] = {"class_type": saved["type"], "inputs": inputs}
    return graph


def _widget_names(info: dict[str, Any]) -> list[str]:
    """Names of a node's widgets in the order of `widgets_values`; a seed is followed by its control."""
    names = []
    for group in ("required", "optional"):
        for name, (kind, *options) in info["input"].get(group, {}).items():
            settings = options[0] if options else {}
            if (isinstance(kind, list) or kind in _WIDGET_TYPES) and not settings.get("forceInput"):
                names.append(name)
                if settings.get("control_after_generate"):
                    names.append(f"control after {name}")
                if settings.get("image_upload"):
                    names.append(f"control after {name}")
    return names
