"""`python -m bench.waiting`: commands whose threads spin while they wait against threads that sleep (`wait_kindly`).

Both in turn, each in a process of its own, so that what else the machine does meets both; the ratio of a pair counts.
`--busy 1` lets one process beside them use a core.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from .result import ROOT

_SPIN = {"GOMP_SPINCOUNT": "300000"}
"""What libgomp does unless told otherwise; it comes before the wait policy."""
_BUSY = "while True: sum(range(100_000))"
_COMMANDS = {
    "demo": "-m negopt_core demo -o {out}",
    "train ppo, 2 steps": "-m negopt_core train ppo --policy world-negative --prompts world --steps 2 --run {out}",
    "a part of the suite": "-m pytest -q -p no:cacheprovider tests/paint/test_painter.py tests/policy/test_language.py",
}


def seconds(command: str, changed: dict[str, str]) -> float:
    """Time of one run, with every other setting of threads as it is by default."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_", "KMP_"))}
    with tempfile.TemporaryDirectory() as out:
        words = [sys.executable, *command.format(out=out).split()]
        start = time.perf_counter()
        subprocess.run(words, cwd=ROOT, env={**clean, **changed}, check=True, capture_output=True)
        return time.perf_counter() - start


def main() -> None:
    """Print a row of the table for each command."""
    parser = argparse.ArgumentParser(prog="bench.waiting", description=__doc__)
    parser.add_argument("--pairs", type=int, default=3, help="runs of each side (default %(default)s)")
    parser.add_argument("--busy", type=int, default=0, help="processes that use a core beside them (default 0)")
    parser.add_argument("--only", choices=_COMMANDS, action="append")
    args = parser.parse_args()
    beside = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(args.busy)]
    try:
        for name in args.only or _COMMANDS:
            pairs = [(seconds(_COMMANDS[name], _SPIN), seconds(_COMMANDS[name], {})) for _ in range(args.pairs)]
            ratios = [spinning / sleeping for spinning, sleeping in pairs]
            before, after = (statistics.median(side) for side in zip(*pairs, strict=True))
            low, high = min(ratios), max(ratios)
            print(
                f"| {name} | {args.busy} | {before:.1f} s | {after:.1f} s | "
                f"{statistics.median(ratios):.2f} x ({low:.2f} to {high:.2f}, n={len(ratios)}) |",
                flush=True,
            )
    finally:
        for one in beside:
            one.kill()


if __name__ == "__main__":
    main()
