"""Files: written whole or not at all, hashed, and read line by line as text or JSON."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from .errors import NegOptError, OutputError
from .json_text import read_json

_BLOCK = 1 << 20


@contextmanager
def whole_path(path: Path) -> Iterator[Path]:
    """A new empty file beside `path` to write to, renamed to `path` at the end; folders are made.

    Raises OutputError if that cannot be done. Whatever goes wrong, nothing is left and an older file stays as it is.
    """
    partial: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
        os.close(handle)
        partial = Path(name)
        yield partial
        partial.chmod(0o644)  # mkstemp makes private files
        partial.replace(path)
        partial = None
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}; choose a folder that you may write to"
        ) from error
    finally:
        if partial:
            partial.unlink(missing_ok=True)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """`whole_path`, opened to write bytes into."""
    with whole_path(path) as partial, partial.open("wb") as file:
        yield file


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all, as `whole_file` does."""
    with whole_file(path) as file:
        file.write(content)


def write_text(path: Path, content: str) -> None:
    """`write_bytes` for UTF-8 text."""
    write_bytes(path, content.encode("utf-8"))


def hash_file(path: Path) -> str:
    """SHA-256 of a file of any size, as hex digits."""
    return hash_files([path])


def hash_files(paths: Iterable[Path], with_names: bool = False) -> str:
    """SHA-256 over the contents of files in their order, `with_names` each behind its name; as hex digits."""
    digest = hashlib.sha256()
    for path in paths:
        if with_names:
            digest.update(path.name.encode())
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()


def open_text(path: Path) -> TextIO:
    """UTF-8 text to read, gzipped if the name says so, without the mark that Windows programs put first.

    What is no such text raises OSError, EOFError, zlib.error or UnicodeDecodeError while it is read.
    """
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


def read_lines(path: Path, error: type[NegOptError]) -> Iterator[tuple[int, str]]:
    """Number (from 1) and text of each line that is not blank, as `open_text` reads it; raises `error` if it cannot."""
    try:
        with open_text(path) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.rstrip("\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as reason:
        raise error(f"cannot read {path}: {reason}; it is to be UTF-8 text") from reason


def read_json_lines(path: Path, error: type[NegOptError], remedy: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """ "FILE, line N" and the object of each line of JSON Lines; raises `error`, which names the line and `remedy`."""
    for number, line in read_lines(path, error):
        where = f"{path}, line {number}"
        try:
            row = read_json(line)
        except ValueError as reason:
            raise error(f"{where}: not JSON: {reason}{remedy and f'; {remedy}'}") from reason
        if not isinstance(row, dict):
            raise error(f"{where}: no object: {line.strip()[:60]}{remedy and f'; {remedy}'}")
        yield where, row


def read_journal(path: Path) -> Iterator[Any]:
    """The JSON value of each line that `append_journal` wrote; None for one that was cut short or is damaged.

    Nothing if there is no file.
    """
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else ():
        if line:
            try:
                yield read_json(line)
            except ValueError:
                yield None


def append_journal(path: Path, rows: Iterable[Any], remedy: str = "free space or choose another folder") -> None:
    """Append values as JSON Lines; OutputError with `remedy` if that cannot be done.

    Of a line that was cut short before, nothing is taken for a part of the new ones.
    """
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                text = text if file.read(1) == b"\n" else f"\n{text}"
            file.write(text.encode("utf-8"))
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}; {remedy}") from error


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
