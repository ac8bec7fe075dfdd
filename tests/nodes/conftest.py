"""One ComfyUI for the tests of this folder; lets them share `host.py` and its neighbours."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from host import INSIDE, Host, find_host
from server import Server, furnish, running


@pytest.fixture(scope="session")
def host() -> Host:
    """The ComfyUI to test in."""
    host = find_host()
    if not isinstance(host, Host):
        pytest.skip(host)
    return host


@pytest.fixture(scope="session")
def server(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with those policies and a tiny random checkpoint."""
    base = tmp_path_factory.mktemp("comfyui")
    furnish(base)
    checkpoint = base / "models" / "checkpoints" / "tiny.safetensors"
    subprocess.run([host.python, "write_checkpoint.py", checkpoint], cwd=INSIDE, env=host.environment, check=True)
    with running(host, base) as server:
        yield server
