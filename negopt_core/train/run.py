"""A run folder: config.json, metrics.jsonl, a checkpoint that the next step depends on; stopped and resumed at will."""

from __future__ import annotations

import json
import logging
import platform
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from .. import __version__
from ..errors import Cancelled, TrainingError
from ..files import write_text
from .checkpoint import load_checkpoint, save_checkpoint
from .progress import Pace

log = logging.getLogger("negopt")

CONFIG, METRICS, CHECKPOINT = "config.json", "metrics.jsonl", "checkpoint.safetensors"


class Trainable(Protocol):
    """What a run can keep: everything that decides the next step."""

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The optimiser."""
        ...

    @property
    def rng(self) -> torch.Generator:
        """The random state behind every draw."""
        ...

    def modules(self) -> Mapping[str, nn.Module]:
        """Modules by name."""
        ...

    def numbers(self) -> dict[str, float]:
        """Everything else, as numbers."""
        ...

    def restore(self, numbers: Mapping[str, float]) -> None:
        """Take `numbers` back."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """One run's folder. Opening it again with another configuration is refused: the figures would lie."""

    folder: Path

    @classmethod
    def open(cls, folder: Path, config: Mapping[str, Any]) -> Run:
        """Make or reopen a folder; TrainingError if it holds a run with other settings."""
        run = cls(folder)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / CONFIG
        wanted = json.loads(json.dumps(config, default=str))
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))["settings"]
            changed = [key for key in sorted({*kept, *wanted}) if kept.get(key) != wanted.get(key)]
            if changed:
                raise TrainingError(
                    f"{folder} holds a run with other settings ({', '.join(changed)}); choose another folder, or "
                    "delete this one"
                )
        else:
            made = {
                "settings": wanted,
                "negopt": __version__,
                "torch": torch.__version__,
                "python": platform.python_version(),
            }
            write_text(path, json.dumps(made, indent=2) + "\n")
        return run

    def resume(self, trainable: Trainable) -> int:
        """Restore the checkpoint if there is one, and forget metrics after it; returns the step to go on from."""
        path = self.folder / CHECKPOINT
        if not path.exists():
            (self.folder / METRICS).unlink(missing_ok=True)
            return 0
        numbers = load_checkpoint(path, trainable.modules(), trainable.optimizer, trainable.rng)
        trainable.restore(numbers)
        step = int(numbers["step"])
        kept = [row for row in self.metrics() if row["step"] <= step]
        write_text(self.folder / METRICS, "".join(json.dumps(row) + "\n" for row in kept))
        return step

    def save(self, trainable: Trainable, step: int) -> None:
        """Write the checkpoint; the file appears whole or not at all."""
        numbers = {**trainable.numbers(), "step": step}
        save_checkpoint(self.folder / CHECKPOINT, trainable.modules(), trainable.optimizer, trainable.rng, numbers)

    def note(self, step: int, metrics: Mapping[str, float]) -> None:
        """Append one line to metrics.jsonl."""
        with (self.folder / METRICS).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **metrics}) + "\n")

    def metrics(self) -> list[dict[str, float]]:
        """Every line of metrics.jsonl; a last line that was cut short is left out."""
        path = self.folder / METRICS
        rows = []
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                rows.append(json.loads(line))
            except ValueError:
                break
        return rows


@dataclass(frozen=True, slots=True)
class Loop:
    """How long a run is and how often it does what."""

    steps: int
    save_every: int = 50
    show: tuple[str, ...] = ("loss",)
    """Metrics in the progress line."""


def run_steps(
    run: Run,
    trainable: Trainable,
    step: Callable[[], Mapping[str, float]],
    loop: Loop,
    label: str,
    on_save: Callable[[int], None] = lambda done: None,
) -> None:
    """Go on from the checkpoint to the end. Ctrl-C finishes the step, saves, raises Cancelled; twice stops at once."""
    done = run.resume(trainable)
    pace = Pace(label, loop.steps, done)
    with gentle_stop() as asked:
        while done < loop.steps and not asked:
            metrics = step()
            done += 1
            run.note(done, metrics)
            pace.update(done, ", ".join(f"{name} {metrics[name]:.3f}" for name in loop.show if name in metrics))
            if done % loop.save_every == 0 or done == loop.steps or asked:
                run.save(trainable, done)
                on_save(done)
    if done < loop.steps:
        raise Cancelled(f"stopped at step {done} of {loop.steps}; the same command goes on from there")


@contextmanager
def gentle_stop() -> Iterator[list[int]]:
    """Turn the first Ctrl-C into an entry of the list, so that a step is never cut in half; the second raises."""
    asked: list[int] = []

    def ask(signum: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(signum)
        log.warning("stopping after this step; Ctrl-C again stops at once and goes back to the last checkpoint")

    try:
        before = signal.signal(signal.SIGINT, ask)
    except ValueError:  # not the main thread: somebody else handles signals
        yield asked
        return
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
