"""Makes the files in tools/lock anew: every package that `make` installs, for Python 3.10 to 3.13 and each system.

    python tools/make_lock.py     from requirements-dev.txt and tests/fuzz/requirements.txt; PIP_INDEX_URL is honoured

uv resolves once for all systems and writes markers; plain pip installs the result (tools/setup_env.py does).
`dev.txt` and `fuzz.txt` hold hashes. torch stands apart in `torch.txt` without them: it comes as builds with and
without CUDA, from several indexes, under one version. The CUDA packages that some builds ask for are pinned in
`torch-cuda.txt`, as constraints.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from lock_file import LOCKS, ROOT, Locked, sign
from pip_run import SetupError, child_env
from setup_env import python_in, set_up

CUDA = re.compile(r"(nvidia|cuda)-|triton$")
"""Packages that only CUDA builds of torch ask for."""


def main() -> int:
    """Write the files; the exit status is 0, or 1 after one line on stderr."""
    try:
        set_up(ROOT / ".venv-lock", [LOCKS / "uv.txt"])
        dev = resolve(ROOT / "requirements-dev.txt")
        torch = [one for one in dev if one.name == "torch"]
        cuda = [one for one in dev if CUDA.match(one.name)]
        rest = [one for one in dev if one not in torch and one not in cuda]
        write("dev.txt", "".join(one.text for one in rest), ROOT / "requirements-dev.txt")
        write("torch.txt", "".join(one.pin for one in torch) + "-c torch-cuda.txt\n", ROOT / "requirements-dev.txt")
        write("torch-cuda.txt", "".join(one.pin for one in cuda), ROOT / "requirements-dev.txt")
        fuzz = ROOT / "tests" / "fuzz" / "requirements.txt"
        write("fuzz.txt", "".join(one.text for one in resolve(fuzz)), fuzz)
    except SetupError as error:
        print(f"negopt: {error}", file=sys.stderr)
        return 1
    return 0


def resolve(requirements: Path) -> list[Locked]:
    """What uv makes of a file of requirements, for every system and Python 3.10 and newer."""
    command = [str(python_in(ROOT / ".venv-lock")), "-m", "uv", "pip", "compile", "--universal", "--no-config"]
    command += ["--python-version", "3.10", "--generate-hashes", "--no-annotate", "--no-header", str(requirements)]
    environment = child_env()
    if index := os.environ.get("PIP_INDEX_URL"):
        environment["UV_DEFAULT_INDEX"] = index
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SetupError(f"uv cannot resolve {requirements.name}: {' '.join(done.stderr.split())[:400]}")
    return [Locked(entry) for entry in re.findall(r"^\S.*(?:\n[ \t]+\S.*)*\n", done.stdout, re.MULTILINE)]


def write(name: str, body: str, source: Path) -> None:
    """One file with its header."""
    (LOCKS / name).write_text(sign(body, source), encoding="utf-8")
    print(f"tools/lock/{name}: {len(re.findall('^[a-z]', body, re.MULTILINE))} pins")


if __name__ == "__main__":
    sys.exit(main())
