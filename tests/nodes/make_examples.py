"""Write `example_workflows/*.json` (and their thumbnails) with a running ComfyUI: `python make_examples.py`.

The files are what ComfyUI's page saves; they are written here so that a change of a node reaches all of them.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from graphs import runnable
from host import Host, find_host
from PIL import Image, ImageDraw
from server import REPOSITORY, Server, running

FOLDER = REPOSITORY / "example_workflows"
BALL = "a photo of a red ball in the snow by day"
WRITER = {"negative": "", "mode": "negative and modifiers", "seed": 1, "control": "fixed", "locked": False}
EMPTY = {"locked_positive": "", "locked_negative": ""}
POLICY = "rules:world"  # the demo world's own words; artists choose the family of their checkpoint
NOTES = {
    "basic_negative": "**Write a negative.** `write prompts` asks a policy for a negative that suits the prompt. Press "
    "Run: the text appears in `locked_negative`. Switch on `locked` to edit it and keep it.",
    "scheduled_modifiers": "**Words that act for a while.** `[, vivid:1-0.5:1]` acts in the first half of the steps "
    "(1 is the start, 0 the end), `[, detailed:0.5-0:1.2]` in the second half at weight 1.2. The sampler hook makes it "
    "exact.",
    "scheduled_negative": "**Negatives that act for a while.** `blurry` is pushed away throughout, `too dark` in the "
    "first half, `noisy` only at the end. Needs CFG above 1.",
    "one_click": "**The whole job in one node.** It writes both prompts, encodes them and hooks the model. `record` "
    "tells the last node how the picture was made.",
    "img2img_with_hook": "**Again, from a picture.** The second sampler starts from the first one's picture with "
    "denoise 0.6. Windows count the steps that run, so `detailed` acts in the second half of those.",
    "two_pass": "**Two passes.** The first picture is enlarged and painted over with denoise 0.5. Both samplers share "
    "one hooked model, and each counts its own steps.",
    "ksampler_advanced_chain": "**One run cut in two.** Each sampler has its own hook: `step_offset` says where it "
    "starts, `total_steps` how long the whole chain is.",
    "own_checkpoint": "**Your own checkpoint.** Choose an SD 1.5 or SDXL checkpoint and the policy of its family "
    "(`rules:sdxl` and 1024 x 1024 for SDXL), then write your prompt.",
}
HOOK = {"unit": "sampler steps", "step_offset": 0, "total_steps": 0}


@dataclass
class Sketch:
    """One node: its kind, its column and row on the canvas, its widgets in order, its links."""

    kind: str
    at: tuple[float, float]
    widgets: dict[str, Any] = field(default_factory=dict)
    links: dict[str, tuple[int, int]] = field(default_factory=dict)


def encode(at: tuple[float, float], text: str = "", source: tuple[int, int] | None = None, clip: int = 1) -> Sketch:
    links = {"clip": (clip, 1), **({"df_text": source} if source else {})}
    return Sketch("NegOptEncode", at, {"df_text": text, "weighting": "comfy", "same_length": True}, links)


def sampler(at: tuple[float, float], model: Any, positive: Any, negative: Any, latent: Any, **changed: Any) -> Sketch:
    widgets = {"seed": 3, "control": "fixed", "steps": 20, "cfg": 5.0, "sampler_name": "dpmpp_2m"}
    widgets |= {"scheduler": "sgm_uniform", "denoise": 1.0, **changed}
    links = {"model": model, "positive": positive, "negative": negative, "latent_image": latent}
    return Sketch("KSampler", at, widgets, links)


def part(at: tuple[float, float], links: dict[str, tuple[int, int]], start: int, stop: int, is_first: bool) -> Sketch:
    widgets = {"add_noise": "enable" if is_first else "disable", "noise_seed": 3, "control": "fixed", "steps": 20}
    widgets |= {"cfg": 5.0, "sampler_name": "euler", "scheduler": "sgm_uniform", "start_at_step": start}
    widgets |= {"end_at_step": stop, "return_with_leftover_noise": "enable" if is_first else "disable"}
    return Sketch("KSamplerAdvanced", at, widgets, links)


def saved(
    first: int, column: float, samples: int, record: tuple[int, int] | None = None, vae: Any = (1, 2)
) -> dict[int, Sketch]:
    """Decode and save, as nodes `first` and `first + 1`."""
    links = {"images": (first, 0), **({"record": record} if record else {})}
    return {
        first: Sketch("VAEDecode", (column, 0), {}, {"samples": (samples, 0), "vae": vae}),
        first + 1: Sketch("NegOptSaveProvenance", (column + 1, 0), {"filename_prefix": "negopt"}, links),
    }


DEMO = {1: Sketch("NegOptDemoModel", (0, 0), {"batch_size": 1})}


def hook(at: tuple[float, float], model: tuple[int, int] = (1, 0), **changed: Any) -> Sketch:
    return Sketch("NegOptSamplerHook", at, {**HOOK, **changed}, {"model": model})


def scheduled(positive: str, negative: str) -> dict[int, Sketch]:
    return {
        **DEMO,
        2: encode((1, 0), positive),
        3: encode((1, 1), negative),
        4: hook((1, 2)),
        5: sampler((2, 0), (4, 0), (2, 0), (3, 0), (1, 3)),
        **saved(6, 3, 5),
    }


def examples() -> dict[str, dict[int, Sketch]]:
    """Name -> nodes by id."""
    basic = {
        **DEMO,
        2: Sketch("NegOptLoadPolicy", (0, 1), {"policy": POLICY}),
        3: Sketch("NegOptSuggest", (1, 0), {"prompt": BALL, **WRITER, "mode": "negative", **EMPTY}, {"policy": (2, 0)}),
        4: encode((2, 0), source=(3, 0)),
        5: encode((2, 1), source=(3, 1)),
        6: hook((2, 2)),
        7: sampler((3, 0), (6, 0), (4, 0), (5, 0), (1, 3)),
        **saved(8, 4, 7, (3, 3)),
    }
    click = {"policy": POLICY, "weighting": "comfy", "prompt": BALL, **WRITER, **EMPTY}
    one_click = {
        **DEMO,
        2: Sketch("NegOptOneClick", (1, 0), click, {"model": (1, 0), "clip": (1, 1)}),
        3: sampler((2, 0), (2, 0), (2, 1), (2, 2), (1, 3)),
        **saved(4, 3, 3, (2, 6)),
    }
    own = {
        1: Sketch("CheckpointLoaderSimple", (0, 0), {"ckpt_name": "v1-5-pruned-emaonly.safetensors"}),
        2: Sketch(
            "NegOptOneClick",
            (1, 0),
            {**click, "policy": "rules:sd15", "prompt": "a photo of a fox in the snow"},
            {"model": (1, 0), "clip": (1, 1)},
        ),
        3: Sketch("EmptyLatentImage", (1, 2), {"width": 512, "height": 512, "batch_size": 1}),
        4: sampler((2, 0), (2, 0), (2, 1), (2, 2), (3, 0), cfg=7.0, scheduler="karras"),
        **saved(5, 3, 4, (2, 6)),
    }
    again = scheduled(BALL, "blurry[, too dark:0.5-0:1]")
    img2img = {
        **{key: again[key] for key in (1, 2, 3, 4, 5)},
        8: encode((1, 3), "a photo of a blue ball in the snow by day[, detailed:0.5-0:1]"),
        9: sampler((3, 0), (4, 0), (8, 0), (3, 0), (5, 0), denoise=0.6, seed=4),
        **saved(10, 4, 9),
    }
    two_pass = {
        **{key: again[key] for key in (1, 2, 3, 4, 5)},
        8: Sketch("LatentUpscaleBy", (3, 1), {"upscale_method": "bilinear", "scale_by": 1.5}, {"samples": (5, 0)}),
        9: sampler((3, 0), (4, 0), (2, 0), (3, 0), (8, 0), denoise=0.5, seed=4),
        **saved(10, 4, 9),
    }
    first = {"model": (4, 0), "positive": (2, 0), "negative": (3, 0), "latent_image": (1, 3)}
    chain = {
        **{key: again[key] for key in (1, 2, 3)},
        4: hook((1, 2), step_offset=0, total_steps=20),
        5: hook((1, 3), step_offset=8, total_steps=20),
        6: part((2, 0), first, 0, 8, is_first=True),
        7: part((3, 0), {**first, "model": (5, 0), "latent_image": (6, 0)}, 8, 20, is_first=False),
        **saved(8, 4, 7),
    }
    return {
        "basic_negative": basic,
        "scheduled_modifiers": scheduled(f"{BALL}[, vivid:1-0.5:1][, detailed:0.5-0:1.2]", "blurry"),
        "scheduled_negative": scheduled(BALL, "blurry[, too dark:1-0.5:1][, noisy:0.4-0:1.2]"),
        "one_click": one_click,
        "img2img_with_hook": img2img,
        "two_pass": two_pass,
        "ksampler_advanced_chain": chain,
        "own_checkpoint": own,
    }


def as_workflow(sketches: dict[int, Sketch], known: dict[str, Any], note: str) -> dict[str, Any]:
    """The file ComfyUI's page would save."""
    links: list[list[Any]] = []
    nodes = []
    for order, (number, sketch) in enumerate(sketches.items()):
        info = known[sketch.kind]
        sockets = _sockets(info, sketch)
        for slot, socket in enumerate(sockets):
            if socket["name"] in sketch.links:
                source, output = sketch.links[socket["name"]]
                socket["link"] = len(links) + 1
                links.append([socket["link"], source, output, number, slot, socket["type"]])
        nodes.append(
            {
                "id": number,
                "type": sketch.kind,
                "pos": [40 + 440 * sketch.at[0], 60 + 300 * sketch.at[1]],
                "size": [400, 120 + 40 * len(sketch.widgets)],
                "flags": {},
                "order": order,
                "mode": 0,
                "inputs": sockets,
                "outputs": [
                    {"name": name, "type": kind, "links": []}
                    for name, kind in zip(info["output_name"], info["output"], strict=True)
                ],
                "properties": {"Node name for S&R": sketch.kind},
                "widgets_values": list(sketch.widgets.values()),
            }
        )
    by_id = {one["id"]: one for one in nodes}
    for link, source, output, *_ in links:
        by_id[source]["outputs"][output]["links"].append(link)
    nodes.append(_note(max(sketches) + 1, len(nodes), note))
    return {
        "last_node_id": max(sketches) + 1,
        "last_link_id": len(links),
        "nodes": nodes,
        "links": links,
        "groups": [],
        "config": {},
        "extra": {},
        "version": 0.4,
    }


