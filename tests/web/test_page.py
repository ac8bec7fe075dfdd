"""The page in a real Chromium on a real ComfyUI, in both renderers. Pictures go to NEGOPT_SHOTS, if it is set."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "nodes"))
sys.path.insert(0, str(HERE))
from browser_tools import find_browser  # noqa: E402
from host import Host, find_host  # noqa: E402
from server import running  # noqa: E402

pytestmark = [pytest.mark.host, pytest.mark.slow]

CHECKS = [
    name
    for path in sorted((HERE / "page").glob("checks_*.mjs"))
    for name in re.findall(r"^  async (\w+)\(", path.read_text(encoding="utf-8"), re.M)
]
MODES = ("classic", "vue")
PATIENCE = 5400


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str | None]:
    """(renderer, check) -> what went wrong; every check run once in each renderer, on one server."""
    host, browser = find_host(), find_browser()
    if not isinstance(host, Host):
        pytest.skip(host)
    if isinstance(browser, str):
        pytest.skip(browser)
    shots = Path(os.environ.get("NEGOPT_SHOTS") or tmp_path_factory.mktemp("shots"))
    found: dict[tuple[str, str], str | None] = {}
    with running(host, tmp_path_factory.mktemp("comfyui")) as server:
        for mode in MODES:
            command = ["node", str(HERE / "page" / "run.mjs"), server.address, mode, str(shots)]
            environment = {**os.environ, **browser}
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
            lines = [json.loads(line[1:]) for line in done.stdout.splitlines() if line.startswith("@")]
            if not lines:
                raise RuntimeError(f"the checks did not start:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
            found |= {(mode, line["check"]): line["fault"] for line in lines}
    return found


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("mode", MODES)
def test_in_the_page(mode: str, check: str, faults: dict[tuple[str, str], str | None]) -> None:
    assert (mode, check) in faults, "the check did not run"
    assert not faults[mode, check], faults[mode, check]
