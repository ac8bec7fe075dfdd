"""How a picture was made, written into the picture: one versioned record in a PNG text chunk, and A1111's text."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from . import __version__
from .errors import OutputError
from .files import write_bytes

CHUNK = "negopt"
"""Name of the PNG text chunk that holds the record."""
SCHEMA = 1


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
    negopt: str = __version__
    schema: int = SCHEMA

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `record_from_json` gives back an equal record."""
        return asdict(self) | {"batch_seeds": list(self.batch_seeds), "modes": list(self.modes)}


def record_from_json(values: object) -> Record:
    """Read a record; raises OutputError for one that is malformed or of another schema. Unknown fields are ignored."""
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        found = values.get("schema") if isinstance(values, dict) else type(values).__name__
        raise OutputError(f"the picture's record has schema {found!r}, this version reads {SCHEMA}; update negopt")
    known = {item.name for item in fields(Record)}
    kept: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items() if key in known
    }
    try:
        record = Record(**kept)
    except TypeError as error:
        raise OutputError(f"the picture's record is incomplete: {error}; it cannot be painted again") from error
    for name, kind in (
        ("seed", int),
        ("steps", int),
        ("width", int),
        ("height", int),
        ("df_positive", str),
        ("model", str),
    ):
        if not isinstance(getattr(record, name), kind):
            raise OutputError(
                f"the picture's record has {name} = {getattr(record, name)!r}; it cannot be painted again"
            )
    return record


def write_picture(path: Path, pixels: Any, record: Record) -> None:
    """Write a PNG with its record. `pixels` is a uint8 array [H, W, 3]. The file appears whole or not at all."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt(CHUNK, json.dumps(record.to_json(), ensure_ascii=True))
    info.add_itxt("parameters", infotext(record).encode("utf-8", "replace").decode("utf-8"))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", pnginfo=info)
    write_bytes(path, stream.getvalue())


def read_picture(path: Path) -> Record:
    """The record in a picture; raises OutputError if there is none that can be read."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            text = image.info.get(CHUNK)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise OutputError(f"cannot read {path} as a picture: {error}") from error
    if text is None:
        raise OutputError(f"{path} holds no negopt record; it was not painted by negopt, or its metadata was stripped")
    try:
        return record_from_json(json.loads(text))
    except ValueError as error:
        raise OutputError(f"the negopt record in {path} is not JSON: {error}") from error


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
    lines = [record.positive, *([f"Negative prompt: {record.negative}"] if record.negative else [])]
    return "\n".join([*lines, ", ".join(f"{key}: {value}" for key, value in values.items())])
