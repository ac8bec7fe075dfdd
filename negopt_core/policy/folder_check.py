"""What is looked at in a policy folder before anything in it is loaded: nobody knows who made it.

Standard library only. Refused are files that lead out of the folder, code, sizes beyond reason, weights that are no
numbers, and files other than those that `SHA256SUMS` names. That file has the format of `sha256sum`, and export writes
it; a folder without one loads too, but then a changed weight goes unseen.
"""

from __future__ import annotations

import functools
import hashlib
import math
import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from ..errors import NegOptError, PolicyError
from ..files import hash_file, write_text
from ..json_text import read_json
from ..needs import missing_package

SUMS = "SHA256SUMS"
CARD = "policy.json"
TERMS_FILE, STOCK_FILE = "terms.txt", "stock.txt"
"""Texts that decide what a policy writes as its weights do: terms of its examples, phrases that it chooses from."""
_REMEDY = "pull or export it again"
_MAX_TEXT_BYTES = 64_000_000
_MAX_HEADER_BYTES = 8_000_000
_BLOCK = 1 << 20
_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
_SUM_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_SETTINGS = ("config.json", "tokenizer_config.json", "generation_config.json")
_NUMBERS = ("temperature", "top_k", "max_phrases", "neighbours", "power", "habit", "threshold")
"""Settings of a card that are numbers in every kind that reads them."""

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


Header = Mapping[str, tuple[str, tuple[int, ...]]]
"""Type and shape of each tensor of a safetensors file."""


@dataclass(frozen=True, slots=True)
class CheckedFolder:
    """A policy folder in which all is as it should be, and what was learned of its weights while they were read."""

    path: Path
    headers: Mapping[str, Header]
    """By the name of the safetensors file."""
    fingerprint: str
    """`folder_hash`."""


def check_policy_folder(folder: Path) -> CheckedFolder:
    """Look at every file of a policy folder, reading each once; PolicyError names the first that is wrong."""
    headers: dict[str, Header] = {}
    for path in _files(folder):
        if path.suffix == ".safetensors":
            headers[path.name] = read_header(path)
        elif path.stat().st_size > _MAX_TEXT_BYTES:
            raise PolicyError(f"{path} has more than {_MAX_TEXT_BYTES:,} bytes, so it is no part of a policy")
        if path.suffix == ".json" and path.name != CARD:
            _check_json(path)
    listed = _read_sums(folder)
    digests, fingerprint = _hash_files(folder, listed)
    for name, digest in listed.items():
        if digests[name] != digest:
            raise PolicyError(
                f"{folder / name} is not the file that was exported ({SUMS} disagrees); {_REMEDY}, or delete {SUMS} if "
                "you changed the file yourself"
            )
    return CheckedFolder(folder, headers, fingerprint)


def folder_hash(folder: Path) -> str:
    """SHA-256 over the names and contents of the weights, the stock and the terms of a policy folder, in hex."""
    return _hash_files(folder, ())[1]


def check_settings(settings: Mapping[str, Any]) -> None:
    """PolicyError for a card whose settings are no numbers where numbers are needed."""
    for name in _NUMBERS:
        value = settings.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
            raise PolicyError(f"settings.{name} is a number, got {str(value)[:60]!r}")
        if name in ("top_k", "max_phrases", "neighbours") and value != int(value):
            raise PolicyError(f"settings.{name} is a whole number, got {value}")


