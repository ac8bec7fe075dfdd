"""The benchmark at real sizes, with tiny networks: its code, not its figures."""

from functools import partial
from pathlib import Path

import pytest

from bench.real_size import main
from tests.fakes.launcher import start

pytestmark = pytest.mark.slow


def test_the_real_size_benchmark_runs_where_there_is_no_gpu(tmp_path: Path) -> None:
    words = ["--tiny", "--device", "cpu", "--batch", "2", "--steps", "2", "--repeats", "1"]
    running = start(partial(main, words), tmp_path / "said.txt")
    running.join()
    said = (tmp_path / "said.txt").read_text()
    assert running.exitcode == 0, said
    lines = said.splitlines()
    assert lines[0].startswith("cpu, torch ") and "2 pictures of 2 steps" in lines[0]
    assert [line for line in lines if "x the bare pipeline" in line and "channels last" in line]
    steps = [line for line in lines if line.startswith("- PPO step of")]
    assert len(steps) == 2 and all("writing" in line and "painting" in line and "scoring" in line for line in steps)
