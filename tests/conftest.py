"""What holds for every test: no network beyond this machine, no hub, no setting of the user's own."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ.pop("HF_TOKEN", None)
os.environ.setdefault("OMP_NUM_THREADS", "1")  # a worker for each core does more than a thread for each

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long first, so that no worker is left with it while the others have nothing to do."""
    items.sort(key=lambda item: (not item.get_closest_marker("host"), not item.get_closest_marker("slow")))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `-n`: a file is one worker's, so that what its tests share is made once, and ComfyUI is one worker's."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "tests/nodes" if file.startswith("tests/nodes/") else file

    config.option.loadscopereorder = False  # our own order, see above
    return ByFile(config, log)


_of_workers: list[str] = []


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist has ended."""
    _of_workers.append(getattr(node, "workeroutput", {}).get("tried", ""))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Processes that outlive their test, and fixtures of modules, count too."""
    said = tried() + "".join(_of_workers)
    TRIES.parent.rmdir()
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["tried"] = said
    elif said:
        sys.stderr.write(f"\nour code tried to reach the network, outside of a test:\n{said}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
