"""What a paper's run will do and cost, before it does anything."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...errors import OutputError
from ..data.settings import ConfidenceSettings
from .data import SHARES
from .pace import Pace
from .task import Task

ARMS = ("none", "people", "sft", "rl")
_MODELS_KEPT = 13
"""Files of the size of the language model at the worst moment: start, two checkpoints with two moments each and their
successors while they are written, three exported policies."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stage: how much it does and how long that takes here."""

    name: str
    does: str
    pictures: int = 0
    steps: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """All stages, and what they need."""

    title: str
    model: str
    budget: str
    device: str
    parts: tuple[Part, ...]
    disk_bytes: int
    gpu_bytes: int | None
    pace: Pace
    counts: Mapping[str, int]
    """How many pairs each filter left."""

    @property
    def pictures(self) -> int:
        """Pictures in all."""
        return sum(part.pictures for part in self.parts)

    @property
    def seconds(self) -> float:
        """Seconds in all."""
        return sum(part.seconds for part in self.parts)

    def values(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "title": self.title,
            "model": self.model,
            "budget": self.budget,
            "device": self.device,
            "stages": [asdict(part) for part in self.parts],
            "pictures": self.pictures,
            "hours": self.seconds / 3600,
            "disk_gb": self.disk_bytes / 1e9,
            "gpu_gb": None if self.gpu_bytes is None else self.gpu_bytes / 1e9,
            "measured": asdict(self.pace),
            "data": dict(self.counts),
        }

    def text(self) -> str:
        """For a person."""
        rows = [f"{self.title} on {self.model}, budget {self.budget}, painting on {self.device}"]
        rows += [f"  {part.name:8}  {part.does:70}  {_span(part.seconds)}" for part in self.parts]
        gpu = "" if self.gpu_bytes is None else f", {self.gpu_bytes / 1e9:.1f} GB of GPU memory while measuring"
        told = ", ".join(f"{name} {count}" for name, count in self.counts.items())
        pace = self.pace
        rows += [
            f"  in all    {self.pictures} pictures, {_span(self.seconds)}, {self.disk_bytes / 1e9:.1f} GB of disk{gpu}",
            f"  measured  picture {pace.picture:.2f} s, its rewards {pace.score:.2f} s, SFT step {pace.sft_step:.2f} s",
            f"  data      {told}",
        ]
        return "\n".join(rows)


def make_plan(task: Task, pace: Pace, counts: Mapping[str, int]) -> Plan:
    """Count everything and multiply. A PPO step's update is reckoned from SFT's: the same passes over fewer texts."""
    prompts = counts.get("distinct", 0)
    sizes = {part: max(1, round(share * prompts)) for part, share in SHARES.items()}
    parts = (
        Part(
            "data",
            "read, clean, split by prompt: " + ", ".join(f"{name} {share:.0%}" for name, share in SHARES.items()),
        ),
        *_filter(task, pace, sizes["sft"]),
        Part(
            "sft",
            f"{task.budget.sft_steps} steps of {task.budget.sft_batch} pairs from {task.start.name}",
            steps=task.budget.sft_steps,
            seconds=task.budget.sft_steps * pace.sft_step,
        ),
        _ppo(task, pace, min(task.budget.held_out, sizes["val"])),
        _report(task, pace, min(task.budget.test, sizes["test"])),
    )
    disk = parts[-1].pictures * pace.picture_bytes + _MODELS_KEPT * pace.weight_bytes
    device, gpu = pace.device, pace.gpu_bytes
    return Plan(task.paper.title, task.run.model, task.run.budget, device, parts, disk, gpu, pace, dict(counts))


def _filter(task: Task, pace: Pace, pairs: int) -> tuple[Part, ...]:
    """The confidence filter, if the run has one; `pairs` of SFT are there."""
    scored, settings = min(pairs, task.budget.filter_pairs), ConfidenceSettings()
    if not scored:
        return ()
    pictures = 2 * settings.pictures * scored
    does = f"{scored} pairs, {settings.pictures} pictures with and without; kept from {settings.sigma:g} on"
    return (Part("filter", does, pictures, seconds=pictures * pace.look),)


def _ppo(task: Task, pace: Pace, held_out: int) -> Part:
    budget = task.budget
    pictures = budget.ppo_steps * budget.step_pictures + budget.checks * held_out
    passes = (1 + budget.epochs) * budget.prompts * budget.group / budget.sft_batch
    does = (
        f"{budget.ppo_steps} steps of {budget.step_pictures} pictures; {held_out} held-out each "
        f"{budget.check_every} steps"
    )
    seconds = pictures * pace.look + budget.ppo_steps * passes * pace.sft_step
    return Part("ppo", does, pictures, budget.ppo_steps, seconds)


def _report(task: Task, pace: Pace, prompts: int) -> Part:
    pictures = len(ARMS) * prompts
    does = f"{', '.join(ARMS)} on {prompts} prompts: {', '.join(task.metrics)}"
    return Part("report", does, pictures, seconds=pictures * pace.look)


def check_disk(plan: Plan, folder: Path) -> None:
    """OutputError if the disk of the run folder has less room than the plan needs."""
    place = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    free = shutil.disk_usage(place).free
    if free < plan.disk_bytes:
        raise OutputError(
            f"the run needs about {plan.disk_bytes / 1e9:.1f} GB, and {place} has {free / 1e9:.1f} GB free; make room "
            "or choose another --run"
        )


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
