"""Fetching a policy from the Hugging Face hub: only when the user asks, only JSON, text and safetensors."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from ..errors import OutputError, PolicyError
from .store import CARD_NAME, HUB_PREFIX, read_card

_NAME = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:@([\w./-]+))?", re.ASCII)
_TEXTS = ("stock.txt", "terms.txt", "merges.txt", "vocab.txt")
_WANTED = ("*.json", "*.safetensors", "*.model", "SHA256SUMS", "*.md", "LICENSE*", *_TEXTS)


def pull_policy(name: str, folder: Path) -> Path:
    """Download `hf:owner/name[@revision]` into a folder of its own under `folder` and return that.

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
        _download(repository, revision, partial)
        read_card(partial)
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
