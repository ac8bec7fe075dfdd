"""Writing files so that they appear whole or not at all, and opening text that others wrote."""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from .errors import OutputError

_BLOCK = 1 << 20


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write bytes into: under a temporary name beside `path`, renamed when all is written; folders are made.

    Raises OutputError, and leaves nothing behind, if that cannot be done; nothing is left by errors of the caller's.
    """
    partial = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
        with os.fdopen(handle, "wb") as file:
            yield file
        os.chmod(partial, 0o644)  # noqa: PTH101 - mkstemp makes private files
        os.replace(partial, path)  # noqa: PTH105
        partial = ""
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}; choose a folder that you may write to"
        ) from error
    finally:
        if partial:
            Path(partial).unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all, as `whole_file` does."""
    with whole_file(path) as file:
        file.write(content)


def open_text(path: Path) -> TextIO:
    """UTF-8 text to read, gzipped if the name says so, without the mark that Windows programs put first.

    What is no such text raises OSError, EOFError, zlib.error or UnicodeDecodeError while it is read.
    """
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


def hash_file(path: Path) -> str:
    """SHA-256 of a file of any size, as hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def free_path(path: Path) -> Path:
    """`path`, or the same name with -2, -3, … where it is taken: nothing that was painted before is replaced."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def check_folder(folder: Path) -> None:
    """Raise OutputError now, before any work is done, if `folder` is not one and cannot become one. Creates nothing."""
    nearest = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write {folder}: {nearest} is no folder to write to; choose another folder")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; OutputError if that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}; choose another folder") from error


def write_text(path: Path, content: str) -> None:
    """`write_bytes` for UTF-8 text."""
    write_bytes(path, content.encode("utf-8"))
