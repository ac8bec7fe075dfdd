"""Makes the project's environment in .venv, or does nothing if it is already right. Run by the Makefile; stdlib only.

What it installs is pinned in tools/lock, every package, with hashes; torch has none (see tools/make_lock.py). A stamp
in .venv holds a hash of those files and of the Python; while it matches, this returns at once. A working .venv without
a stamp is adopted: only what it lacks is installed. A first run that was interrupted leaves a mark, and the next run
starts over. Runs that overlap wait for each other. pip's own settings (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL,
PIP_FIND_LINKS, a pip.conf) decide where packages come from.

Written so that Python 3.7 can run it: an old Python gets far enough to find a newer one.
"""

import argparse
import contextlib
import errno
import hashlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Iterator, List, Optional, Tuple

from lock_file import LOCKS, check
from pip_run import DISK_FULL, SetupError, explain, install, last_line, run

OLDEST, NEWEST = (3, 10), (3, 13)
TRY_ON_PATH = ("python3.11", "python3.12", "python3.13", "python3.10")
STAMP, UNFINISHED = "negopt-stamp", "negopt-unfinished"
REQUIREMENTS_HELP = "what it holds; may be given again (default: dev.txt and torch.txt of tools/lock)"


def main(argv: Optional[List[str]] = None) -> int:
    """Set up the environment; the exit status is 0, or 1 after one line on stderr."""
    root = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description="Make the project's environment, unless it is already right.")
    parser.add_argument("--venv", type=Path, default=root / ".venv", help="where it lives (default: .venv at the root)")
    parser.add_argument("--requirements", type=Path, action="append", metavar="FILE", help=REQUIREMENTS_HELP)
    parser.add_argument("--no-hashes", action="store_true", help="for an index that serves rebuilt packages")
    args = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that pip is stopped too
    try:
        set_up(args.venv, args.requirements or [LOCKS / "dev.txt", LOCKS / "torch.txt"], not args.no_hashes)
    except SetupError as error:
        print("negopt: " + str(error), file=sys.stderr)
        return 1
    except OSError as error:
        print(f"negopt: {DISK_FULL if error.errno == errno.ENOSPC else f'set-up failed: {error}'}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nnegopt: set-up interrupted; the next run carries on", file=sys.stderr)
        return 130
    return 0


def set_up(venv: Path, requirements: List[Path], with_hashes: bool = True) -> None:
    """Bring `venv` to the state that files of requirements ask for, in their order."""
    if is_ready(venv, requirements):
        return
    with lock(venv):
        if is_ready(venv, requirements):  # someone else did it while we waited
            return
        for file in requirements:
            check(file)
        started = time.monotonic()
        prepare_venv(venv)
        with contextlib.suppress(FileNotFoundError):
            (venv / STAMP).unlink()
        print(f"negopt: installing into {venv} (the first time this takes some minutes)", flush=True)
        for file in requirements:
            install(python_in(venv), venv, file, with_hashes)
        write_stamp(venv, requirements)
        print(f"negopt: the environment is ready after {time.monotonic() - started:.0f} s", flush=True)


