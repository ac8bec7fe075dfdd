"""Changing what lies in `models/negopt` at the page's wish: pull, import a ZIP, delete. Plain values, no HTTP."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from ..negopt_core.errors import NegOptError, OutputError
from ..negopt_core.policy.hub import pull_policy
from ..negopt_core.policy.store import CARD_NAME, builtin_names
from ..negopt_core.policy.zip_import import check_folder_name, unpack_policy
from .api_read import RequestError
from .host import tell_page
from .policy import policy_folders

EVENT = "negopt.pull"
"""Sent to the page while a policy is fetched: name, state (`running`, `done`, `failed`), bytes, total, message."""


def pull(name: str) -> dict[str, Any]:
    """Fetch `hf:owner/name[@revision]`, telling the page how far it is; its name in the menu."""

    def tell(state: str, done: int = 0, total: int = 0, message: str = "") -> None:
        tell_page(EVENT, {"name": name, "state": state, "bytes": done, "total": total, "message": message})

    tell("running")
    try:
        folder = pull_policy(name, _home(), lambda done, total: tell("running", done, total))
    except NegOptError as error:
        tell("failed", message=str(error))
        raise
    tell("done")
    return {"name": folder.name}


def bring_in(archive: Path, name: str) -> dict[str, Any]:
    """Unpack an uploaded ZIP under a name that is free."""
    if name in builtin_names():
        raise RequestError(409, "name-taken", f"{name!r} comes with negopt; choose another name")
    return {"name": unpack_policy(archive, _home(), name).name}


def delete(name: str) -> dict[str, Any]:
    """Remove a policy folder; of a link only the link. What comes with negopt stays."""
    if name in builtin_names():
        raise RequestError(409, "is-ours", f"{name!r} comes with negopt and cannot be deleted")
    check_folder_name(name)
    for root in policy_folders():
        folder = root / name
        if (folder / CARD_NAME).is_file():
            _remove(folder)
            return {"deleted": name}
    raise RequestError(404, "no-such-policy", f"there is no policy folder {name!r}; refresh the list")


def _remove(folder: Path) -> None:
    try:
        if folder.is_symlink():
            folder.unlink()
            return
        # out of the menu at once, and whole: a file that cannot be removed leaves no half policy behind
        grave = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".deleted."))
        folder.rename(grave / folder.name)
        shutil.rmtree(grave)
    except OSError as error:
        raise OutputError(f"cannot delete {folder}: {error.strerror or error}") from error


def _home() -> Path:
    return policy_folders()[0]
