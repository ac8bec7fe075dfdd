"""Fetching a policy from the Hugging Face hub: only when the user asks, only JSON, text and safetensors."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

from ..errors import OutputError, PolicyError
from .store import CARD_NAME, HUB_PREFIX, ORIGIN_NAME, read_card

_NAME = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:@([\w./-]+))?", re.ASCII)
_TEXTS = ("stock.txt", "terms.txt", "merges.txt", "vocab.txt")
_WANTED = ("*.json", "*.safetensors", "*.model", "SHA256SUMS", "*.md", "LICENSE*", *_TEXTS)


_LOOK_SECONDS = 0.3

OnProgress = Callable[[int, int], None]
"""Told bytes that are here and bytes in all; 0 in all means that the hub does not say."""


def pull_policy(name: str, folder: Path, on_progress: OnProgress | None = None) -> Path:
    """Download `hf:owner/name[@revision]` into a folder of its own under `folder` and return that.

    `on_progress` is called from another thread, a few times a second.

    The folder appears whole or not at all. Raises PolicyError if the name is malformed, the repository cannot be
    had or holds no policy card, OutputError if the folder exists or cannot be written.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise PolicyError(f"a policy on the hub is written {HUB_PREFIX}owner/name[@revision], got {name!r}")
    repository, revision = match.groups()
    target = folder / repository.split("/")[1]
    if target.exists():
        raise OutputError(f"{target} exists already; remove it first or choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=folder, prefix=f".{target.name}."))
    except OSError as error:
        raise OutputError(f"cannot write under {folder}: {error.strerror or error}") from error
    try:
        with _watched(partial, repository, revision, on_progress):
            _download(repository, revision, partial)
        read_card(partial)
        (partial / ORIGIN_NAME).write_text(json.dumps({"from": name}) + "\n", encoding="utf-8")
        partial.rename(target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _download(repository: str, revision: str | None, folder: Path) -> None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        snapshot_download(repository, revision=revision, local_dir=str(folder), allow_patterns=list(_WANTED))
    except (HfHubHTTPError, LocalEntryNotFoundError, HFValidationError, ConnectionError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise PolicyError(
            f"cannot fetch {repository}: {reason}; check the name, the network and your access"
        ) from error
    if not (folder / CARD_NAME).is_file():
        raise PolicyError(f"{repository} holds no {CARD_NAME}, so it is no negopt policy")


@contextmanager
def _watched(folder: Path, repository: str, revision: str | None, tell: OnProgress | None) -> Iterator[None]:
    """Tell how much of a download has arrived, by what lies in the folder."""
    if tell is None:
        yield
        return
    total, done = _bytes_of(repository, revision), threading.Event()

    def look() -> None:
        while not done.wait(_LOOK_SECONDS):
            tell(_bytes_in(folder), total)

    watcher = threading.Thread(target=look, name="negopt-pull-progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    tell(_bytes_in(folder), total)


def _bytes_of(repository: str, revision: str | None) -> int:
    """What there is to fetch; 0 if the hub does not say: the download itself says what is wrong."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        files = HfApi().model_info(repository, revision=revision, files_metadata=True).siblings or []
    except (HfHubHTTPError, HFValidationError, OSError):
        return 0
    return sum(file.size or 0 for file in files if any(fnmatch(file.rfilename, wanted) for wanted in _WANTED))


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # it was renamed while we looked
            continue
    return total
