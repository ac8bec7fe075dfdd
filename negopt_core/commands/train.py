"""`train sft`, `ppo`, `negopt`, `pae`, `retrieval`, `mini`, `world`: policies from pairs and rewards."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..flags import flag
from ..lab.papers.settings import NEGOPT, PAE, Paper, PaperRun
from ..lab.train.settings import MiniRun, PPORun, RetrievalRun, SFTRun
from . import Command, Result, tell

if TYPE_CHECKING:
    from ..lab.papers.plan import Plan


@dataclass(frozen=True, kw_only=True)
class World:
    """What `train world` takes."""

    folder: Path = flag(Path("runs/world"), "run folder", "run", metavar="DIR")
    output: Path | None = flag(None, "where to export", "o", "output", metavar="DIR", shown="export in the run")
    images: int | None = flag(None, "training images of the diffusion model", shown="as the shipped world's")
    device: str | None = flag(None, "cpu or cuda", shown="the GPU if there is one")
    threads: int | None = flag(None, "CPU threads", shown="torch's own choice")


def run_sft(settings: SFTRun) -> Result:
    """Learn from pairs and export."""
    from ..lab.train.run_sft import run_sft

    _start(settings.threads)
    return _exported(*run_sft(settings))


def run_ppo(settings: PPORun) -> Result | None:
    """Learn from rewards and export. Of several processes only the first writes and speaks."""
    from ..lab.jobs.processes import joined
    from ..lab.train.run_ppo import run_ppo

    with joined() as processes:
        _start(settings.threads, processes.is_leader)
        found = run_ppo(settings, processes)
    return _exported(*found) if found else None


def run_negopt(settings: PaperRun) -> Result:
    """The whole of NegOpt."""
    return _run_paper(NEGOPT, settings)


def run_pae(settings: PaperRun) -> Result:
    """The whole of PAE."""
    return _run_paper(PAE, settings)


def _run_paper(paper: Paper, settings: PaperRun) -> Result:
    from ..lab.papers.run import run_paper

    _start(settings.threads)
    found = run_paper(paper, settings, lambda plan: settings.yes or _asked(plan))
    plan, summary = found["plan"], found.get("summary")
    if summary is None:
        remedy = "" if settings.plan else "\nnothing was started; add --yes"
        return Result({"plan": plan.values(), "started": False}, plan.text() + remedy, 0 if settings.plan else 2)
    return Result({"plan": plan and plan.values(), "started": True, **summary}, "\n".join(_lines_of(summary)))


def _asked(plan: Plan) -> bool:
    """y or n at a terminal; no where nobody can answer."""
    if not sys.stdin.isatty():
        return False
    tell(f"{plan.text()}\nstart? [y/n]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _lines_of(summary: Mapping[str, Any]) -> list[str]:
    lines = []
    for metric, arms in summary["metrics"].items():
        told = ", ".join(f"{arm} {'-' if value is None else f'{value:.3f}'}" for arm, value in arms.items())
        lines.append(f"{metric:16}  {told}")
    rewards = summary["held_out_rewards"]
    best = str(summary["best_step"])
    lines.append(
        f"held-out reward   {rewards['0']:.3f} before PPO, {rewards[best]:.3f} at step {best}, the policy kept"
    )
    if rewards[best] <= rewards["0"]:
        lines.append("no checkpoint of PPO beat the start on held-out prompts: prefer the SFT policy, or train longer")
    lines += [f"{name} is not measured: {why}" for name, why in summary["absent"].items()]
    return [*lines, f"policy: {summary['policy']}", f"report: {summary['page']}"]


def run_retrieval(settings: RetrievalRun) -> Result:
    """Read, index, write."""
    from ..lab.train.index import train_retrieval

    counts = train_retrieval(settings)
    text = f"exported {settings.output}: {counts['examples']} examples, {counts['phrases']} phrases"
    return Result({"folder": str(settings.output), **counts}, text)


def run_mini(settings: MiniRun) -> Result:
    """Read, train, write."""
    from ..lab.train.mini import run_mini

    _start(settings.threads)
    return _exported(*run_mini(settings))


def run_world(settings: World) -> Result:
    """Train and export."""
    from ..lab.make_world.train import WorldSettings, train_world

    _start(settings.threads)
    made = WorldSettings()
    if settings.images is not None:
        made = replace(made, diffusion=replace(made.diffusion, images=settings.images))
    output = settings.output or settings.folder / "export"
    train_world(settings.folder, output, made, device=settings.device)
    return _exported(output, {})


def _start(threads: int | None, is_leader: bool = True) -> None:
    import torch

    logging.getLogger("negopt").setLevel(logging.INFO if is_leader else logging.WARNING)
    if threads:
        torch.set_num_threads(threads)


def _exported(folder: Path, measured: Mapping[str, float]) -> Result:
    figures = ", ".join(f"{name} {value:.3f}" for name, value in measured.items())
    return Result({"folder": str(folder), **measured}, f"exported {folder}" + f" ({figures})" * bool(figures))


COMMANDS = (
    Command("sft", "learn from pairs of prompts and what people wrote; run again to resume", SFTRun, run_sft),
    Command("ppo", "learn from rewards of painted pictures; run again to resume", PPORun, run_ppo),
    Command("negopt", "NegOpt's paper on your checkpoint, data to report; run again to resume", PaperRun, run_negopt),
    Command("pae", "PAE's paper on your checkpoint, data to report; run again to resume", PaperRun, run_pae),
    Command("retrieval", "index what people wrote; the nearest examples vote", RetrievalRun, run_retrieval),
    Command("mini", "a small policy for real prompts, from a recipe; run again to resume", MiniRun, run_mini),
    Command("world", "train the demo world from nothing; run again to resume", World, run_world),
)
