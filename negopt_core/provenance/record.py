"""Everything needed to paint a picture again, as negopt's own painter writes it into the picture."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import OutputError
from ..files import write_bytes
from ..json_text import read_json
from .infotext import format_infotext
from .picture_texts import INFOTEXT, MAX_PIXELS, RECORD, encode_picture, hash_pixels, read_texts

SCHEMA = 1
MAX_BATCH = 1024
"""Most pictures that a record may say were painted together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A picture's prompts, who wrote them, and what they came to. Texts that are not known are empty."""

    prompt: str
    """What the user wrote, before a policy added to it."""
    df_positive: str
    df_negative: str
    positive: str
    negative: str
    policy: str = ""
    policy_hash: str = ""
    """SHA-256 over the policy's files, or its first 16 hex digits."""
    policy_licence: str = ""
    """What the policy's card says."""
    modes: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    """Rewards of this picture by scorer, if any were computed."""
    pixels_sha256: str = ""
    """Of the 8-bit RGB pixels, row by row; `write_picture` fills it in."""
    schema: int = SCHEMA

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {name: list(one) if isinstance(one, tuple) else one for name, one in asdict(self).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Words):
    """Everything needed to paint a picture again."""

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
    init_image_sha256: str = ""
    strength: float | None = None
    libraries: Mapping[str, str] = field(default_factory=dict)
    host: str = "diffusers"
    """What painted: diffusers or comfyui."""
    negopt: str = __version__


def read_record(text: str) -> dict[str, Any]:
    """The JSON of a record; OutputError for anything else, and for another schema."""
    try:
        return _checked(read_json(text))
    except ValueError as error:
        raise OutputError(f"the picture's record is not JSON: {error}") from error


def _checked(values: object) -> dict[str, Any]:
    if not isinstance(values, dict) or values.get("schema", SCHEMA) != SCHEMA:
        schema = str(values.get("schema"))[:40] if isinstance(values, dict) else type(values).__name__
        raise OutputError(f"the picture's record has schema {schema}, this version reads {SCHEMA}; update negopt")
    return values


def record_from_json(values: object) -> Record:
    """Read what `Record.to_json` made; raises OutputError for what is malformed or of another schema.

    Unknown fields are ignored.
    """
    values, known = _checked(values), {item.name for item in fields(Record)}
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
    record = replace(record, pixels_sha256=hash_pixels(pixels))
    write_bytes(path, encode_picture(pixels, {RECORD: json.dumps(record.to_json()), INFOTEXT: infotext(record)}))


def read_picture(path: Path) -> Record:
    """The record in a picture; raises OutputError if there is none that can be read."""
    text = read_texts(path).get(RECORD)
    if text is None:
        raise OutputError(f"{path} holds no negopt record; it was not painted by negopt, or its metadata was stripped")
    return record_from_json(read_record(text))


def shown_place(place: str) -> str:
    """A model or file as it may be told to strangers: of a path from the root or the home folder only the last name."""
    is_path = place.startswith(("/", "~", "\\\\")) or place[1:3] in (":\\", ":/")
    return re.split(r"[/\\]", place.rstrip("/\\"))[-1] if is_path else place


def infotext(record: Record) -> str:
    """The `parameters` text that A1111-family programs and galleries read."""
    settings = {
        "Steps": record.steps,
        "Sampler": record.sampler,
        "CFG scale": f"{record.cfg:g}",
        "Seed": record.seed,
        "Size": f"{record.width}x{record.height}",
        "Model hash": record.model_hash,
        "Version": f"negopt {record.negopt}",
    }
    return format_infotext(record.positive, record.negative, settings)
