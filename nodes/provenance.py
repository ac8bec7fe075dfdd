"""NegOptSaveProvenance: saves pictures with everything that says how they came about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from comfy_api.latest import io

from ..negopt_core.df_text import parse_prompt
from ..negopt_core.errors import OutputError
from ..negopt_core.provenance import COMFY_CHUNK as CHUNK
from .host import make_schema
from .workflow import sampling_settings


class NegOptSaveProvenance(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return make_schema(
            node_id="NegOptSaveProvenance",
            display_name="negopt: save with provenance",
            description="Saves pictures like Save Image, and writes the full prompts, the policy and its hash into "
            "them, beside the workflow; also as the text that A1111-style programs read.",
            search_aliases=["save image metadata", "save with prompt", "infotext"],
            inputs=[
                io.Image.Input("images"),
                io.String.Input("filename_prefix", default="negopt", tooltip="As in Save Image; folders are allowed."),
                io.String.Input(
                    "record",
                    default="",
                    force_input=True,
                    optional=True,
                    tooltip="From the node that wrote the prompts.",
                ),
            ],
            outputs=[],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo, io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, images: Any, filename_prefix: str, record: str = "") -> io.NodeOutput:
        chunks = make_chunks(record, cls.hidden)
        return io.NodeOutput(ui={"images": _save(images, filename_prefix, chunks)})


def make_chunks(record: str, hidden: Any) -> dict[str, str]:
    """Name -> text of every PNG chunk. `record` is the JSON of a writing node, or empty."""
    chunks: dict[str, str] = {}
    if hidden is not None and hidden.prompt:
        chunks["prompt"] = json.dumps(hidden.prompt)
    for name, value in ((hidden.extra_pnginfo if hidden is not None else None) or {}).items():
        chunks[name] = json.dumps(value)
    if record:
        told = read_record(record)
        settings = sampling_settings(hidden.prompt, str(hidden.unique_id)) if hidden is not None else {}
        chunks[CHUNK] = json.dumps({**told, "sampling": settings})
        chunks["parameters"] = infotext(told, settings)
    return chunks


def read_record(text: str) -> dict[str, Any]:
    """The record of a writing node; raises OutputError for any other text."""
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict) or not {"df_positive", "df_negative"} <= told.keys():
        raise OutputError(f"this is no negopt record: {text[:60]!r}; connect the 'record' output of a negopt node")
    return told


def infotext(told: dict[str, Any], settings: dict[str, Any]) -> str:
    """A1111's `parameters` text: prompt, negative prompt, one line of settings. Plain words; windows are in `CHUNK`."""
    negative = parse_prompt(told["df_negative"]).text
    line = {**settings, "NegOpt policy": told.get("policy") or "locked text", "Version": f"negopt {told.get('negopt')}"}
    return "\n".join(
        [
            parse_prompt(told["df_positive"]).text,
            *([f"Negative prompt: {negative}"] if negative else []),
            ", ".join(f"{name}: {value}" for name, value in line.items()),
        ]
    )


def _save(images: Any, prefix: str, chunks: dict[str, str]) -> list[dict[str, str]]:
    import folder_paths
    import numpy
    from comfy.cli_args import args
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    for name, text in ({} if args.disable_metadata else chunks).items():
        if name == "parameters":  # the only one that is not plain ASCII
            info.add_itxt(name, text)
        else:
            info.add_text(name, text)
    height, width = images.shape[1:3]
    folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(
        prefix, folder_paths.get_output_directory(), width, height
    )
    saved = []
    for number, picture in enumerate(images):
        pixels = (picture.cpu().numpy() * 255.0).clip(0, 255).astype(numpy.uint8)
        file = f"{name.replace('%batch_num%', str(number))}_{counter + number:05}_.png"
        Image.fromarray(pixels).save(Path(folder) / file, pnginfo=info, compress_level=4)
        saved.append({"filename": file, "subfolder": subfolder, "type": "output"})
    return saved


NODES = [NegOptSaveProvenance]
