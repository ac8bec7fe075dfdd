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

from ... import __version__
from ...errors import Cancelled, TrainingError
from ...files import append_journal, make_folder, read_journal, write_text
from ...json_text import read_json
from .checkpoint import load_checkpoint, save_checkpoint
from .processes import ALONE, Processes
from .progress import ProgressLog

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
class RunFolder:
    """One run's folder. Opening it again with another configuration is refused: the figures would lie."""

    folder: Path

    @classmethod
    def open(cls, folder: Path, config: Mapping[str, Any], inputs: Mapping[str, str] | None = None) -> RunFolder:
        """Make or reopen a folder; TrainingError if it holds a run with other settings, or one that cannot be read.

        `inputs` are hashes of what goes in: the files behind the same settings may have changed.
        """
        run = cls(folder)
        make_folder(folder)
        for left in folder.glob(".*.partial"):  # by a process that was killed while it wrote
            left.unlink(missing_ok=True)
        path = folder / CONFIG
        wanted = json.loads(json.dumps(config, default=str))
        if path.exists():
            kept, hashes = _kept_in(path)
            changed = [key for key in sorted({*kept, *wanted}) if kept.get(key) != wanted.get(key)]
            if changed:
                raise TrainingError(
                    f"{folder} holds a run with other settings ({', '.join(changed)}); choose another folder, or "
                    "delete this one"
                )
            _check_inputs(folder, hashes, inputs or {})
        else:
            made = {
                "settings": wanted,
                **({"inputs": dict(inputs)} if inputs else {}),
                "negopt": __version__,
                "torch": torch.__version__,
                "python": platform.python_version(),
            }
            write_text(path, json.dumps(made, indent=2) + "\n")
        return run

    def restore(self, trainable: Trainable) -> int:
        """Take the checkpoint back if there is one; returns the step to go on from."""
        path = self.folder / CHECKPOINT
        if not path.exists():
            return 0
        numbers = load_checkpoint(path, trainable.modules(), trainable.optimizer, trainable.rng)
        trainable.restore(numbers)
        return int(numbers["step"])

    def forget_after(self, step: int) -> None:
        """Leave out metrics of steps that the checkpoint does not hold."""
        kept = [row for row in self.metrics() if row["step"] <= step]
        write_text(self.folder / METRICS, "".join(json.dumps(row) + "\n" for row in kept))

    def save(self, trainable: Trainable, step: int) -> None:
        """Write the checkpoint; the file appears whole or not at all."""
        numbers = {**trainable.numbers(), "step": step}
        save_checkpoint(self.folder / CHECKPOINT, trainable.modules(), trainable.optimizer, trainable.rng, numbers)

    def note(self, step: int, metrics: Mapping[str, float]) -> None:
        """Append one line to metrics.jsonl."""
        remedy = "the last checkpoint is intact: make room, and the same command goes on from there"
        append_journal(self.folder / METRICS, [{"step": step, **metrics}], remedy)

    def metrics(self) -> list[dict[str, float]]:
        """Every line of metrics.jsonl up to one that was cut short or damaged."""
        rows: list[dict[str, float]] = []
        for row in read_journal(self.folder / METRICS):
            if not isinstance(row, dict) or not isinstance(row.get("step"), int):
                break
            rows.append(row)
        return rows


def _kept_in(path: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Settings, and hashes of the input; runs of older versions have none of these."""
    try:
        kept = read_json(path.read_text(encoding="utf-8"))
        for value in (kept["settings"], kept.get("inputs", {})):
            if not isinstance(value, dict):
                raise TypeError(f"settings and inputs are objects, got {type(value).__name__}")
        return kept["settings"], kept.get("inputs", {})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{path} is damaged ({error!r}), so nobody can tell whether this is the same run; choose another folder, "
            "or delete this one"
        ) from error


def _check_inputs(folder: Path, kept: Mapping[str, Any], inputs: Mapping[str, str]) -> None:
    changed = [key.removesuffix("_sha256") for key in inputs if key in kept and kept[key] != inputs[key]]
    if changed:
        raise TrainingError(
            f"{folder} holds a run that began with another content of: {', '.join(changed)}; a run goes on only "
            "with what it began with. Put the old files back, or give another --run"
        )


@dataclass(frozen=True, slots=True)
class Loop:
    """How long a run is and how often it does what."""

    steps: int
    save_every: int = 50
    show: tuple[str, ...] = ("loss",)
    """Metrics in the progress line."""

    def __post_init__(self) -> None:
        if self.save_every < 1:
            raise TrainingError(f"steps between checkpoints (--save-every) are at least 1, got {self.save_every}")


def _on_step(step: int, metrics: Mapping[str, float]) -> None:
    pass


def _on_save(step: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Listeners:
    """What else the leader does; it changes nothing in the run."""

    on_step: Callable[[int, Mapping[str, float]], None] = _on_step
    """After each step, with its metrics."""
    on_save: Callable[[int], None] = _on_save
    """With each checkpoint, just before it is written."""


SILENT = Listeners()


def run_steps(
    run: RunFolder,
    trainable: Trainable,
    step: Callable[[], Mapping[str, float]],
    loop: Loop,
    label: str,
    listeners: Listeners = SILENT,
    processes: Processes = ALONE,
) -> None:
    """Go on from the checkpoint to the end. Ctrl-C finishes the step, saves, raises Cancelled; twice stops at once.

    Every process of a job takes each step; the leader alone writes, and all stop at the same step.
    """
    with processes.together():
        done = run.restore(trainable)
        if processes.is_leader:
            run.forget_after(done)
    processes.check_same(done, trainable.modules())
    pace, is_asked = ProgressLog(label, loop.steps, done), False
    with gentle_stop() as asked:
        while done < loop.steps and not is_asked:
            metrics = step()
            done += 1
            is_asked = processes.any(bool(asked))
            with processes.together():
                if processes.is_leader:
                    run.note(done, metrics)
                    listeners.on_step(done, metrics)
                    pace.update(done, ", ".join(f"{name} {metrics[name]:.3f}" for name in loop.show if name in metrics))
                    if done % loop.save_every == 0 or done == loop.steps or is_asked:
                        listeners.on_save(done)  # first: what the checkpoint says is done is never done again
                        run.save(trainable, done)
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
