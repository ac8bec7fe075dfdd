"""Where the node packages of the page's tests are."""

import os
from pathlib import Path


def find_node_modules(package: str) -> Path | None:
    """The folder whose `node_modules` holds a package: NEGOPT_PLAYWRIGHT, this folder or ~/comfy/pw; None: nowhere."""
    told = os.environ.get("NEGOPT_PLAYWRIGHT")
    folders = [Path(told)] if told else [Path(__file__).parent, Path.home() / "comfy" / "pw"]
    return next((folder for folder in folders if (folder / "node_modules" / package).is_dir()), None)
