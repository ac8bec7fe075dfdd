"""The folder that is published in the registry, as the only node pack of a ComfyUI."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
from graphs import runnable
from host import Host
from PIL import Image
from server import REPOSITORY, Server, running

pytestmark = [pytest.mark.host, pytest.mark.slow]
SAME = 8.0
"""Mean difference of pixels, of 255: weights in 8 bits move a picture by less."""


def painted(server: Server) -> numpy.ndarray:
    workflow = json.loads((REPOSITORY / "example_workflows" / "01 One click.json").read_text(encoding="utf-8"))
    (png,) = server.pictures(server.run(runnable(workflow, server.ask("/object_info")), workflow))
    return numpy.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=float)


def test_the_archive_works_as_the_repository_does(host: Host, server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "negopt"
    command = [sys.executable, REPOSITORY / "tools" / "registry.py", folder, "--publisher", "me"]
    subprocess.run([*command, "--repository", "https://github.com/me/negopt"], check=True, capture_output=True)
    with running(host, tmp_path / "comfyui", folder) as published:
        assert "IMPORT FAILED" not in (published.base / "log.txt").read_text()
        difference = numpy.abs(painted(published) - painted(server)).mean()
    assert difference < SAME, difference
