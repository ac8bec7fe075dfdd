"""Processes of our own code: forks of one that has imported the libraries, which else costs each of them ten seconds.

Where there is no fork, each is a new Python that does the same. A test whose subject is the start of Python itself,
its hash seed or what it imports uses `subprocess`.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

PATIENCE = 600
LIBRARIES = "tests.fakes.libraries"
"""What the process that is forked imports."""
_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


@dataclass(frozen=True)
class Ended:
    """How a process ended, and its last line."""

    code: int
    line: str


def start(work: Callable[[], Any], log: Path, **environment: str) -> BaseProcess:
    """A process that ends with what `work` returns, as `sys.exit` does; its stdout and stderr go to `log`."""
    context: Any = multiprocessing.get_context(_METHOD)
    context.set_forkserver_preload([LIBRARIES])
    process: BaseProcess = context.Process(target=_be, args=(work, {**os.environ, **environment}, str(log)))
    process.start()
    return process


def launch_together(jobs: Sequence[Callable[[], Any]]) -> list[Ended]:
    """Run all as processes of one job on this machine, with the variables that torchrun and accelerate set."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = {"WORLD_SIZE": str(len(jobs)), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    with tempfile.TemporaryDirectory() as folder:
        logs = [Path(folder) / f"{rank}.txt" for rank in range(len(jobs))]
        started = [
            start(work, log, OMP_NUM_THREADS="1", **shared, RANK=str(rank), LOCAL_RANK=str(rank))
            for rank, (work, log) in enumerate(zip(jobs, logs, strict=True))
        ]
        try:
            for process in started:
                process.join(PATIENCE)
        finally:
            for process in started:
                process.kill()
                process.join()
        lines = [log.read_text(encoding="utf-8").strip().splitlines() for log in logs]
    return [Ended(int(one.exitcode or 0), (told or [""])[-1]) for one, told in zip(started, lines, strict=True)]


def _be(work: Callable[[], Any], environment: dict[str, str], log: str) -> None:
    """In the process."""
    os.environ.clear()
    os.environ.update(environment)
    told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(told, 1)
    os.dup2(told, 2)
    sys.exit(work())
