"""A step of PPO at real sizes, where there is a GPU: the first lines of `python -m bench.real_size`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from .result import ROOT, Result

_NAME = "PPO step at real sizes on a GPU (`python -m bench.real_size --device cuda`)"


def on_gpu() -> Iterator[Result]:
    """A row for each of its lines; skipped without a GPU."""
    import torch

    if not torch.cuda.is_available():
        yield Result(_NAME, "skipped: there is no GPU here", "none", None)
        return
    command = [sys.executable, "-m", "bench.real_size", "--device", "cuda"]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    if done.returncode:
        yield Result(_NAME, f"did not run: {done.stderr.strip().splitlines()[-1:]}", "none", False)
        return
    for line in done.stdout.splitlines():
        yield Result(_NAME, line.strip().replace("|", "/"), "none", True)
