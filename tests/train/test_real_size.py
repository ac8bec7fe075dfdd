"""The benchmark at real sizes, with tiny networks: its code, not its figures."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_real_size_benchmark_runs_where_there_is_no_gpu() -> None:
    command = [sys.executable, "-m", "bench.real_size", "--tiny", "--device", "cpu", "--batch", "2", "--steps", "2"]
    done = subprocess.run([*command, "--repeats", "1"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("cpu, torch ") and "2 pictures of 2 steps" in lines[0]
    assert [line for line in lines if "x the bare pipeline" in line and "channels last" in line]
    steps = [line for line in lines if line.startswith("- PPO step of")]
    assert len(steps) == 2 and all("writing" in line and "painting" in line and "scoring" in line for line in steps)
