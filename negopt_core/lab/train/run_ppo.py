"""`train ppo` as one function: the painter, the reward, the run folder, the exported policy; alone or with others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

from ...errors import TrainingError
from ...paint.base import ModelPainter
from ...paint.choice import COMFY, choose, paints_world, read_size
from ...paint.open import open_painter
from ...policy.folder_check import folder_hash
from ...policy.language.actions import CHANNELS
from ...policy.language.folder import open_policy
from ...scorers.table import Loader, refuse_toys, reward_names
from ..jobs.events import event_files, ignore
from ..jobs.processes import Processes
from ..jobs.run import Listeners, Loop, RunFolder, run_steps
from ..make_world.measure import draw_prompts
from .card import Stage, digest, export, hashes_in, ppo_card, settings_of
from .compute import computed_in, merge_adapters, naming_full_memory, prepared
from .ppo import PPO
from .rollout import Actors
from .samples import PPOSamples
from .settings import WORLD_PAINT_STEPS, WORLD_RATE, PPORun
from .setup import build_reward, read_prompts, start_folder

log = logging.getLogger("negopt")

CERTAIN = 0.02
"""Nats a choice; below, the policy tries nothing new in that channel, and rewards teach it nothing more."""
_AT_ONCE = 32
"""Pictures painted at the same time at most."""


def run_ppo(run: PPORun, processes: Processes) -> tuple[Path, dict[str, float]] | None:
    """Learn from rewards and export; goes on where a run was stopped. None in a process that does not lead.

    Returns the policy folder, and the mean reward of the last 20 steps.
    """
    run = filled_in(run)
    refuse_toys(run.model, reward_names(run.reward), "--reward")
    decided = settings_of("ppo", run)
    with processes.together():
        painter = _painter(run, processes)
        ppo = make_trainer(run, painter, processes)
        facts = {
            "prompts": len(ppo.prompts),
            "prompts_sha256": digest(ppo.prompts),
            "start_sha256": folder_hash(start_folder(run.policy)),
            "painter": painter.model_hash(),
            "pictures": run.steps * run.ppo.responses * run.ppo.pictures,
        }
        folder = RunFolder(run.folder)
        if processes.is_leader:
            folder = RunFolder.open(run.folder, {name: str(value) for name, value in decided.items()}, hashes_in(facts))
    facts |= computed_in(ppo.actors.policy)
    samples = PPOSamples(ppo, folder.folder)
    with event_files(folder.folder) if run.tensorboard and processes.is_leader else nullcontext(ignore) as write:
        loop = Loop(run.steps, run.save_every, ("reward", "kl"))
        with naming_full_memory():
            step = watched(samples.step) if processes.is_leader else samples.step
            run_steps(folder, ppo, step, loop, "ppo", Listeners(write, samples.write), processes)
    if not processes.is_leader:
        return None
    recent = folder.metrics()[-20:]
    measured = {"reward": sum(row["reward"] for row in recent) / len(recent)}
    policy = ppo.actors.policy
    merge_adapters(policy)
    policy.card = ppo_card(policy.card, run, str(painter.describe().get("pipeline", "")))
    return export(run, run.ppo.seed, policy, Stage(f"PPO on {run.reward}", decided, facts, measured)), measured


def watched(step: Callable[[], dict[str, float]]) -> Callable[[], dict[str, float]]:
    """The same steps; a warning when a channel that chose becomes certain, once each."""
    open_once: dict[str, bool] = {}

    def taken() -> dict[str, float]:
        metrics = step()
        for channel in CHANNELS:
            nats = metrics[f"entropy/{channel}"]
            if nats >= CERTAIN:
                open_once.setdefault(channel, True)
            elif open_once.get(channel):
                open_once[channel] = False
                log.warning(
                    "the policy's %s have collapsed: %.2g nats a choice, below %g; it tries nothing new there. "
                    "If that is too early, begin anew with a higher --%s or --kl, or a lower --rate",
                    channel,
                    nats,
                    CERTAIN,
                    "entropy" if channel == "words" else "schedule-entropy",
                )
        return metrics

    return taken


def filled_in(run: PPORun) -> PPORun:
    """With what the model to paint with decides: the demo world has settings of its own."""
    choice = choose(run.model, run.paint_steps, run.cfg, WORLD_PAINT_STEPS)
    usual = WORLD_RATE if paints_world(run.model) else run.ppo.learning_rate
    rate = usual if run.rate is None else run.rate
    return replace(run, paint_steps=choice.steps, cfg=choice.cfg, rate=rate, ppo=replace(run.ppo, learning_rate=rate))


def make_trainer(run: PPORun, painter: ModelPainter, processes: Processes) -> PPO:
    """The policy to learn, its frozen copy and the reward, where and how the run says."""
    policy = open_policy(start_folder(run.policy))
    if run.ppo.is_flat:
        if max(len(policy.card.windows), len(policy.card.weights)) == 1:
            raise TrainingError(f"--flat-schedule: {policy.card.name} chooses no windows and weights; leave it out")
        policy.set_flat()
    reference = prepared(deepcopy(policy), replace(run.compute, lora=0), run.policy_device, run.ppo.seed)
    policy = prepared(policy, run.compute, run.policy_device, run.ppo.seed)
    reward = build_reward(run.reward, Loader(run.places, "reward", run.scorer_device).scorer)
    return PPO(Actors(policy, reference, painter, reward), _prompts(run), run.ppo, processes)


def _painter(run: PPORun, processes: Processes) -> ModelPainter:
    width, height = read_size(run.size)
    choice = choose(run.model, run.paint_steps, run.cfg)
    share = -(-run.ppo.responses * run.ppo.pictures // processes.size)
    settings = choice.settings(height=height, width=width, batch_size=min(_AT_ONCE, share))
    device = None if run.model.startswith(COMFY) else processes.device
    return open_painter(choice.path, settings, device=device, dtype=run.paint_dtype)


def _prompts(run: PPORun) -> list[str]:
    if run.prompts == "world":
        return draw_prompts(2000, 2000 + run.ppo.seed, part="train")
    return read_prompts(Path(run.prompts))
