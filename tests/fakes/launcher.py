"""Starts processes as torchrun and accelerate do: one command each, with the variables that those set."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

PATIENCE = 600


@dataclass(frozen=True)
class Ended:
    """How a process ended, and its last line."""

    code: int
    line: str


def launch_together(commands: Sequence[Sequence[str]]) -> list[Ended]:
    """Run all commands at once as processes of one job on this machine; how each ended."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = {"WORLD_SIZE": str(len(commands)), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    started = [
        subprocess.Popen(
            command,
            env={**os.environ, "OMP_NUM_THREADS": "1", **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, command in enumerate(commands)
    ]
    try:
        lines = [process.communicate(timeout=PATIENCE)[1].strip().splitlines() for process in started]
    finally:
        for process in started:
            process.kill()
    return [Ended(process.returncode, (told or [""])[-1]) for process, told in zip(started, lines, strict=True)]
