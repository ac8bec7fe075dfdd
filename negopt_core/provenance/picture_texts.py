"""Texts that travel in a picture file: PNG text chunks; in WebP and JPEG the EXIF tags of ComfyUI and A1111."""

from __future__ import annotations

import codecs
import hashlib
import io
import re
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import OutputError

RECORD = "negopt"
"""Name of the text that holds the record of a picture painted by negopt."""
COMFY_RECORD = "negopt_comfyui"
"""Name of the text with the record of the ComfyUI nodes."""
INFOTEXT, GRAPH, WORKFLOW = "parameters", "prompt", "workflow"
"""Names of A1111's text, and of ComfyUI's graph as it ran and as the page shows it."""
FORMATS = {"png": "png", "webp": "webp", "jpeg": "jpg"}
"""Formats that `encode_picture` writes, and the ending of their files."""
MAX_PIXELS = 2**26
"""Largest picture that is decoded to find texts behind its pixels: 8192 x 8192."""
MAX_JPEG_BYTES = 65_000
"""Room for texts in a JPEG."""

_MODEL_TAG, _EXIF_PART, _USER_COMMENT = 0x0110, 0x8769, 0x9286
_COMFY_TAG = re.compile(rf"({GRAPH}|{WORKFLOW}|{RECORD}|{COMFY_RECORD}):(?=\s*\{{)", re.IGNORECASE)


def hash_pixels(pixels: Any) -> str:
    """SHA-256 of a uint8 array [H, W, 3], with its size, so that 2 x 3 and 3 x 2 pixels differ."""
    height, width, _ = pixels.shape
    return hashlib.sha256(f"{width}x{height}:".encode() + pixels.tobytes()).hexdigest()


def pixels_as_saved(pixels: Any, kind: str) -> Any:
    """The uint8 array [H, W, 3] that a file of this format gives back: the same for PNG, another after loss."""
    import numpy
    from PIL import Image

    if kind == "png":
        return pixels
    with Image.open(io.BytesIO(encode_picture(pixels, {}, kind))) as saved:
        return numpy.asarray(saved.convert("RGB"))


def encode_picture(pixels: Any, texts: Mapping[str, str], kind: str = "png") -> bytes:
    """A picture file of a uint8 array [H, W, 3] with texts by name; `kind` is one of `FORMATS`.

    Raises OutputError if the texts do not fit into a JPEG.
    """
    from PIL import Image

    picture, stream = Image.fromarray(pixels), io.BytesIO()
    if kind == "png":
        picture.save(stream, "PNG", pnginfo=_png_chunks(texts), compress_level=4)
        return stream.getvalue()
    exif = _exif(texts)
    if kind == "jpeg" and len(exif) > MAX_JPEG_BYTES:
        raise OutputError(f"a JPEG has room for {MAX_JPEG_BYTES:,} bytes of text, not {len(exif):,}; use webp or png")
    picture.save(stream, kind.upper(), quality=95 if kind == "jpeg" else 90, exif=exif)
    return stream.getvalue()


def _png_chunks(texts: Mapping[str, str]) -> Any:
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    for name, text in texts.items():
        if text.isascii():
            chunks.add_text(name, text)
        else:
            chunks.add_itxt(name, text.encode("utf-8", "replace").decode("utf-8"))
    return chunks


def _exif(texts: Mapping[str, str]) -> bytes:
    """`name:text` in EXIF tags from Model downwards, the graph first; infotext as the user comment."""
    from PIL import Image

    if not texts:
        return b""
    exif = Image.Exif()
    names = sorted((name for name in texts if name != INFOTEXT), key=lambda name: name != GRAPH)
    for place, name in enumerate(names):
        exif[_MODEL_TAG - place] = f"{name}:{texts[name]}"
    if INFOTEXT in texts:
        exif.get_ifd(_EXIF_PART)[_USER_COMMENT] = b"UNICODE\0" + texts[INFOTEXT].encode("utf-16-be", "replace")
    return bytes(exif.tobytes())


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
    known = {RECORD, COMFY_RECORD, INFOTEXT, GRAPH}
    if image.format == "PNG" and not image.info.keys() & known and image.width * image.height <= MAX_PIXELS:
        image.load()  # a PNG may have its texts behind the pixels
    texts = {str(name): str(text) for name, text in image.info.items() if isinstance(text, str)}
    return texts if texts.keys() & known or "exif" not in image.info else {**_exif_texts(image.getexif()), **texts}


def _exif_texts(exif: Any) -> dict[str, str]:
    texts = {}
    for value in exif.values():
        if isinstance(value, str) and (tag := _COMFY_TAG.match(value)):
            texts[tag.group(1).lower()] = value[tag.end() :]
    comment = exif.get_ifd(_EXIF_PART).get(_USER_COMMENT)
    if isinstance(comment, bytes):
        comment = _decode_comment(comment)
    return {**texts, INFOTEXT: comment} if isinstance(comment, str) and comment.strip() else texts


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
