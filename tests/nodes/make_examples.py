"""Write `example_workflows/` with thumbnails, `subgraphs/` and the banner with a ComfyUI: `python make_examples.py`.

The files are what ComfyUI's page saves; they are written here so that a change of a node reaches all of them.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import examples_models
from blueprints import Blueprint, as_blueprint, blueprints
from examples import APP_FIELDS, CAPTIONS, CHAINS, NOTES, TITLES, Sketch, examples
from graphs import runnable
from host import Host, find_host
from PIL import Image
from server import REPOSITORY, Server, running
from thumbnails import bars_of, draw_banner, draw_chain, draw_thumbnail

FOLDER = REPOSITORY / "example_workflows"
SUBGRAPHS = REPOSITORY / "subgraphs"
BANNER = REPOSITORY / "docs" / "images" / "banner.jpg"
COLUMN, TITLE, GAP = 440, 30, 70
"""Pixels from one column of nodes to the next, of a title, and below a node: the Vue renderer's nodes are taller."""
BARS = 140
"""What the bars of a scheduled text take."""
IN_BANNER = ("one_click", "basic_negative", "scheduled_negative")
"""Whose pictures stand in the banner."""
ARMS = ("no negative", "a fixed list", "a policy")
"""What stands below the three pictures of `compare_arms`."""


def as_workflow(name: str, sketches: dict[int, Sketch], known: dict[str, Any], note: str) -> dict[str, Any]:
    """The file ComfyUI's page would save."""
    nodes, links, bottom = _placed(sketches, known)
    nodes.append(_note(max(sketches) + 1, len(nodes), bottom, note))
    fields, results = APP_FIELDS.get(name, ([], []))
    app = {"linearData": {"inputs": list(map(list, fields)), "outputs": results}} if fields else {}
    return {
        "last_node_id": max(sketches) + 1,
        "last_link_id": len(links),
        "nodes": nodes,
        "links": links,
        "groups": [],
        "config": {},
        "extra": app,
        "version": 0.4,
    }


def _placed(sketches: dict[int, Sketch], known: dict[str, Any]) -> tuple[list[dict[str, Any]], list[list[Any]], int]:
    """Nodes and links as they are saved, and where the first column ends."""
    links: list[list[Any]] = []
    nodes = []
    tops: dict[int, int] = {}
    for order, (number, sketch) in enumerate(sketches.items()):
        info = known[sketch.kind]
        sockets = _sockets(info, sketch)
        for slot, socket in enumerate(sockets):
            if socket["name"] in sketch.links:
                source, output = sketch.links[socket["name"]]
                socket["link"] = len(links) + 1
                links.append([socket["link"], source, output, number, slot, socket["type"]])
        top = tops.get(sketch.column, 60)
        nodes.append(_node(number, order, top, sketch, info, sockets))
        has_bars = any("[" in str(value) for value in sketch.widgets.values())
        tops[sketch.column] = top + nodes[-1]["size"][1] + TITLE + GAP + BARS * has_bars
    by_id = {one["id"]: one for one in nodes}
    for link, source, output, *_ in links:
        by_id[source]["outputs"][output]["links"].append(link)
    return nodes, links, tops[0]


def _properties(sketch: Sketch) -> dict[str, Any]:
    """Which pack a node is of, so that ComfyUI can find a missing one, and the files it loads."""
    is_ours = sketch.kind.startswith("NegOpt")
    told: dict[str, Any] = {"Node name for S&R": sketch.kind, "cnr_id": "negopt" if is_ours else "comfy-core"}
    if sketch.files:
        told["models"] = [
            {"name": one.rpartition("/")[2], "url": one, "directory": _folder(one)} for one in sketch.files
        ]
    return told


def _folder(address: str) -> str:
    """The folder under `models` that a file belongs into, as its address says; some have only one kind of file."""
    before = address.split("/")[-2]
    if before in ("diffusion_models", "text_encoders", "vae"):
        return before
    return "text_encoders" if "text_encoders" in address else "diffusion_models"


def _node(
    number: int, order: int, top: int, sketch: Sketch, info: dict[str, Any], sockets: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "id": number,
        "type": sketch.kind,
        "pos": [40 + COLUMN * sketch.column, top],
        "size": [400, 90 + 28 * _shown(sketch, info)],
        "flags": {},
        "order": order,
        "mode": 0,
        "inputs": sockets,
        "outputs": [
            {"name": name, "type": kind, "links": []}
            for name, kind in zip(info["output_name"], info["output"], strict=True)
        ],
        "properties": _properties(sketch),
        # without one the page takes the first of its menu: the user's own first checkpoint
        **({} if sketch.takes_first else {"widgets_values": list(sketch.widgets.values())}),
    }


