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


def sampling_settings(prompt: dict[str, Any] | None, node_id: str) -> dict[str, Any]:
    """How the picture was sampled, read off the graph above a node; the nearest node that says so counts.

    A value that another node computes is not known here and is left out.
    """
    found: dict[str, Any] = {}
    for inputs in _inputs_above(prompt or {}, node_id):
        named = {_ALSO.get(name, name): value for name, value in inputs.items()}
        for title, name in _SETTINGS.items():
            # a KSampler's own values go together: cfg of one sampler and steps of another would mislead
            if title not in found and isinstance(named.get(name), int | float | str):
                found[title] = named[name]
    return {title: found[title] for title in _SETTINGS if title in found}


def _inputs_above(prompt: dict[str, Any], node_id: str) -> list[dict[str, Any]]:
    """Inputs of all nodes above `node_id`, nearest first."""
    queue, seen, above = [node_id], {node_id}, []
    for current in queue:
        inputs = prompt.get(current, {}).get("inputs", {})
        if current != node_id:
            above.append(inputs)
        for value in inputs.values():
            if isinstance(value, list) and len(value) == 2 and str(value[0]) not in seen:
                seen.add(str(value[0]))
                queue.append(str(value[0]))
    return above
