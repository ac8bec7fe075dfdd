"""What holds for every test: no network beyond this machine, no hub, no setting of the user's own."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ.pop("HF_TOKEN", None)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # started in the background of a script: without this no test, and no process it starts, could be interrupted
    signal.signal(signal.SIGINT, signal.default_int_handler)

GUARD = str(Path(__file__).parent / "guard")
TRIES = Path(tempfile.mkdtemp(prefix="negopt-tests-")) / "network"
"""Where every process of the suite notes what code of ours tried to reach."""

os.environ["NEGOPT_TEST_NETWORK_LOG"] = str(TRIES)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (GUARD, os.environ.get("PYTHONPATH"))))
sys.path.append(GUARD)

import network_guard  # noqa: E402

from negopt_core.own_process import wait_kindly  # noqa: E402

network_guard.install()
wait_kindly()


def tried() -> str:
    """What was tried since the last question."""
    said = TRIES.read_text(encoding="utf-8") if TRIES.exists() else ""
    TRIES.unlink(missing_ok=True)
    return said


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """A test in which our code reaches out fails, even where the code gets over it: nothing connects unasked."""
    yield
    said = tried()
    assert not said, f"our code tried to reach the network:\n{said}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Processes that outlive their test, and fixtures of modules, count too."""
    if said := tried():
        sys.stderr.write(f"\nour code tried to reach the network, outside of a test:\n{said}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    TRIES.parent.rmdir()
