"""NegOptSaveProvenance: saves pictures with everything that says how they came about."""

from __future__ import annotations

import io as streams
import json
from pathlib import Path
from typing import Any

from comfy_api.latest import io

from ..negopt_core.errors import OutputError
from ..negopt_core.files import write_bytes
from ..negopt_core.provenance.record import COMFY_CHUNK as CHUNK
from ..negopt_core.provenance.record import SCHEMA, hash_pixels
from ..negopt_core.text.df_text import parse_prompt
from .host import make_schema
from .workflow import sampling_settings

FORMATS = {"png": "png", "webp": "webp", "jpeg": "jpg"}
"""Menu name and file ending."""
JPEG_ROOM = 65_000
_FIRST_TAG, _EXIF_PART, _USER_COMMENT = 0x0110, 0x8769, 0x9286


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
        told = read_record(record)
        settings = sampling_settings(hidden.prompt, str(hidden.unique_id)) if hidden is not None else {}
        host = {"schema": SCHEMA, "host": "comfyui", "versions": _versions()}
        chunks[CHUNK] = json.dumps({**host, **told, "sampling": settings, "scores": scores or {}})
        chunks["parameters"] = infotext(told, settings)
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
        content = encode(pixels, {} if args.disable_metadata else chunks, kind)
        write_bytes(Path(folder) / file, content)
        saved.append({"filename": file, "subfolder": subfolder, "type": "output"})
    return saved


def encode(pixels: Any, chunks: dict[str, str], kind: str) -> bytes:
    """A picture file of [H, W, 3] 8-bit pixels with its texts; the record gets a hash of the pixels as saved."""
    import numpy
    from PIL import Image

    if CHUNK in chunks:
        with Image.open(streams.BytesIO(_written(pixels, {}, kind))) as saved:
            stamp = hash_pixels(numpy.asarray(saved.convert("RGB")))
        chunks = {**chunks, CHUNK: json.dumps({**json.loads(chunks[CHUNK]), "pixels_sha256": stamp})}
    return _written(pixels, chunks, kind)


def _written(pixels: Any, chunks: dict[str, str], kind: str) -> bytes:
    from PIL import Image

    picture, stream = Image.fromarray(pixels), streams.BytesIO()
    if kind == "png":
        picture.save(stream, "PNG", pnginfo=_png_texts(chunks), compress_level=4)
    elif kind == "webp":
        picture.save(stream, "WEBP", quality=90, exif=_exif(chunks))
    else:
        exif = _exif(chunks)
        if len(exif) > JPEG_ROOM:
            raise OutputError(f"a JPEG has room for {JPEG_ROOM:,} bytes of text, not {len(exif):,}; use webp or png")
        picture.save(stream, "JPEG", quality=95, exif=exif)
    return stream.getvalue()


def _png_texts(chunks: dict[str, str]) -> Any:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    for name, text in chunks.items():
        if name == "parameters":  # the only one that is not plain ASCII
            info.add_itxt(name, text)
        else:
            info.add_text(name, text)
    return info


def _exif(chunks: dict[str, str]) -> bytes:
    """As ComfyUI and A1111 write them: `name:text` in EXIF tags from Model downwards, infotext as the user comment."""
    from PIL import Image

    if not chunks:
        return b""
    exif, tag = Image.Exif(), _FIRST_TAG
    ordered = sorted((name for name in chunks if name != "parameters"), key=lambda name: name != "prompt")
    for name in ordered:
        exif[tag] = f"{name}:{chunks[name]}"
        tag -= 1
    if "parameters" in chunks:
        comment = b"UNICODE\0" + chunks["parameters"].encode("utf-16-be", "replace")
        exif.get_ifd(_EXIF_PART)[_USER_COMMENT] = comment
    return bytes(exif.tobytes())


NODES = [NegOptSaveProvenance]
