"""What a process of our own is given before torch is imported: a command, a test, a benchmark. Never a host."""

from __future__ import annotations

import os

_WAIT = "OMP_WAIT_POLICY"


def wait_kindly() -> None:
    """Threads of torch that wait for each other sleep instead of spinning, unless the user chose.

    A thread that spins on a busy machine keeps the core from the one it waits for (`python -m bench.waiting`, with
    figures in docs/dev/decisions.md).
    Processes started from this one inherit it. Once torch is imported it comes too late.
    """
    os.environ.setdefault(_WAIT, "PASSIVE")
