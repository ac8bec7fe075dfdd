"""Lets the tests of this folder share their stub of the webui."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from webui_page import Page
from webui_stub import StubWebui


@pytest.fixture(params=["a1111", "forge"])
def webui(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> StubWebui:
    """A stand-in for each family of hosts, with our script loaded the way the host loads it."""
    return StubWebui(request.param, monkeypatch)


@pytest.fixture
def page(webui: StubWebui) -> Page:
    """That webui's page."""
    return Page(webui)