def read_header(path: Path) -> Header:
    """Type and shape of each tensor in a safetensors file; PolicyError if its header contradicts itself or the file."""
    try:
        with path.open("rb") as file:
            size, length = path.stat().st_size, int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(size - 8, _MAX_HEADER_BYTES):
                raise ValueError(f"its header of {length:,} bytes does not fit {size:,} bytes of file")
            header = read_json(file.read(length))
        tensors = {name: _tensor(name, entry) for name, entry in header.items() if name != "__metadata__"}
        held = sum(_BYTES[kind] * math.prod(shape) for kind, shape in tensors.values())
        if held != size - 8 - length:
            raise ValueError(f"its tensors need {held:,} bytes and it holds {size - 8 - length:,}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PolicyError(f"{path} is no whole safetensors file: {in_one_line(error)}; {_REMEDY}") from error
    return tensors


def write_sums(folder: Path) -> None:
    """Write `SHA256SUMS` over every file of a folder but the card, which people edit, and texts that nothing reads."""
    listed = {path.name: hash_file(path) for path in _files(folder) if _is_summed(path)}
    write_text(folder / SUMS, "".join(f"{digest}  {name}\n" for name, digest in sorted(listed.items())))


def as_policy_error(work: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Make whatever libraries raise for damaged files one PolicyError: they promise no family of errors.

    A package that is not there is no damage: MissingPackage names it.
    """

    @functools.wraps(work)
    def call(*args: Parameters.args, **kw: Parameters.kwargs) -> Result:
        try:
            return work(*args, **kw)
        except NegOptError:
            raise
        except Exception as error:  # tokenizers raise plain Exception
            if (missing := missing_package(error)) is not None:
                raise missing from error
            raise PolicyError(f"cannot load the policy in {args[0]}: {in_one_line(error)}; {_REMEDY}") from error

    return call


def _files(folder: Path) -> Iterator[Path]:
    """The files at the top of a folder, none of them a link that leads out of it."""
    home = folder.resolve()
    for path in sorted(folder.iterdir()):
        if path.is_symlink() and not _is_inside(path.resolve(), home):
            raise PolicyError(f"{path} is a link that leads out of the policy's folder; put the file itself there")
        if path.is_file():
            yield path
        elif not path.is_dir():
            raise PolicyError(f"{path} is neither a file nor a folder; {_REMEDY}")


def _is_inside(target: Path, home: Path) -> bool:
    """True for a file in the folder; in the hub's cache a snapshot is all links into the folder `blobs` beside it."""
    is_snapshot = home.parent.name == "snapshots"
    return target.is_relative_to(home) or (is_snapshot and target.parent == home.parent.parent / "blobs")


def _check_json(path: Path) -> None:
    """JSON that transformers will read: nothing in it may name code, or a file somewhere else."""
    try:
        values = read_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise PolicyError(f"{path} is not JSON: {in_one_line(error)}; {_REMEDY}") from error
    if not isinstance(values, dict) or path.name not in _SETTINGS:
        return
    if values.get("auto_map") or values.get("custom_pipelines"):
        raise PolicyError(f"{path} asks for code of its own to be run (auto_map), which negopt never does; take it out")
    for key, value in values.items():
        is_path = key.endswith("_file") and key != "special_tokens_map_file"  # that one is a relic that nobody reads
        if is_path and isinstance(value, str) and (Path(value).name != value or "\\" in value):
            raise PolicyError(f"{path}: {key} leads out of the folder ({value[:60]}); write the name of a file in it")


def _read_sums(folder: Path) -> dict[str, str]:
    """SHA-256 by file name, as `SHA256SUMS` says; empty without one. PolicyError for a line or a file that is not."""
    path = folder / SUMS
    listed: dict[str, str] = {}
    lines = path.read_bytes().decode("utf-8", "replace").splitlines() if path.is_file() else []
    for number, line in enumerate(lines, start=1):
        entry = _SUM_LINE.fullmatch(line)
        if entry is None or Path(entry.group(2)).name != entry.group(2) or "\\" in line:
            raise PolicyError(f"{path}, line {number}: a line is a SHA-256, two spaces and a file name; {_REMEDY}")
        named = folder / entry.group(2)
        if not named.is_file():
            raise PolicyError(f"{named} is missing, and {SUMS} names it; {_REMEDY}")
        listed[named.name] = entry.group(1)
    return listed


def _hash_files(folder: Path, wanted: Container[str]) -> tuple[dict[str, str], str]:
    """SHA-256 of each wanted file by name, and `folder_hash`, from one pass over the files."""
    whole, digests = hashlib.sha256(), {}
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        hashes = [hashlib.sha256()] if path.name in wanted else []
        if path.suffix == ".safetensors" or path.name in (TERMS_FILE, STOCK_FILE):
            whole.update(path.name.encode())
            hashes.append(whole)
        if not hashes:
            continue
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                for one in hashes:
                    one.update(block)
        if path.name in wanted:
            digests[path.name] = hashes[0].hexdigest()
    return digests, whole.hexdigest()


def _is_summed(path: Path) -> bool:
    return (
        path.name not in (CARD, SUMS) and not path.name.startswith((".", "LICENSE", "NOTICE")) and path.suffix != ".md"
    )


def _tensor(name: str, entry: Mapping[str, Any]) -> tuple[str, tuple[int, ...]]:
    kind, shape = entry["dtype"], entry["shape"]
    if kind not in _BYTES:
        raise ValueError(f"{name[:60]} is of type {str(kind)[:20]}, weights are {', '.join(_BYTES)}")
    if not all(isinstance(size, int) and 0 <= size < 2**48 for size in shape):
        raise ValueError(f"{name[:60]} has no shape but {str(shape)[:60]}")
    return kind, tuple(shape)


def in_one_line(error: Exception) -> str:
    """What a library said, its kind first, cut to a bearable length."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