def _note(number: int, order: int, text: str) -> dict[str, Any]:
    """A note under the first column; ComfyUI's page knows this kind, its server does not."""
    return {
        "id": number,
        "type": "MarkdownNote",
        "pos": [40, 60 + 300 * 2],
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


def _thumbnail(server: Server, workflow: dict[str, Any], known: dict[str, Any], path: Path) -> None:
    (png,) = server.pictures(server.run(runnable(workflow, known), workflow))
    Image.open(io.BytesIO(png)).convert("RGB").resize((256, 256), Image.Resampling.NEAREST).save(path, quality=85)


def _card(text: str, path: Path) -> None:
    """A thumbnail for the example that cannot be painted here."""
    card = Image.new("RGB", (256, 256), "#33415c")
    ImageDraw.Draw(card).multiline_text((128, 128), text, "white", anchor="mm", align="center", font_size=32)
    card.save(path, quality=85)


def main() -> None:
    host = find_host()
    if not isinstance(host, Host):
        raise SystemExit(host)
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as base, running(host, Path(base)) as server:
        known = server.ask("/object_info")
        for name, sketches in examples().items():
            workflow = as_workflow(sketches, known, NOTES[name])
            (FOLDER / f"{name}.json").write_text(json.dumps(workflow, indent=1) + "\n")
            if name == "own_checkpoint":
                _card("your own\ncheckpoint", FOLDER / f"{name}.jpg")
            else:
                _thumbnail(server, workflow, known, FOLDER / f"{name}.jpg")


if __name__ == "__main__":
    main()
