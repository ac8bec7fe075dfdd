"""The subgraph blueprints of `subgraphs/`: what ComfyUI's node search offers as one node each."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from examples import EMPTY, WRITER, Sketch, encode, hook

IN, OUT = -10, -20
"""The ids that ComfyUI gives a subgraph's rims."""


@dataclass(frozen=True)
class Blueprint:
    """A subgraph: its nodes, which widgets and inputs it shows, its outputs. Links to node 0 come from outside."""

    about: str
    nodes: dict[int, Sketch]
    inputs: list[tuple[str, str, list[tuple[int, str]]]]
    """(name, type, the inputs it feeds)."""
    outputs: list[tuple[str, str, tuple[int, int]]]
    """(name, type, where it comes from)."""
    aliases: tuple[str, ...]


def blueprints() -> dict[str, Blueprint]:
    """File name -> blueprint; ComfyUI shows the file name as its title."""
    scheduled = {
        1: Sketch("NegOptEncode", 0, encode(0).widgets),
        2: Sketch("NegOptEncode", 0, encode(0).widgets),
        3: Sketch("NegOptSamplerHook", 1, hook().widgets),
    }
    written = {
        1: Sketch("NegOptLoadPolicy", 0, {"policy": "negopt", "family": "any"}),
        2: Sketch("NegOptSuggest", 1, {"prompt": "", **WRITER, "mode": "negative", **EMPTY}, {"policy": (1, 0)}),
        3: Sketch("NegOptEncode", 2, encode(0).widgets, {"df_text": (2, 0)}),
        4: Sketch("NegOptEncode", 2, encode(0).widgets, {"df_text": (2, 1)}),
        5: Sketch("NegOptSamplerHook", 2, hook().widgets),
    }
    return {
        "Scheduled prompts (negopt)": Blueprint(
            "Two prompts whose words can act in some steps only: [words:start-end:weight], 1 is the start and 0 the "
            "end. Connect all three outputs to the sampler.",
            scheduled,
            [
                ("model", "MODEL", [(3, "model")]),
                ("clip", "CLIP", [(1, "clip"), (2, "clip")]),
                ("positive", "STRING", [(1, "df_text")]),
                ("negative", "STRING", [(2, "df_text")]),
            ],
            [("MODEL", "MODEL", (3, 0)), ("positive", "CONDITIONING", (1, 0)), ("negative", "CONDITIONING", (2, 0))],
            ("prompt schedule", "timed words"),
        ),
        "Write the negative (negopt)": Blueprint(
            "A negative for your prompt, behind your own, both encoded and ready for the sampler.",
            written,
            [
                ("model", "MODEL", [(5, "model")]),
                ("clip", "CLIP", [(3, "clip"), (4, "clip")]),
                ("prompt", "STRING", [(2, "prompt")]),
                ("negative", "STRING", [(2, "negative")]),
                ("policy", "COMBO", [(1, "policy")]),
            ],
            [
                ("MODEL", "MODEL", (5, 0)),
                ("positive", "CONDITIONING", (3, 0)),
                ("negative", "CONDITIONING", (4, 0)),
                ("negative_text", "STRING", (2, 1)),
                ("record", "STRING", (2, 3)),
            ],
            ("negative prompt", "auto negative"),
        ),
    }


def as_blueprint(title: str, plan: Blueprint, inner: list[dict[str, Any]], links: list[list[Any]]) -> dict[str, Any]:
    """The file ComfyUI's page would export. `inner` and `links` are the nodes and the links between them, as saved."""
    by_id = {node["id"]: node for node in inner}
    number = max((link[0] for link in links), default=0)
    made = [
        dict(zip(("id", "origin_id", "origin_slot", "target_id", "target_slot", "type"), link, strict=True))
        for link in links
    ]
    rims: dict[str, list[dict[str, Any]]] = {"inputs": [], "outputs": []}
    for slot, (name, kind, targets) in enumerate(plan.inputs):
        rim = _rim(title, name, kind, slot)
        for target, wanted in targets:
            number += 1
            place = _socket(by_id[target], wanted, kind)
            by_id[target]["inputs"][place]["link"] = number
            made.append(_link(number, IN, slot, target, place, kind))
            rim["linkIds"].append(number)
        rims["inputs"].append(rim)
    for slot, (name, kind, (source, output)) in enumerate(plan.outputs):
        number += 1
        by_id[source]["outputs"][output]["links"].append(number)
        made.append(_link(number, source, output, OUT, slot, kind))
        rims["outputs"].append({**_rim(title, f"out {name}", kind, slot), "name": name, "linkIds": [number]})
    subgraph = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"negopt/{title}")),
        "version": 1,
        "state": {"lastGroupId": 0, "lastNodeId": max(by_id), "lastLinkId": number, "lastRerouteId": 0},
        "revision": 0,
        "config": {},
        "name": title,
        "category": "negopt",
        "description": plan.about,
        "inputNode": {"id": IN, "bounding": [-220, 60, 120, 20 * len(plan.inputs) + 40]},
        "outputNode": {"id": OUT, "bounding": [1500, 60, 120, 20 * len(plan.outputs) + 40]},
        **rims,
        "widgets": [],
        "nodes": inner,
        "groups": [],
        "links": made,
        "extra": {},
    }
    return {
        "revision": 0,
        "last_node_id": 1,
        "last_link_id": 0,
        "nodes": [_instance(subgraph, plan)],
        "links": [],
        "version": 0.4,
        "definitions": {"subgraphs": [subgraph]},
        "extra": {"BlueprintDescription": plan.about, "BlueprintSearchAliases": list(plan.aliases)},
    }


def _instance(subgraph: Mapping[str, Any], plan: Blueprint) -> dict[str, Any]:
    shown = [(name, targets[0]) for name, kind, targets in plan.inputs if kind in ("STRING", "COMBO")]
    widgets = {name for name, _ in shown}
    inputs = [
        {"name": name, "type": kind, **({"widget": {"name": name}} if name in widgets else {}), "link": None}
        for name, kind, _ in plan.inputs
    ]
    return {
        "id": 1,
        "type": subgraph["id"],
        "pos": [100, 100],
        "size": [400, 300],
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": inputs,
        "outputs": [{"name": name, "type": kind, "links": []} for name, kind, _ in plan.outputs],
        "properties": {"cnr_id": "negopt", "proxyWidgets": [[str(node), widget] for _, (node, widget) in shown]},
        "widgets_values": [],
        "title": subgraph["name"],
    }


def _rim(title: str, name: str, kind: str, slot: int) -> dict[str, Any]:
    place = str(uuid.uuid5(uuid.NAMESPACE_URL, f"negopt/{title}/{name}"))
    return {"id": place, "name": name, "type": kind, "linkIds": [], "pos": [0, 20 * slot]}


def _link(number: int, source: int, output: int, target: int, place: int, kind: str) -> dict[str, Any]:
    return {
        "id": number,
        "origin_id": source,
        "origin_slot": output,
        "target_id": target,
        "target_slot": place,
        "type": kind,
    }


def _socket(node: dict[str, Any], name: str, kind: str) -> int:
    """The place of an input; that of a widget is made."""
    for place, socket in enumerate(node["inputs"]):
        if socket["name"] == name:
            return place
    node["inputs"].append({"name": name, "type": kind, "widget": {"name": name}, "link": None})
    return len(node["inputs"]) - 1
