"""The same seed gives the same bytes in two processes: suggestions, splits, training, pictures and their records."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("same_bytes.py")


def hashes(folder: Path, hash_seed: str) -> dict[str, str]:
    """What one process makes; the order of sets of words differs from process to process."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1].removeprefix("@"))
    return found


def test_two_processes_make_the_same_bytes(tmp_path: Path) -> None:
    first, other = (hashes(tmp_path / name, seed) for name, seed in (("first", "1"), ("other", "2")))
    assert [name for name in first if first[name] != other.get(name)] == [] and first.keys() == other.keys()
    for made in ("parts/train.jsonl", "run/metrics.jsonl", "run/checkpoint.safetensors", "taught/model.safetensors",
                 "taught/policy.json", "ppo/metrics.jsonl", "ppo/export/model.safetensors", "painted/00005.png",
                 "painted/00006.png"):  # fmt: skip
        assert made in first, sorted(first)
    assert first["painted/00005.png"] != first["painted/00006.png"]
