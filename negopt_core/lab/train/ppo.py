"""PPO over words, windows and weights, with pictures as the judge: NegOpt's and PAE's second stage in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import torch
from torch import Tensor, nn

from ...errors import TrainingError
from ...policy.language import Sampling
from ...policy.language.actions import CHANNELS
from ..jobs.processes import ALONE, Processes
from .compute import recomputing
from .formulas import (
    KLController,
    RunningMoments,
    clip_fraction,
    group_advantages,
    masked_mean,
    policy_loss,
    whiten,
)
from .rollout import Actors, Rollout, is_finite, roll_out, rows_of
from .settings import PPOSettings

ENTROPIES = tuple(f"entropy/{channel}" for channel in CHANNELS)
"""Nats a choice."""
LOSSES = ("policy_loss", *ENTROPIES, "clipped")
"""What an update reports; the last is no loss but the share of actions outside of the clip range."""


class PPO:
    """Actors, optimiser and random state; `step` is one round, shared by all processes of the job."""

    def __init__(
        self, actors: Actors, prompts: Sequence[str], settings: PPOSettings, processes: Processes = ALONE
    ) -> None:
        if not prompts:
            raise TrainingError("there are no prompts to train on")
        self.count = settings.responses
        """Responses a round."""
        if self.count < processes.size:
            raise TrainingError(
                f"a round of {self.count} responses cannot be shared by {processes.size} processes; "
                "raise the prompts a step or start fewer processes"
            )
        self.actors, self.prompts, self.settings, self.processes = actors, list(prompts), settings, processes
        self.sampling = settings.sampling or Sampling()
        self.kl, self.moments = KLController(settings.kl, settings.kl_target), RunningMoments()
        self.rng = torch.Generator().manual_seed(settings.seed)
        self.optimizer = torch.optim.Adam(
            [one for one in actors.policy.parameters() if one.requires_grad], settings.learning_rate, betas=(0.9, 0.95)
        )
        actors.policy.eval()  # no dropout: the ratio is exactly 1 before the first update
        actors.reference.eval().requires_grad_(False)

    def step(self) -> tuple[dict[str, float], Rollout]:
        """rollout -> reward -> KL to the reference -> advantages -> epochs x minibatches -> KL coefficient.

        The rollout is this process's share of the round; the metrics are those of the whole round.
        """
        settings, processes = self.settings, self.processes
        with processes.together():
            rollout = self._roll_out()
        advantages = self.advantages(rollout)
        updates: list[dict[str, float]] = []
        for _ in range(settings.epochs):
            order = torch.randperm(self.count, generator=self.rng)
            for places in torch.split(order, settings.minibatch or self.count):
                rows = processes.own_places(places, self.count)
                updates.append(self.update(rollout, advantages, rows))
        divergence = float(processes.gather(rollout.divergences).mean())
        self.kl.update(divergence)
        return self._metrics(rollout, divergence, updates), rollout

    def _roll_out(self) -> Rollout:
        """Draw the whole round, try this process's share of it."""
        settings, own = self.settings, self.processes.own
        chosen = torch.randint(len(self.prompts), (settings.prompts,), generator=self.rng).tolist()
        prompts = [self.prompts[index] for index in chosen for _ in range(settings.group)]
        seeds = torch.randint(2**62, (len(prompts),), generator=self.rng).tolist()
        # the responses to one prompt are painted from the same noise, so that only their words tell them apart
        noise = torch.randint(2**31, (settings.prompts, settings.pictures), generator=self.rng).tolist()
        pictures = [noise[row // settings.group] for row in range(len(prompts))]
        words, times = seeds, None
        if settings.twins > 1:
            words, times = [seeds[row - row % settings.twins] for row in range(len(seeds))], own(seeds)
        drawn = (own(prompts), own(words), own(pictures))
        rollout = roll_out(self.actors, *drawn, self.sampling, settings.at_once, times)
        if not is_finite(rollout):
            raise TrainingError("a reward or log-probability is not a finite number; the last checkpoint is intact")
        return rollout

    def advantages(self, rollout: Rollout) -> dict[str, Tensor]:
        """Advantages by channel, whitened over the whole round; each [B, T] for the rows of the rollout.

        Windows and weights have those of the words, unless twins say what they alone are worth.
        """
        settings, whole = self.settings, self.processes.gather
        mask, earned = whole(rollout.responses.is_action), whole(rollout.rewards)
        if settings.is_standardised:
            self.moments.update(earned)
            earned = self.moments.standardise(earned)
        rewards = earned - self.kl.coefficient * whole(rollout.divergences)
        is_scaled, twins = settings.advantage == "grpo", settings.twins
        advantages = group_advantages(rewards, settings.group, is_scaled, twins)[:, None]
        parts = dict.fromkeys(CHANNELS, whiten(advantages.expand_as(mask), mask))
        if twins > 1:
            ends = whole(rollout.responses.is_phrase_end)
            timed = group_advantages(rewards, twins, is_scaled)[:, None]
            parts |= dict.fromkeys(("windows", "weights"), whiten(timed.expand_as(ends), ends))
        places = rollout.responses.words.shape[1]  # the longest response here; another process may have a longer one
        return {name: self.processes.own(part)[:, :places] for name, part in parts.items()}

    def update(self, rollout: Rollout, advantages: Mapping[str, Tensor], rows: Tensor) -> dict[str, float]:
        """One gradient step on some rows of the round: `rows` of this rollout, and those of the other processes."""
        settings, policy = self.settings, self.actors.policy
        masks = {name: rollout.responses.mask(name) for name in CHANNELS}
        shares = self.processes.shares({name: mask[rows] for name, mask in masks.items()})
        told = dict.fromkeys(LOSSES, 0.0)
        self.optimizer.zero_grad(set_to_none=True)
        for part in torch.split(rows, settings.at_once or self.count) if len(rows) else ():
            mine = {name: share * _part(masks[name], part, rows) for name, share in shares.items()}
            with recomputing(policy):
                losses = self._losses(rollout, advantages, part, mine)
                words, *times = (losses[name] for name in ENTROPIES)
                bonus = settings.entropy * words + (settings.entropy + settings.schedule_entropy) * sum(times)
                (losses["policy_loss"] - bonus).backward()  # type: ignore[no-untyped-call]
            for name, value in losses.items():
                told[name] += float(value.detach())
        self.processes.sum_gradients(list(policy.parameters()))
        norm = nn.utils.clip_grad_norm_(policy.parameters(), settings.max_grad_norm)
        if not bool(torch.isfinite(norm)):
            raise TrainingError("a gradient is not a finite number; the last checkpoint is intact. Lower the rate")
        self.optimizer.step()
        return {**self.processes.sum(told), "grad_norm": float(norm)}

    def _losses(
        self, rollout: Rollout, advantages: Mapping[str, Tensor], rows: Tensor, shares: Mapping[str, float]
    ) -> dict[str, Tensor]:
        """Each of LOSSES on some rows, times the share that these rows have in the mean over all processes."""
        settings = self.settings
        responses, old = rollout.responses[rows], rows_of(rollout.old, rows)
        prompts = [rollout.prompts[row] for row in rows.tolist()]
        analysis = self.actors.policy.analyze(prompts, responses, self.sampling)
        actor, losses = torch.zeros(()), {}
        for channel in CHANNELS:
            mask = responses.mask(channel)
            gains = advantages[channel][rows]
            loss = policy_loss(analysis.logprobs[channel], old[channel], gains, mask, settings.clip)
            actor = actor + shares[channel] * loss
            losses[f"entropy/{channel}"] = shares[channel] * masked_mean(analysis.entropies[channel], mask)
        clipped = clip_fraction(analysis.logprobs["words"], old["words"], responses.is_action, settings.clip)
        return {"policy_loss": actor, **losses, "clipped": shares["words"] * clipped}

    def modules(self) -> dict[str, nn.Module]:
        """What a checkpoint holds; the reference is made again from its own folder."""
        return {"policy": self.actors.policy}

    def numbers(self) -> dict[str, float]:
        """KL coefficient and moments of the rewards, for a checkpoint."""
        moments = {f"moments_{name}": value for name, value in asdict(self.moments).items()}
        return {"kl_coefficient": self.kl.coefficient, **moments}

    def restore(self, numbers: Mapping[str, float]) -> None:
        """Take `numbers()` of a checkpoint back."""
        self.kl.coefficient = numbers["kl_coefficient"]
        self.moments = RunningMoments(*(numbers[f"moments_{name}"] for name in asdict(self.moments)))

    def _metrics(self, rollout: Rollout, divergence: float, updates: list[dict[str, float]]) -> dict[str, float]:
        ends = rollout.responses.is_phrase_end.sum(dim=1).float()
        whole = self.processes.gather
        return {
            "reward": float(whole(rollout.rewards).mean()),
            **{f"reward/{name}": float(whole(term).mean()) for name, term in rollout.terms.items()},
            "kl": divergence,
            "kl_coefficient": self.kl.coefficient,
            "phrases": float(whole(ends).mean()),
            **{name: sum(one[name] for one in updates) / len(updates) for name in updates[0]},
        }


def _part(mask: Tensor, part: Tensor, rows: Tensor) -> float:
    """The share of the places of `rows` that those of a part of them have; 0 where there are none."""
    return float(mask[part].sum()) / max(float(mask[rows].sum()), 1.0)
