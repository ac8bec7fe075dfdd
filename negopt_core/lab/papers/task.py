"""A run with every number filled in, and the checks that come before anything is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...errors import PromptError, TrainingError
from ...flags import recorded
from ...paint.choice import COMFY, WORLD, choose, paints_world
from ...scorers.features import INCEPTION_SCORES
from ...scorers.table import (
    AESTHETIC,
    CLIP,
    INCEPTION,
    NAMES,
    SCORERS,
    SET_METRICS,
    WORLD_JUDGES,
    refuse_toys,
    reward_names,
)
from ..train.setup import start_folder
from .settings import Budget, Paper, PaperRun

NEEDS_REFERENCE = tuple(name for name in SET_METRICS if name not in INCEPTION_SCORES)
"""Distances to real pictures: lower is better."""
_OWN = {INCEPTION: "inception=FILE.safetensors", AESTHETIC: "aesthetic=FILE.safetensors"}


@dataclass(frozen=True, slots=True)
class Task:
    """One paper on one checkpoint."""

    paper: Paper
    run: PaperRun
    budget: Budget
    start: Path
    reward: str
    metrics: tuple[str, ...]
    paint_steps: int
    cfg: float
    sampler: str

    @property
    def name(self) -> str:
        """Of the policy."""
        model = Path(self.run.model.partition("@")[0]).stem or WORLD
        return self.run.name or f"{self.paper.key}-{model}"

    @property
    def policy(self) -> Path:
        """Where the policy goes."""
        return self.run.output or self.run.folder / "policy"

    @property
    def filter_scorers(self) -> tuple[str, ...]:
        """The aes and the CLIP of the confidence filter; () where there is none."""
        names = WORLD_JUDGES if paints_world(self.run.model) else (AESTHETIC, CLIP)
        return names if self.budget.filter_pairs else ()

    def decided(self) -> dict[str, Any]:
        """Everything that decides the result, as the run folder keeps it."""
        numbers = {f"budget/{name}": value for name, value in asdict(self.budget).items() if value}
        paint = {"reward": self.reward, "metrics": list(self.metrics), "paint_steps": self.paint_steps, "cfg": self.cfg}
        told = {name: value for name, value in recorded(self.run).items() if name not in (*paint, "budget", *_NUMBERS)}
        rates = {"sft_rate": self.paper.sft_rate, "ppo_rate": self.paper.ppo_rate}
        return {
            "command": "train",
            "what": self.paper.key,
            **told,
            **numbers,
            **rates,
            **paint,
            "sampler": self.sampler,
        }


_NUMBERS = (*(one.name for one in fields(Budget)), "prompts_per_step", "held_out_prompts", "test_prompts")


def make_task(paper: Paper, run: PaperRun) -> Task:
    """Fill in budget and paper; PromptError or TrainingError, in one line, for what cannot be done here.

    Nothing is loaded, painted or written.
    """
    if run.batch < 1:
        raise PromptError(f"--batch is at least 1, got {run.batch}")
    if not run.pairs.exists():
        raise TrainingError(f"there are no pairs at {run.pairs}; `data --help` says what a file of pairs holds")
    given = {one.name: getattr(run, one.name, None) for one in fields(Budget)}
    budget = replace(paper.budgets[run.budget], **{name: value for name, value in given.items() if value is not None})
    is_world = paints_world(run.model)
    usual = choose(run.model)
    task = Task(
        replace(paper, sft_rate=run.sft_rate or paper.sft_rate, ppo_rate=run.ppo_rate or paper.ppo_rate),
        run,
        budget,
        start_folder(run.start),
        run.reward or (paper.world_reward if is_world else paper.reward),
        _metrics(run.metrics) if run.metrics else paper.world_metrics if is_world else paper.metrics,
        run.paint_steps or (usual.steps if is_world else paper.paint_steps),
        run.cfg if run.cfg is not None else usual.cfg if is_world else paper.cfg,
        "model" if is_world or run.model.startswith(COMFY) else paper.sampler,
    )
    rewards = reward_names(task.reward)
    refuse_toys(run.model, rewards, "--reward")
    refuse_toys(run.model, task.metrics, "--metrics")
    _refuse_unknown(rewards, NAMES, "scorer")
    _refuse_unknown(task.metrics, (*NAMES, *SET_METRICS), "metric")
    refuse_missing(task)
    return task


def _metrics(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _refuse_unknown(names: Iterable[str], known: Iterable[str], what: str) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise PromptError(f"no {what} is called {unknown[0]!r}; there are {', '.join(known)}")


def refuse_missing(task: Task) -> None:
    """PromptError that names all that filter, rewards and metrics lack: weights, files, packages, real pictures."""
    places, users = task.run.places, dict[str, list[str]]()
    for name in dict.fromkeys((*task.filter_scorers, *reward_names(task.reward), *task.metrics)):
        for need in SCORERS[name].needs if name in SCORERS else SET_METRICS[name]:
            users.setdefault(need, []).append(name)
    lacking = [
        f"weights of {need} (for {', '.join(names)}; --source {_OWN.get(need, f'{need}=DIR')})"
        for need, names in users.items()
        if not places.get(need)
    ]
    lacking += [
        f"{places[need]}, given as {need}, is not there"
        for need in users
        if places.get(need) and not _is_there(places[need])
    ]
    if INCEPTION in users and find_spec("torch_fidelity") is None:
        lacking.append(f"the package torch-fidelity (for {', '.join(users[INCEPTION])})")
    wants_pictures = [name for name in task.metrics if name in NEEDS_REFERENCE]
    if wants_pictures and not (task.run.reference and task.run.reference.is_dir()):
        lacking.append(f"a folder of real pictures (for {', '.join(wants_pictures)}; --reference DIR)")
    if lacking:
        raise PromptError(
            f"nothing was started, because this is missing: {'; '.join(lacking)}. Give it, or choose others with "
            f"--reward and --metrics{' (and --filter-pairs 0, for no filter)' if task.filter_scorers else ''}"
        )


def _is_there(place: str) -> bool:
    return place.startswith("hf:") or Path(place).expanduser().exists()
