"""Jobs that need each other's results, a few at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Protocol, TypeVar

from ...errors import TrainingError

log = logging.getLogger("negopt")


class Job(Protocol):
    """Something to run once."""

    @property
    def name(self) -> str:
        """Its name among the jobs."""
        ...

    @property
    def needs(self) -> str:
        """The job that has to be done before; "" for none."""
        ...


J = TypeVar("J", bound=Job)


def run_jobs(jobs: Sequence[J], is_done: Callable[[str], bool], run: Callable[[J], None], at_once: int) -> None:
    """Run the jobs, `at_once` at a time, each when `is_done` says so of what it needs.

    An error of a job ends the rest, after what runs has ended. TrainingError if nothing makes what a job needs.
    """
    waiting = list(jobs)
    running: dict[Future[None], J] = {}
    with ThreadPoolExecutor(at_once) as pool:
        while waiting or running:
            for job in [one for one in waiting if not one.needs or is_done(one.needs)]:
                if len(running) < at_once:
                    waiting.remove(job)
                    running[pool.submit(run, job)] = job
            if not running:
                raise TrainingError(f"nothing makes {waiting[0].needs}, which {waiting[0].name} starts from")
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                name = running.pop(future).name
                future.result()
                log.info("%s is done; %d runs left", name, len(waiting) + len(running))
