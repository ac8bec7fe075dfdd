"""NegOptSaveProvenance: saves pictures with everything that says how they came about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from comfy_api.latest import io

from ..negopt_core.errors import OutputError
from ..negopt_core.files import write_bytes
from ..negopt_core.provenance.infotext import format_infotext
from ..negopt_core.provenance.picture_texts import (
    COMFY_RECORD,
    FORMATS,
    INFOTEXT,
    encode_picture,
    hash_pixels,
    pixels_as_saved,
)
from ..negopt_core.provenance.record import SCHEMA
from ..negopt_core.text.df_text import parse_prompt
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
                io.Combo.Input(
                    "format",
                    options=list(FORMATS),
                    default="png",
                    optional=True,
                    tooltip="webp and jpeg keep the same texts, in EXIF; jpeg has room for 64 KB of them.",
                ),
                io.String.Input(
                    "scores",
                    default="",
                    force_input=True,
                    optional=True,
                    tooltip='JSON of scorer and number, such as {"pickscore": 21.3}, to be written into the record.',
                ),
            ],
            outputs=[],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo, io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls, images: Any, filename_prefix: str, record: str = "", format: str = "png", scores: str = ""
    ) -> io.NodeOutput:
        chunks = make_chunks(record, cls.hidden, read_scores(scores))
        return io.NodeOutput(ui={"images": _save(images, filename_prefix, chunks, format)})


def make_chunks(record: str, hidden: Any, scores: dict[str, float] | None = None) -> dict[str, str]:
    """Name -> text of everything that travels in the picture. `record` is the JSON of a writing node, or empty."""
    chunks: dict[str, str] = {}
    if hidden is not None and hidden.prompt:
        chunks["prompt"] = json.dumps(hidden.prompt)
    for name, value in ((hidden.extra_pnginfo if hidden is not None else None) or {}).items():
        chunks[name] = json.dumps(value)
    if record:
        written = read_record(record)
        settings = sampling_settings(hidden.prompt, str(hidden.unique_id)) if hidden is not None else {}
        host = {"schema": SCHEMA, "host": "comfyui", "versions": _versions()}
        chunks[COMFY_RECORD] = json.dumps({**host, **written, "sampling": settings, "scores": scores or {}})
        negopt = {"NegOpt policy": written.get("policy") or "locked text", "Version": f"negopt {written.get('negopt')}"}
        sides = [parse_prompt(written[name]).text for name in ("df_positive", "df_negative")]
        chunks[INFOTEXT] = format_infotext(*sides, settings | negopt)
    return chunks


def read_scores(text: str) -> dict[str, float]:
    """Scores by scorer; OutputError for anything else."""
    try:
        values = json.loads(text) if text.strip() else {}
    except ValueError:
        values = None
    if not isinstance(values, dict) or not all(type(value) in (int, float) for value in values.values()):
        raise OutputError(f"scores are JSON of name and number, got {text[:60]!r}")
    return {str(name): float(value) for name, value in values.items()}


def _versions() -> dict[str, str]:
    import torch

    try:
        from comfyui_version import __version__ as comfyui
    except ImportError:
        comfyui = ""
    return {"torch": str(torch.__version__)} | ({"comfyui": comfyui} if comfyui else {})


def read_record(text: str) -> dict[str, Any]:
    """The record of a writing node; raises OutputError for any other text."""
    try:
        record = json.loads(text)
    except ValueError:
        record = None
    if not isinstance(record, dict) or not {"df_positive", "df_negative"} <= record.keys():
        raise OutputError(f"this is no negopt record: {text[:60]!r}; connect the 'record' output of a negopt node")
    return record


def _save(images: Any, prefix: str, chunks: dict[str, str], kind: str) -> list[dict[str, str]]:
    import folder_paths
    import numpy
    from comfy.cli_args import args

    height, width = images.shape[1:3]
    folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(
        prefix, folder_paths.get_output_directory(), width, height
    )
    saved = []
    for number, picture in enumerate(images):
        pixels = (picture.cpu().numpy()[..., :3] * 255.0).clip(0, 255).astype(numpy.uint8)
        file = f"{name.replace('%batch_num%', str(number))}_{counter + number:05}_.{FORMATS[kind]}"
        texts = {} if args.disable_metadata else _stamped(pixels, chunks, kind)
        write_bytes(Path(folder) / file, encode_picture(pixels, texts, kind))
        saved.append({"filename": file, "subfolder": subfolder, "type": "output"})
    return saved


def _stamped(pixels: Any, chunks: dict[str, str], kind: str) -> dict[str, str]:
    """The texts, with a hash of the pixels as saved in the record."""
    if COMFY_RECORD not in chunks:
        return chunks
    stamp = hash_pixels(pixels_as_saved(pixels, kind))
    return {**chunks, COMFY_RECORD: json.dumps({**json.loads(chunks[COMFY_RECORD]), "pixels_sha256": stamp})}


NODES = [NegOptSaveProvenance]
