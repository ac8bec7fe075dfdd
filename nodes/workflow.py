"""Reading and completing the graph that travels with a picture. Plain dictionaries in, plain dictionaries out."""

from __future__ import annotations

from typing import Any

LOCK_WIDGETS = ("locked", "locked_positive", "locked_negative")
"""The last widgets of every node that writes prompts, in this order; saved workflows rely on it."""

_SETTINGS = {
    "Steps": "steps",
    "Sampler": "sampler_name",
    "Schedule type": "scheduler",
    "CFG scale": "cfg",
    "Seed": "seed",
    "Model": "ckpt_name",
}
_ALSO = {"noise_seed": "seed"}
_DEMO_WORLD = "NegOptDemoModel"
_MODEL_FILES = ("ckpt_name", "unet_name", "model_path", "gguf_name")
"""Inputs of loaders that name the file of a model."""


def lock_in_workflow(extra: dict[str, Any] | None, node_id: str, positive: str, negative: str) -> bool:
    """Write the resolved texts into the workflow that ComfyUI saves in pictures, and lock them there.

    Whoever opens such a picture gets the same prompts without the policy. Nodes inside subgraphs are left alone.
    Returns whether the node was found.
    """
    workflow = (extra or {}).get("workflow") or {}
    for node in workflow.get("nodes", ()):
        values = node.get("widgets_values")
        if str(node.get("id")) == node_id and isinstance(values, list) and len(values) >= len(LOCK_WIDGETS):
            node["widgets_values"] = [*values[: -len(LOCK_WIDGETS)], True, positive, negative]
            return True
    return False


def painted_by(prompt: dict[str, Any] | None, node_id: str | None) -> str:
    """What painted the pictures that reach a node: "world", the name of the nearest model's file, or "" if none is."""
    for node in _nodes_above(prompt or {}, node_id or ""):
        if node.get("class_type") == _DEMO_WORLD:
            return "world"
        names = (node.get("inputs", {}).get(name) for name in _MODEL_FILES)
        if name := next((name for name in names if isinstance(name, str)), ""):
            return name
    return ""


def sampling_settings(prompt: dict[str, Any] | None, node_id: str) -> dict[str, Any]:
    """How the picture was sampled, read off the graph above a node; the nearest node that says so counts.

    A value that another node computes is not known here and is left out.
    """
    found: dict[str, Any] = {}
    for node in _nodes_above(prompt or {}, node_id):
        named = {_ALSO.get(name, name): value for name, value in node.get("inputs", {}).items()}
        for title, name in _SETTINGS.items():
            # a KSampler's own values go together: cfg of one sampler and steps of another would mislead
            if title not in found and isinstance(named.get(name), int | float | str):
                found[title] = named[name]
    return {title: found[title] for title in _SETTINGS if title in found}


def _nodes_above(prompt: dict[str, Any], node_id: str) -> list[dict[str, Any]]:
    """All nodes above `node_id`, nearest first."""
    queue, seen, above = [node_id], {node_id}, []
    for current in queue:
        node = prompt.get(current, {})
        if current != node_id:
            above.append(node)
        for value in node.get("inputs", {}).values():
            if isinstance(value, list) and len(value) == 2 and str(value[0]) not in seen:
                seen.add(str(value[0]))
                queue.append(str(value[0]))
    return above
