"""PPO of a paper's run: every checkpoint is measured on prompts that nothing trains on, and the best one is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ...files import append_journal, read_journal
from ...paint.base import ModelPainter
from ...paint.choice import COMFY, choose, read_size
from ...paint.open import open_painter
from ...policy.folder_check import folder_hash
from ...policy.language import Sampling
from ...policy.language.folder import open_policy, save_policy
from ...policy.language.render import pair_of
from ...scorers.base import Reward
from ...scorers.table import Loader
from ..jobs.processes import Processes
from ..jobs.run import Listeners, Loop, RunFolder, run_steps
from ..train.card import Stage, digest, export, hashes_in, ppo_card, settings_of
from ..train.compute import computed_in, naming_full_memory
from ..train.ppo import PPO
from ..train.rollout import paint_plain
from ..train.run_ppo import make_trainer
from ..train.samples import PPOSamples
from ..train.settings import PPORun, PPOSettings
from ..train.setup import build_reward
from .task import Task

HELD_OUT, BEST = "held_out.jsonl", "best"
_AT_ONCE = 16
"""Held-out prompts answered at the same time."""


@dataclass(frozen=True, slots=True)
class Devices:
    """Where the policy learns and where the scorers run."""

    policy: str
    scorers: str


def devices_of(task: Task) -> Devices:
    """As the user says; else the GPU if there is one."""
    usual = "cuda" if torch.cuda.is_available() else "cpu"
    return Devices(task.run.policy_device or usual, task.run.scorer_device or usual)


def open_task_painter(task: Task, batch: int) -> ModelPainter:
    """The checkpoint with the run's settings."""
    width, height = read_size(task.run.size)
    choice = choose(task.run.model, task.paint_steps, task.cfg)
    settings = choice.settings(height=height, width=width, batch_size=batch, sampler=task.sampler)
    model = task.run.model
    device = None if model.startswith(COMFY) else task.run.device
    return open_painter(choice.path, settings, device=device, dtype=task.run.paint_dtype)


def load_reward(task: Task, device: str) -> Reward:
    """The reward with its scorers loaded."""
    return build_reward(task.reward, Loader(task.run.places, "reward", device).scorer)


class HeldOut:
    """The reward of what a PPO's policy would write for held-out prompts: likeliest text, always the same noise."""

    def __init__(self, ppo: PPO, prompts: Sequence[str], folder: Path, steps: int, every: int) -> None:
        self.ppo, self.prompts, self.folder, self.steps, self.every = ppo, list(prompts), folder, steps, every

    @property
    def rewards(self) -> dict[int, float]:
        """Mean reward by step; step 0 is the policy that PPO starts from."""
        rows = [row for row in read_journal(self.folder / HELD_OUT) if isinstance(row, dict)]
        return {int(row["step"]): float(row["reward"]) for row in rows}

    def begin(self) -> None:
        """Measure the start, before any step; once."""
        if 0 not in self.rewards:
            self._note(0, self.measure())

    def on_save(self, step: int) -> None:
        """Measure a checkpoint and keep its policy if none before was better. Nothing at a step where a user stops."""
        if step % self.every and step != self.steps:
            return
        reward = self.measure()
        before = [value for place, value in self.rewards.items() if 0 < place < step]
        if not before or reward > max(before):
            save_policy(self.ppo.actors.policy, self.folder / BEST)
        self._note(step, reward)

    @property
    def best(self) -> int:
        """The step of the policy in `best`: the first with the highest reward."""
        found = {step: reward for step, reward in self.rewards.items() if step}
        return min(found, key=lambda step: (-found[step], step))

    @torch.no_grad()
    def measure(self) -> float:
        """Mean reward over the prompts."""
        actors, total = self.ppo.actors, 0.0
        actors.policy.eval()
        for start in range(0, len(self.prompts), _AT_ONCE):
            prompts = self.prompts[start : start + _AT_ONCE]
            seeds = list(range(start, start + len(prompts)))
            answers = actors.policy.spans(actors.policy.respond(prompts, seeds, Sampling(is_greedy=True)))
            side = actors.policy.card.polarity
            images = actors.painter.paint(
                [pair_of(prompt, spans, side) for prompt, spans in zip(prompts, answers, strict=True)], seeds
            )
            plain = paint_plain(actors.painter, prompts, seeds) if actors.reward.needs_plain else None
            total += float(actors.reward(images, prompts, plain).total.sum())
        return total / len(self.prompts)

    def _note(self, step: int, reward: float) -> None:
        append_journal(self.folder / HELD_OUT, [{"step": step, "reward": reward}])


def ppo_run(task: Task, start: Path, prompts: Path, folder: Path) -> PPORun:
    """The run as `train ppo` would be told it."""
    budget = task.budget
    ppo = PPOSettings(
        prompts=budget.prompts,
        group=budget.group,
        pictures=budget.pictures,
        epochs=budget.epochs,
        learning_rate=task.paper.ppo_rate,
        seed=task.run.seed,
    )
    return PPORun(
        source=task.run.source,
        folder=folder,
        output=task.policy,
        save_every=budget.check_every,
        name=task.name,
        policy=start,
        prompts=str(prompts),
        reward=task.reward,
        model=task.run.model,
        size=task.run.size,
        paint_steps=task.paint_steps,
        cfg=task.cfg,
        paint_dtype=task.run.paint_dtype,
        steps=budget.ppo_steps,
        rate=task.paper.ppo_rate,
        policy_device=devices_of(task).policy,
        scorer_device=devices_of(task).scorers,
        ppo=ppo,
    )


def learn(task: Task, run: PPORun, held_out: Sequence[str]) -> dict[str, Any]:
    """Learn from rewards, export the best checkpoint; goes on where a run was stopped.

    Returns the held-out reward of every checkpoint, and which one was best.
    """
    painter = open_task_painter(task, task.run.batch)
    ppo = make_trainer(run, painter, Processes())
    facts: dict[str, Any] = {
        "prompts": len(ppo.prompts),
        "prompts_sha256": digest(ppo.prompts),
        "held_out_sha256": digest(held_out),
        "start_sha256": folder_hash(run.policy),
        "painter": painter.model_hash(),
        "pictures": run.steps * task.budget.step_pictures,
    }
    decided = {**settings_of("ppo", run), "sampler": task.sampler}
    folder = RunFolder.open(run.folder, {name: str(value) for name, value in decided.items()}, hashes_in(facts))
    facts |= computed_in(ppo.actors.policy)
    samples = PPOSamples(ppo, folder.folder)
    checks = HeldOut(ppo, held_out, folder.folder, run.steps, run.save_every)
    checks.begin()

    def on_save(step: int) -> None:
        samples.write(step)
        checks.on_save(step)

    loop = Loop(run.steps, run.save_every, ("reward", "kl"))
    with naming_full_memory():
        run_steps(folder, ppo, samples.step, loop, "ppo", Listeners(on_save=on_save))
    measured = {"held_out_reward": checks.rewards[checks.best], "held_out_reward_before": checks.rewards[0]}
    stage = Stage(f"PPO on {run.reward}, best of {len(checks.rewards) - 1} checkpoints", decided, facts, measured)
    best = open_policy(folder.folder / BEST)
    best.card = ppo_card(best.card, run, str(painter.describe().get("pipeline", "")))
    export(run, run.ppo.seed, best, stage)
    rewards = {str(step): reward for step, reward in sorted(checks.rewards.items())}
    return {"folder": str(run.export), "best_step": checks.best, "held_out_rewards": rewards}
