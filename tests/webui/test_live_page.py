"""The accordion in a real Chromium on a real webui. Pictures go to NEGOPT_SHOTS, if it is set."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from webui_live import URL, Live, find_live

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "web"))
from browser_tools import find_browser  # noqa: E402

pytestmark = [pytest.mark.host, pytest.mark.slow]

SCREEN = 1080
"""Pixels of height that the accordion may have at most, with everything in it unfolded and 25 phrases on each side."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page shows."""
    live, browser = find_live(), find_browser()
    if not isinstance(live, Live):
        pytest.skip(live)
    if isinstance(browser, str):
        pytest.skip(browser)
    shots = os.environ.get("NEGOPT_SHOTS") or str(tmp_path_factory.mktemp("shots"))
    command = ["node", str(HERE / "page" / "panel.mjs"), os.environ[URL], shots]
    done = subprocess.run(
        command, env={**os.environ, **browser}, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_the_panel_is_never_taller_than_a_screen(found: dict[str, Any]) -> None:
    assert found["opened"] < SCREEN / 2 and found["longest"] < SCREEN


def test_the_page_shows_what_was_written_and_when_it_acts(found: dict[str, Any]) -> None:
    assert "low quality" in found["negative"] and "written by negopt" in found["line"]
    assert found["line"].endswith(found["negative"])
    assert "steps 11 to 20 of 20: (sharp focus:0.8), film grain" in found["times"] and "▲" not in found["times"]


def test_a_policy_of_the_longer_list_goes_into_the_box(found: dict[str, Any]) -> None:
    assert found["policy"] == "rules" and not found["errors"]
