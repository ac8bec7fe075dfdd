"""The folders of the runs of a host, one beside the other."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from ..errors import OutputError, PromptError
from ..json_text import read_json
from .hosted import RESULT
from .journal import CONFIG
from .start import Start, start_of

_SHOWN_RUNS = 50
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class NoSuchRun(PromptError):
    """A run that is not there."""


def is_name(text: str) -> bool:
    """Whether a text can be the name of a run's folder."""
    return _NAME.fullmatch(text) is not None


def new_folder(runs: Path, kind: str) -> Path:
    """An empty folder with a name of its own; OutputError if it cannot be made."""
    name = f"{kind}-{time.strftime('%Y-%m-%d-%H%M%S')}"
    folder, number = runs / name, 1
    while True:
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            number += 1
            folder = runs / f"{name}-{number}"
        except OSError as error:
            raise OutputError(f"cannot write {folder}: {error.strerror or error}; make room for the run") from error


def drop_unused(folder: Path) -> None:
    """Remove the folder of a run that was refused before anything was written."""
    if folder.is_dir() and not (folder / CONFIG).is_file():
        folder.rmdir()


def kept_run(runs: Path, name: str) -> tuple[Start, dict[str, Any]]:
    """What a run was started with, and all of its settings. NoSuchRun, or OutputError for a damaged file."""
    path = runs / name / CONFIG
    if not path.is_file():
        raise NoSuchRun(f"there is no run {name!r} in {runs}; start a new one")
    try:
        values = read_json(path.read_bytes())
        return start_of(values), values
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutputError(f"{path} is damaged ({error}); start a new run") from error


def listed(runs: Path) -> list[dict[str, Any]]:
    """The runs, the newest first; damaged ones are left out."""
    folders = sorted(runs.glob(f"*/{CONFIG}"), key=lambda one: one.stat().st_mtime, reverse=True)
    return [row for one in folders[:_SHOWN_RUNS] if (row := _row(one))]


def _row(path: Path) -> dict[str, Any] | None:
    try:
        values = read_json(path.read_bytes())
        told = {key: str(values[key]) for key in ("kind", "model", "judge")}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return {"run": path.parent.name, **told, "is_done": (path.parent / RESULT).is_file()}
