"""`make faults`: kill -9 at 50 seeded moments of each job, run again, compare. About a minute for each job on a quiet
machine; exit status 1 if anything was lost or came out otherwise."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.faults.jobs import JOBS
from tests.faults.killing import Killer


def main(words: Sequence[str] | None = None) -> int:
    """Kill and compare; a line for each job."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--moments", type=int, default=50, help="kills that each job goes through, at least")
    parser.add_argument("--first", type=int, default=0, help="number of the first case: another one, other moments")
    parser.add_argument("--job", action="append", choices=list(JOBS), help="only this one (may be repeated)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the folders here")
    args = parser.parse_args(words)
    faults = []
    with tempfile.TemporaryDirectory() as scratch, hub_of_our_own():
        import tests.fakes.libraries  # noqa: F401 - shared by the children; after the hub's address is known

        killer = Killer((args.keep or Path(scratch)) / "faults")
        for name in args.job or JOBS:
            began, found = time.monotonic(), []
            for number in range(args.first, args.first + args.moments):
                if fault := killer.kill(name, number):
                    found.append(fault)
                    print(fault, flush=True)
            took = time.monotonic() - began
            print(f"{name:8} {args.moments} cases, {len(found)} faults, {took:.0f} s", flush=True)
            faults += found
    return int(bool(faults))


@contextmanager
def hub_of_our_own() -> Iterator[None]:
    """A slow hub in another process, which huggingface_hub, once imported, takes for the hub."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.hub"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as hub:
        try:
            assert hub.stdout is not None
            os.environ["HF_ENDPOINT"] = hub.stdout.readline().strip()
            for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
                os.environ.pop(name, None)
            yield
        finally:
            hub.kill()


if __name__ == "__main__":
    sys.exit(main())
