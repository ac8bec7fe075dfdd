"""How a picture was made, as it travels in the picture: our versioned record, A1111's text, ComfyUI's graph."""

from __future__ import annotations

import codecs
import hashlib
import io
import json
import math
import re
import struct
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import OutputError
from ..files import write_bytes
from ..json_text import read_json
from .infotext import NEGATIVE_LINE

CHUNK = "negopt"
"""Name of the PNG text chunk that holds the record."""
COMFY_CHUNK = "negopt_comfyui"
"""PNG text chunk with the record of the ComfyUI nodes."""
INFOTEXT, GRAPH, WORKFLOW = "parameters", "prompt", "workflow"
"""Names under which `read_texts` gives A1111's text, and ComfyUI's graph as it ran and as the page shows it."""
SCHEMA = 1
MAX_PIXELS = 2**26
"""Largest picture that a record may ask for, and that is decoded to find texts behind its pixels: 8192 x 8192."""
MAX_BATCH = 1024
"""Most pictures that a record may say were painted together."""

_EXIF_PART, _USER_COMMENT = 0x8769, 0x9286
_COMFY_TAG = re.compile(rf"({GRAPH}|{WORKFLOW}|{CHUNK}|{COMFY_CHUNK}):(?=\s*\{{)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Record:
    """Everything needed to paint a picture again."""

    prompt: str
    """What the user wrote."""
    df_positive: str
    df_negative: str
    positive: str
    negative: str
    seed: int
    model: str
    model_hash: str
    steps: int
    cfg: float
    width: int
    height: int
    sampler: str
    weighting: str
    device: str
    dtype: str
    batch_seeds: tuple[int, ...]
    """Seeds of the pictures that were painted together with this one, in order; its own is among them."""
    policy: str = ""
    policy_hash: str = ""
    modes: tuple[str, ...] = ()
    init_image_sha256: str = ""
    strength: float | None = None
    libraries: Mapping[str, str] = field(default_factory=dict)
    host: str = "diffusers"
    """What painted: diffusers or comfyui."""
    policy_licence: str = ""
    """What the policy's card says."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Rewards of this picture by scorer, if any were computed."""
    pixels_sha256: str = ""
    """Of the 8-bit RGB pixels, row by row; `write_picture` fills it in."""
    negopt: str = __version__
    schema: int = SCHEMA

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `record_from_json` gives back an equal record."""
        lists = {"batch_seeds": list(self.batch_seeds), "modes": list(self.modes)}
        return asdict(self) | lists


def record_from_json(values: object) -> Record:
    """Read a record; raises OutputError for one that is malformed or of another schema. Unknown fields are ignored."""
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        found = str(values.get("schema"))[:40] if isinstance(values, dict) else type(values).__name__
        raise OutputError(f"the picture's record has schema {found}, this version reads {SCHEMA}; update negopt")
    known = {item.name for item in fields(Record)}
    kept: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items() if key in known
    }
    try:
        record = Record(**kept)
    except TypeError as error:
        raise OutputError(f"the picture's record is incomplete: {error}; it cannot be painted again") from error
    _check_types(record)
    return record


def _check_types(record: Record) -> None:
    """OutputError names the first field whose value no painter could take."""
    for item in fields(Record):
        value = getattr(record, item.name)
        if not _TYPES[str(item.type)](value):
            raise OutputError(f"the picture's record has {item.name} = {str(value)[:60]!r}; it cannot be painted again")
    if min(record.steps, record.width, record.height) < 1 or record.width * record.height > MAX_PIXELS:
        raise OutputError(
            f"the picture's record says {record.steps} steps of {record.width} x {record.height} pixels; it cannot be "
            "painted again"
        )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**64


def _is_number(value: object) -> bool:
    return _is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "str": _is_text,
    "int": _is_whole,
    "float": _is_number,
    "float | None": lambda value: value is None or _is_number(value),
    "tuple[int, ...]": lambda value: (
        isinstance(value, tuple) and 0 < len(value) <= MAX_BATCH and all(map(_is_whole, value))
    ),
    "tuple[str, ...]": lambda value: isinstance(value, tuple) and all(map(_is_text, value)),
    "Mapping[str, str]": lambda value: isinstance(value, dict) and all(map(_is_text, value.values())),
    "Mapping[str, float]": lambda value: isinstance(value, dict) and all(map(_is_number, value.values())),
}
"""What each type of a field of `Record` may hold when it comes from a file."""


def write_picture(path: Path, pixels: Any, record: Record) -> None:
    """Write a PNG with its record. `pixels` is a uint8 array [H, W, 3]. The file appears whole or not at all."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    record = replace(record, pixels_sha256=hash_pixels(pixels))
    info.add_itxt(CHUNK, json.dumps(record.to_json(), ensure_ascii=True))
    info.add_itxt(INFOTEXT, infotext(record).encode("utf-8", "replace").decode("utf-8"))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", pnginfo=info)
    write_bytes(path, stream.getvalue())


def shown_place(place: str) -> str:
    """A model or file as it may be told to strangers: of a path from the root or the home folder only the last name."""
    is_path = place.startswith(("/", "~", "\\\\")) or place[1:3] in (":\\", ":/")
    return re.split(r"[/\\]", place.rstrip("/\\"))[-1] if is_path else place


def hash_pixels(pixels: Any) -> str:
    """SHA-256 of a uint8 array [H, W, 3], with its size, so that 2 x 3 and 3 x 2 pixels differ."""
    height, width, _ = pixels.shape
    return hashlib.sha256(f"{width}x{height}:".encode() + pixels.tobytes()).hexdigest()


def read_picture(path: Path) -> Record:
    """The record in a picture; raises OutputError if there is none that can be read."""
    text = read_texts(path).get(CHUNK)
    if text is None:
        raise OutputError(f"{path} holds no negopt record; it was not painted by negopt, or its metadata was stripped")
    try:
        return record_from_json(read_json(text))
    except ValueError as error:
        raise OutputError(f"the negopt record in {path} is not JSON: {error}") from error


def read_texts(path: Path) -> dict[str, str]:
    """Every text that travels with a picture, by name; raises OutputError for a file that is no picture.

    PNG has named chunks. In JPEG, WebP and AVIF, A1111 writes an EXIF comment and ComfyUI writes EXIF tags; both come
    under the names that their PNG chunks have.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged EXIF: what can be read is read
            with Image.open(path) as image:
                return _texts_of(image)
    # what Pillow raises for damaged files is not one family
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error, Image.DecompressionBombError) as error:
        raise OutputError(f"cannot read {path} as a picture: {error}") from error


def _texts_of(image: Any) -> dict[str, str]:
    known = {CHUNK, COMFY_CHUNK, INFOTEXT, GRAPH}
    if image.format == "PNG" and not image.info.keys() & known and image.width * image.height <= MAX_PIXELS:
        image.load()  # a PNG may have its texts behind the pixels
    texts = {str(name): str(text) for name, text in image.info.items() if isinstance(text, str)}
    return texts if texts.keys() & known or "exif" not in image.info else {**_exif_texts(image.getexif()), **texts}


def _exif_texts(exif: Any) -> dict[str, str]:
    found = {}
    for value in exif.values():
        if isinstance(value, str) and (tag := _COMFY_TAG.match(value)):
            found[tag.group(1).lower()] = value[tag.end() :]
    comment = exif.get_ifd(_EXIF_PART).get(_USER_COMMENT)
    if isinstance(comment, bytes):
        comment = _decode_comment(comment)
    return {**found, INFOTEXT: comment} if isinstance(comment, str) and comment.strip() else found


def _decode_comment(comment: bytes) -> str:
    """An EXIF user comment: eight bytes that name the encoding, then the text, perhaps with zeros behind it."""
    kind, text = comment[:8], comment[8:]
    if kind != b"UNICODE\0" or not text.count(0):  # some programs say so and write UTF-8
        is_named = kind in (b"ASCII\0\0\0", b"UNICODE\0", bytes(8))
        return (text if is_named else comment).decode("utf-8", "replace").rstrip("\0")
    # either byte order is in use, with a mark or without; in western text the high bytes are zero
    is_little = text[:2] == codecs.BOM_UTF16_LE or (
        text[:2] != codecs.BOM_UTF16_BE and text[1::2].count(0) > text[::2].count(0)
    )
    return text.decode("utf-16-le" if is_little else "utf-16-be", "replace").lstrip("\ufeff").rstrip("\0")


def infotext(record: Record) -> str:
    """The `parameters` text that A1111-family programs and galleries read."""
    values = {
        "Steps": record.steps,
        "Sampler": record.sampler,
        "CFG scale": f"{record.cfg:g}",
        "Seed": record.seed,
        "Size": f"{record.width}x{record.height}",
        "Model hash": record.model_hash,
        "Version": f"negopt {record.negopt}",
    }
    lines = [record.positive, *([f"{NEGATIVE_LINE} {record.negative}"] if record.negative else [])]
    return "\n".join([*lines, ", ".join(f"{key}: {value}" for key, value in values.items())])