def _shown(sketch: Sketch, info: dict[str, Any]) -> int:
    """How many of a node's widgets are seen before somebody asks for the advanced ones."""
    inputs = {**info["input"].get("required", {}), **info["input"].get("optional", {})}
    advanced = {name for name, (_, *told) in inputs.items() if told and told[0].get("advanced")}
    hidden = advanced | ({"control"} if "seed" in advanced else set())
    return len([name for name in sketch.widgets if name not in hidden])


def _note(number: int, order: int, top: int, text: str) -> dict[str, Any]:
    """A note under the first column; ComfyUI's page knows this kind, its server does not."""
    return {
        "id": number,
        "type": "MarkdownNote",
        "pos": [40, top],
        "size": [400, 190],
        "flags": {},
        "order": order,
        "mode": 0,
        "inputs": [],
        "outputs": [],
        "title": "What this shows",
        "properties": {},
        "widgets_values": [text],
        "color": "#432",
        "bgcolor": "#653",
    }


def _sockets(info: dict[str, Any], sketch: Sketch) -> list[dict[str, Any]]:
    """A node's inputs that can be linked: those without a widget, and widgets that are linked here."""
    sockets = []
    for group in ("required", "optional"):
        for name, (kind, *_) in info["input"].get(group, {}).items():
            if name not in sketch.widgets:
                sockets.append({"name": name, "type": kind, "link": None})
            elif name in sketch.links:
                sockets.append({"name": name, "type": kind, "widget": {"name": name}, "link": None})
    return sockets


def _painted(server: Server, name: str, workflow: dict[str, Any], known: dict[str, Any]) -> list[Image.Image]:
    """What an example paints: one picture, or the three of `compare_arms`."""
    (png,) = server.pictures(server.run(runnable(workflow, known), workflow))
    painted = Image.open(io.BytesIO(png)).convert("RGB")
    if name != "compare_arms":
        return [painted]
    width, side = painted.size
    return [painted.crop((left, 0, left + side, side)) for left in (0, (width - side) // 2, width - side)]


def _thumbnail(name: str, painted: list[Image.Image], workflow: dict[str, Any], known: dict[str, Any]) -> Image.Image:
    """What an example paints here, or its parts if it needs files of the user's."""
    if name in CHAINS:
        return draw_chain(CHAINS[name], CAPTIONS[name])
    if name == "compare_arms":
        return draw_thumbnail(painted, CAPTIONS[name], ARMS)
    return draw_thumbnail(painted, CAPTIONS[name], bars=bars_of(_texts(runnable(workflow, known))))


def _texts(graph: dict[str, Any]) -> list[tuple[str, str]]:
    """The scheduled texts of a graph with the side they are on."""
    found = [("positive", one["inputs"].get("df_text")) for one in graph.values()]
    found += [("negative", one["inputs"].get("df_negative")) for one in graph.values()]
    negatives = [graph[link[0]] for one in graph.values() if isinstance(link := one["inputs"].get("negative"), list)]
    is_negative = {one["inputs"]["df_text"] for one in negatives if isinstance(one["inputs"].get("df_text"), str)}
    texts = dict.fromkeys(
        ("negative" if text in is_negative else side, text) for side, text in found if isinstance(text, str)
    )
    return list(texts)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _blueprint(title: str, plan: Blueprint, known: dict[str, Any]) -> dict[str, Any]:
    nodes, links, _ = _placed(plan.nodes, known)
    return as_blueprint(title, plan, nodes, links)


def main() -> None:
    host = find_host()
    if not isinstance(host, Host):
        raise SystemExit(host)
    for folder in (FOLDER, SUBGRAPHS):
        folder.mkdir(exist_ok=True)
    notes = {**NOTES, **examples_models.NOTES}
    pictures = {}
    with tempfile.TemporaryDirectory() as base, running(host, Path(base)) as server:
        known = server.ask("/object_info")
        for name, sketches in {**examples(), **examples_models.models()}.items():
            workflow = as_workflow(name, sketches, known, notes[name])
            _write(FOLDER / f"{TITLES[name]}.json", workflow)
            pictures[name] = [] if name in CHAINS else _painted(server, name, workflow, known)
            _thumbnail(name, pictures[name], workflow, known).save(FOLDER / f"{TITLES[name]}.jpg", quality=80)
        for title, plan in blueprints().items():
            _write(SUBGRAPHS / f"{title}.json", _blueprint(title, plan, known))
    draw_banner([pictures[name][0] for name in IN_BANNER]).save(BANNER, quality=85)


if __name__ == "__main__":
    main()
