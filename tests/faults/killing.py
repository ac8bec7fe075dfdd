"""Kill -9 at a seeded moment, run again, compare: the jobs run in children of a process that has loaded everything.

A moment is either a share of the time that the undisturbed job took, or the n-th time that it touches a file: around
those most can go wrong.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.faults.jobs import JOBS, Job, Results, prepare

_TOUCHES = ("open", "os.rename", "os.remove", "os.mkdir", "os.chmod", "os.truncate", "tempfile.mkstemp")
_TRIES = 3
"""Kills of one case, one after the other; then the job is left to finish."""
DONE, KILLED = 0, -int(signal.SIGKILL)


@dataclass(frozen=True)
class Calm:
    """What a job does when nobody disturbs it."""

    results: Results
    touches: int
    seconds: float


def run(
    arguments: list[str], log: Path, before: Callable[[], None], kill_at_touch: int = 0, kill_after: float = 0.0
) -> tuple[int, int]:
    """Run a command in a child; its status (negative for a signal), and how often it touched a file."""
    counted, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(counted)
        _be_the_job(arguments, log, before, kill_at_touch, told)
    os.close(told)
    if kill_after:
        time.sleep(kill_after)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    with os.fdopen(counted, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), int(said or b"0")


def _be_the_job(arguments: list[str], log: Path, before: Callable[[], None], kill_at_touch: int, told: int) -> None:
    """In the child: count, run, leave without the parent's clean-up."""
    touches, status = 0, 99
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)

    def count(event: str, args: tuple[object, ...]) -> None:
        nonlocal touches
        if event in _TOUCHES:
            touches += 1
            if touches == kill_at_touch:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        from negopt_core.cli import main

        sys.stdout, sys.stderr = io.TextIOWrapper(os.fdopen(1, "wb")), io.TextIOWrapper(os.fdopen(2, "wb"))
        before()
        sys.addaudithook(count)
        status = main(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # this process ends below whatever happens, and nobody else would say why
        os.write(2, traceback.format_exc().encode())
    finally:
        os.write(told, str(touches).encode())
        os._exit(status)


class Killer:
    """Kills jobs in folders under `root`."""

    def __init__(self, root: Path) -> None:
        self.root, self.shared = root, root / "shared"
        self.shared.mkdir(parents=True)
        for command in prepare(self.shared):
            self._finish(command, "prepare", lambda: None)
        self._calm: dict[str, Calm] = {}

    def calm(self, name: str) -> Calm:
        """The undisturbed run, once."""
        if name not in self._calm:
            folder = self._folder(f"calm-{name}")
            began = time.monotonic()
            touches = self._finish(*self._work(name, folder))
            self._calm[name] = Calm(JOBS[name].results(folder), touches, time.monotonic() - began)
        return self._calm[name]

    def kill(self, name: str, number: int) -> str:
        """One case: some kills, then a run to the end; returns what is wrong, or nothing."""
        job, calm, draw = JOBS[name], self.calm(name), random.Random(f"{name} {number}")
        folder, kills = self._folder(f"{name}-{number}"), 0
        for _ in range(_TRIES):
            at_touch = draw.randint(1, calm.touches) if draw.random() < 0.6 else 0
            after = 0.0 if at_touch else draw.uniform(0.0, calm.seconds)
            arguments, _, before = self._work(name, folder)
            status, _ = run(arguments, self.log(name), before, at_touch, after)
            kills += status == KILLED
            if status not in (DONE, KILLED):
                return f"{name} {number}: the job ended with {status}; see {self.log(name)}"
            if fault := self._damaged(job, folder, calm):
                return f"{name} {number}, after {kills} kills: {fault}"
            if status == DONE or job.is_done(folder):
                break
        if not job.is_done(folder):
            self._finish(*self._work(name, folder))
        left = {key: value for key, value in job.results(folder).items() if calm.results.get(key) != value}
        lost = [key for key in calm.results if key not in job.results(folder)]
        return f"{name} {number}, after {kills} kills: differs in {sorted(left)}, lacks {lost}" if left or lost else ""

    def _work(self, name: str, folder: Path) -> tuple[list[str], str, Callable[[], None]]:
        """What a job runs in a folder, its name, and what comes first."""
        job = JOBS[name]
        return job.arguments(folder, self.shared), name, lambda: job.before(folder)

    def log(self, name: str) -> Path:
        """What the children said."""
        return self.root / f"{name}.log"

    def _damaged(self, job: Job, folder: Path, calm: Calm) -> str:
        """A file under its final name is whole, even right after a kill."""
        for path in folder.glob(job.whole_files):
            if path.is_dir() and job.results(folder) != calm.results:
                return f"{path.name} was there before it was whole"
            if path.suffix == ".safetensors":
                from safetensors import safe_open

                with safe_open(path, framework="pt") as file:
                    for key in file.keys():  # noqa: SIM118 - safe_open is not a mapping
                        file.get_tensor(key)
            elif path.suffix == ".png" and not job.results(folder).keys() <= calm.results.keys():
                return f"{path.name} is no picture of the undisturbed run"
            elif path.suffix == ".jsonl" and job.results(folder)["kept"] != calm.results["kept"]:
                return f"{path.name} was there before it was whole"
        return ""

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        folder.mkdir()
        return folder

    def _finish(self, arguments: list[str], name: str, before: Callable[[], None]) -> int:
        status, touches = run(arguments, self.log(name), before)
        if status != DONE:
            raise RuntimeError(f"{arguments[:2]} ended with {status}:\n{self.log(name).read_text()[-2000:]}")
        return touches
