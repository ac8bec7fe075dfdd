"""Coverage-guided fuzzing of the targets with Atheris (libFuzzer): `make fuzz`, `make fuzz-short`.

One process for each target, one after the other. What reaches new lines is kept in `out/fuzz/TARGET`; what breaks a
promise is written to `out/fuzz/found/TARGET`, and the exit status is 1. Add such an input to `tests/fuzz/corpus/TARGET`
together with the fix: `test_fuzz.py` tries the corpus with every test run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MEMORY_MB, INPUT_SECONDS = 2048, 20
"""What one process and one input may take before that is a finding."""


@dataclass(frozen=True)
class Limits:
    """Of one target: inputs, seconds (0: none), the seed, bytes of an input."""

    runs: int
    seconds: float
    seed: int
    longest: int


def main() -> int:
    """Fuzz every target in turn and report; 1 if anything was found."""
    args = _arguments()
    if args.inside:
        return _fuzz_one(args.inside, args.rest)
    from tests.fuzz.targets import TARGETS

    names = args.target or list(TARGETS)
    limits = Limits(args.runs // len(names), args.seconds / len(names), args.seed, args.longest)
    rows = [_run(name, limits, args.out) for name in names]
    total = sum(row["inputs"] for row in rows)
    (args.out / "report.json").write_text(json.dumps({"inputs": total, "targets": rows}, indent=2) + "\n")
    for row in rows:
        print(f"{row['target']:16} {row['inputs']:10,d} inputs {row['seconds']:8.0f} s  {row['covered']:6,d} places  "
              f"{row['corpus']:5d} kept  {'FOUND ' + row['found'] if row['found'] else 'ok'}")  # fmt: skip
    print(f"{'all':16} {total:10,d} inputs")
    return int(any(row["found"] for row in rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--target", action="append", metavar="NAME", help="only this one (may be repeated)")
    parser.add_argument("--runs", type=int, default=10_000_000, help="inputs for all targets together")
    parser.add_argument("--seconds", type=float, default=0.0, help="stop after so long, all together (0: never)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=int, default=4096, metavar="BYTES", help="of one input (default %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "fuzz", metavar="DIR")
    parser.add_argument("--inside", metavar="NAME", help=argparse.SUPPRESS)  # how the processes are started
    args, args.rest = parser.parse_known_args()
    return args


def _run(name: str, limits: Limits, out: Path) -> dict[str, object]:
    """Fuzz one target in a process of its own."""
    kept, found = out / name, out / "found" / name
    kept.mkdir(parents=True, exist_ok=True)
    found.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    command = [
        sys.executable, "-m", "tests.fuzz", "--inside", name, str(kept), str(HERE / "corpus" / name),
        f"-runs={limits.runs}", f"-seed={limits.seed}", f"-artifact_prefix={found}/", f"-dict={HERE / 'tokens.dict'}",
        f"-rss_limit_mb={MEMORY_MB}", f"-timeout={INPUT_SECONDS}", f"-max_len={limits.longest}", "-print_final_stats=1",
        *([f"-max_total_time={max(1, round(limits.seconds))}"] if limits.seconds else []),
    ]  # fmt: skip
    began = time.monotonic()
    log = out / f"{name}.log"
    with log.open("wb") as stream:
        status = subprocess.run(command, cwd=ROOT, stdout=stream, stderr=stream, check=False).returncode
    said = log.read_text(errors="replace")
    new = sorted(path.name for path in set(found.iterdir()) - before)
    if status and not new:  # libFuzzer keeps the input of everything that it counts as a crash
        sys.stderr.write(said[-3000:])
        raise SystemExit(f"the fuzzer itself failed on {name}, status {status}")
    if new:
        sys.stderr.write(said[-3000:])
    return {
        "target": name,
        "inputs": _last(said, r"stat::number_of_executed_units:\s*(\d+)") or _last(said, r"^#(\d+)"),
        "seconds": round(time.monotonic() - began, 1),
        "covered": _last(said, r"cov: (\d+)"),
        "corpus": len(list(kept.iterdir())),
        "found": ", ".join(new),
    }


def _last(text: str, pattern: str) -> int:
    return int((re.findall(pattern, text, re.MULTILINE) or ["0"])[-1])


def _fuzz_one(name: str, rest: list[str]) -> int:
    import atheris

    with atheris.instrument_imports(include=["negopt_core"]):
        from tests.fuzz import targets
    target = targets.TARGETS[name]
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:  # noqa: PTH112
        place = Path(folder)
        atheris.Setup([sys.argv[0], *rest], lambda data: target(data, place))
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
