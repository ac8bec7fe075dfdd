"""The metrics of a run as TensorBoard event files too, where `tensorboard` is installed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ...needs import missing_package

log = logging.getLogger("negopt")

EVENTS = "tensorboard"

OnStep = Callable[[int, Mapping[str, float]], None]


@contextmanager
def event_files(folder: Path) -> Iterator[OnStep]:
    """What takes in each step's metrics and writes them under `folder`/tensorboard.

    A run that goes on from a checkpoint takes the steps after it back. Without `tensorboard` one line says so and
    nothing is written.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        log.warning("no event files, but metrics.jsonl has it all: %s", missing_package(error) or error)
        yield ignore
        return
    opened: list[SummaryWriter] = []

    def write(step: int, metrics: Mapping[str, float]) -> None:
        if not opened:  # only now it is known where the run goes on
            opened.append(SummaryWriter(str(folder / EVENTS), purge_step=step))
        for name, value in metrics.items():
            opened[0].add_scalar(name, value, step)

    try:
        yield write
    finally:
        for writer in opened:
            writer.close()


def ignore(step: int, metrics: Mapping[str, float]) -> None:
    """Takes in metrics and does nothing."""