def python_in(venv: Path) -> Path:
    """The interpreter of an environment, whether or not it exists."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint(venv: Path, requirements: List[Path]) -> str:
    """Changes when the requirements or the environment's Python change."""
    files = [*requirements, *(LOCKS / "torch-cuda.txt" for file in requirements if file == LOCKS / "torch.txt")]
    digest = hashlib.sha256()
    for path in [*files, venv / "pyvenv.cfg"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_ready(venv: Path, requirements: List[Path]) -> bool:
    """True if the stamp says that nothing is left to do."""
    try:
        stamp = (venv / STAMP).read_text(encoding="utf-8").strip()
        return python_in(venv).exists() and stamp == fingerprint(venv, requirements)
    except FileNotFoundError:
        return False


def write_stamp(venv: Path, requirements: List[Path]) -> None:
    """Record success; written beside and renamed, so that it is never half there."""
    beside = venv / (STAMP + ".new")
    beside.write_text(fingerprint(venv, requirements) + "\n", encoding="utf-8")
    beside.replace(venv / STAMP)
    with contextlib.suppress(FileNotFoundError):
        (venv / UNFINISHED).unlink()


@contextlib.contextmanager
def lock(venv: Path) -> Iterator[None]:
    """Hold `<venv>.lock` while setting up; the system lets go of it when we and the pip we started are gone."""
    path = venv.with_name(venv.name + ".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        os.set_inheritable(file.fileno(), True)
        waited = False
        while not try_lock(file.fileno()):
            if not waited:
                print("negopt: another set-up is running here; waiting for it", flush=True)
            waited = True
            time.sleep(0.5)
        yield


def try_lock(descriptor: int) -> bool:
    """Take the lock if it is free."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def prepare_venv(venv: Path) -> None:
    """Make the environment, unless there is one that works and was not left unfinished."""
    if (venv / UNFINISHED).exists():
        print("negopt: an earlier set-up was interrupted; starting over", flush=True)
        shutil.rmtree(str(venv))
    version = version_of([str(python_in(venv))])
    if version and OLDEST <= version <= NEWEST:
        ensure_pip(venv)
        return
    if (venv / STAMP).exists():
        print(f"negopt: the Python in {venv} is gone; making the environment again", flush=True)
        shutil.rmtree(str(venv))
    elif venv.exists():
        raise SetupError(f"{venv} is in the way: no Python 3.10 to 3.13 runs in it; move it away and run this again")
    make_venv(venv, choose_python())
    ensure_pip(venv)


def make_venv(venv: Path, python: str) -> None:
    """Create an environment, marked as unfinished until its packages are in."""
    print(f"negopt: making {venv} with {python}", flush=True)
    venv.mkdir(parents=True)
    (venv / UNFINISHED).touch()
    made = run([python, "-m", "venv", str(venv)])
    if made.returncode == 0:
        return
    shutil.rmtree(str(venv), ignore_errors=True)
    explain(made.stdout)
    if "No module named venv" in made.stdout or "ensurepip" in made.stdout:
        raise SetupError(
            f"{python} lacks its venv module, which makes environments: install it "
            "(Debian and Ubuntu: apt install python3-venv) and run this again"
        )
    raise SetupError(f"{python} -m venv failed: {last_line(made.stdout)}")


def ensure_pip(venv: Path) -> None:
    """An environment made without pip gets the one that Python carries."""
    python = str(python_in(venv))
    if run([python, "-m", "pip", "--version"]).returncode == 0:
        return
    got = run([python, "-m", "ensurepip"])
    if got.returncode != 0:
        raise SetupError(
            f"{python} has no pip and cannot make one: install pip for it (Debian and Ubuntu: apt install "
            "python3-pip python3-venv), remove .venv and run this again"
        )


def choose_python() -> str:
    """The running Python if it is 3.10 to 3.13, else the first such Python on PATH."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return sys.executable
    for name in TRY_ON_PATH:
        found = shutil.which(name)
        version = version_of([found]) if found else None
        if found and version and OLDEST <= version <= NEWEST:
            return found
    here = ".".join(map(str, sys.version_info[:3]))
    raise SetupError(f"negopt needs Python 3.10 to 3.13; this is {here} and there is no other on PATH; install one")


def version_of(command: List[str]) -> Optional[Tuple[int, int]]:
    """The (major, minor) of an interpreter, or None if it does not run."""
    try:
        said = run([*command, "-c", "import sys; print(*sys.version_info[:2])"])
    except OSError:
        return None
    parts = said.stdout.split()
    return (int(parts[0]), int(parts[1])) if said.returncode == 0 and len(parts) == 2 else None


if __name__ == "__main__":
    sys.exit(main())
