"""A policy from a ZIP file into the model folder: only the files that policies have, whole or not at all."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from ..errors import OutputError, PolicyError
from .store import CARD_NAME, read_card

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)
_TAKEN = ("*.json", "*.safetensors", "*.model", "*.txt", "*.md", "LICENSE*", "NOTICE*")
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that are no files on Windows, with any ending."""
_MAX_FILES = 200
_MAX_BYTES = 8_000_000_000
_CHUNK = 1 << 20


def check_folder_name(name: str) -> str:
    """The name of a policy folder: letters, digits, `_ . -`; raises PolicyError for any other."""
    if not _NAME.fullmatch(name) or name.endswith(".") or _DEVICES.fullmatch(name):
        raise PolicyError(
            f"a policy folder is called with letters, digits, '_', '.', '-', and not as a device, got {name[:100]!r}"
        )
    return name


def unpack_policy(archive: Path, folder: Path, name: str) -> Path:
    """Unpack a ZIP of one policy folder (or of its files) to `folder/name` and return that.

    Raises PolicyError for what is no policy: no card, a path that leads out, links, files that policies do not have,
    too much of anything; OutputError if the folder exists or cannot be written. Nothing half-written stays.
    """
    target = folder / check_folder_name(name)
    if target.exists():
        raise OutputError(f"{target} exists already; delete it first or choose another name")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=folder, prefix=f".{name}."))
        try:
            with zipfile.ZipFile(archive) as opened:
                for info, path in _members(opened):
                    _write(opened, info, partial / path)
            read_card(partial)
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise PolicyError(f"this ZIP cannot be read: {str(error)[:200]}; pack the folder again") from error
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    return target


def _members(opened: zipfile.ZipFile) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """Files to unpack, each with its path inside of the policy folder."""
    files = [info for info in opened.infolist() if not info.is_dir()]
    if len(files) > _MAX_FILES:
        raise PolicyError(f"the ZIP holds {len(files):,} files, a policy at most {_MAX_FILES}")
    if sum(info.file_size for info in files) > _MAX_BYTES:
        raise PolicyError(f"the ZIP unpacks to more than {_MAX_BYTES:,} bytes")
    cards = sorted((_path_of(info) for info in files if _path_of(info).name == CARD_NAME), key=lambda p: len(p.parts))
    if not cards:
        raise PolicyError(f"the ZIP holds no {CARD_NAME}, so it is no policy")
    root = cards[0].parent
    return [(info, _path_of(info).relative_to(root)) for info in files if root in _path_of(info).parents]


def _path_of(info: zipfile.ZipInfo) -> PurePosixPath:
    path = PurePosixPath(info.filename)
    is_link = (info.external_attr >> 16) & 0o170000 == 0o120000
    if path.is_absolute() or ".." in path.parts or "\\" in info.filename or ":" in info.filename or is_link:
        raise PolicyError(f"the ZIP holds {info.filename[:100]!r}, a path that leads out of its folder")
    if any(_DEVICES.fullmatch(part) for part in path.parts):
        raise PolicyError(f"the ZIP holds {info.filename[:100]!r}, which is a device on Windows; give it another name")
    if not any(fnmatch(path.name, taken) for taken in _TAKEN):
        raise PolicyError(
            f"the ZIP holds {info.filename[:100]!r}; a policy has only JSON, text and safetensors, so nothing was taken"
        )
    return path


def _write(opened: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> None:
    """One file, never more than the archive's own list says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    left = info.file_size
    with opened.open(info) as source, path.open("wb") as file:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise PolicyError(f"{info.filename[:100]!r} is larger than the ZIP says")
            file.write(chunk)
