"""Where the browser and the node packages of the page's tests are."""

import os
import shutil
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def find_node_modules(package: str) -> Path | None:
    """The folder whose `node_modules` holds a package: NEGOPT_PLAYWRIGHT, this folder or ~/comfy/pw; None: nowhere."""
    told = os.environ.get("NEGOPT_PLAYWRIGHT")
    folders = [Path(told)] if told else [Path(__file__).parent, Path.home() / "comfy" / "pw"]
    return next((folder for folder in folders if (folder / "node_modules" / package).is_dir()), None)


def find_browser() -> dict[str, str] | str:
    """Environment for the checks, or what is missing."""
    node = shutil.which("node")
    chromium = os.environ.get("NEGOPT_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if node is None or chromium is None:
        return "NOT TESTED IN A BROWSER: node and Chromium are needed; .ci/browser installs them where it can"
    folder = find_node_modules("playwright-core")
    if folder is None:
        return "NOT TESTED IN A BROWSER: no playwright-core; run npm install in tests/web, or set NEGOPT_PLAYWRIGHT"
    return {"NEGOPT_CHROMIUM": chromium, "NEGOPT_PLAYWRIGHT": str(folder)}
