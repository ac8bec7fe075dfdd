"""One round of trying: the policy answers prompts, a painter paints the answers, a reward looks at the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from ...paint.base import Painter
from ...policy.language import LanguagePolicy, Responses, Sampling
from ...policy.language.actions import CHANNELS
from ...policy.language.render import pair_of
from ...scorers.base import Reward
from ...text.prompt import PromptPair


class Critic(nn.Module):
    """V(state) for states [B, T, D] -> [B, T]; a hidden layer, zero at the start."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU())
        self.out = nn.Linear(width, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """States are detached: the critic learns from the policy's states, not the other way round."""
        values: Tensor = self.out(self.body(hidden.detach()))[..., 0]
        return values


def new_critic(width: int, seed: int) -> Critic:
    """A critic whose weights depend on the seed only, and no random state but its own is touched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Critic(width)


@dataclass(frozen=True, slots=True)
class Rollout:
    """B responses, what they earned, and what policy and reference thought of them at the time."""

    prompts: tuple[str, ...]
    responses: Responses
    pairs: tuple[PromptPair, ...]
    rewards: Tensor
    """[B], mean over the pictures of a response."""
    terms: dict[str, Tensor]
    """Each reward term's contribution, [B]."""
    old: dict[str, Tensor]
    """Log-probabilities by channel, [B, T], at the time."""
    reference: dict[str, Tensor]
    """The frozen reference's, [B, T]."""
    values: Tensor
    """[B, T] the critic's expectation at the time."""
    images: Tensor
    """[B * n, 3, H, W], pictures of one response next to each other."""

    def __len__(self) -> int:
        return len(self.prompts)

    def divergence(self, channel: str) -> Tensor:
        """[B, T] log pi - log pi_ref of what was done: an unbiased sample of the KL divergence, nat by nat."""
        return self.old[channel] - self.reference[channel]

    @property
    def divergences(self) -> Tensor:
        """[B] nats a response, over all channels."""
        return torch.stack([self.divergence(channel).sum(dim=1) for channel in CHANNELS]).sum(dim=0)


@dataclass(frozen=True, slots=True)
class Actors:
    """The models of a round: the policy and critic that learn, a frozen reference, painter and reward."""

    policy: LanguagePolicy
    reference: LanguagePolicy
    critic: Critic
    painter: Painter
    reward: Reward


@torch.no_grad()
def roll_out(
    actors: Actors,
    prompts: Sequence[str],
    response_seeds: Sequence[int],
    picture_seeds: Sequence[Sequence[int]],
    sampling: Sampling,
    at_once: int = 0,
    time_seeds: Sequence[int] | None = None,
) -> Rollout:
    """Respond, paint with the given seeds (one list for each response), and reward against the plain prompts.

    `at_once` responses are scored at the same time, 0 for all; `time_seeds` as in `respond`. The plain prompts' own
    pictures are painted, from the same noise, only if a term of the reward asks for them.
    """
    policy = actors.policy
    responses = policy.respond(prompts, response_seeds, sampling, time_seeds)
    rows = policy.spans(responses)
    pairs = [pair_of(prompt, spans, policy.card.polarity) for prompt, spans in zip(prompts, rows, strict=True)]
    count = len(picture_seeds[0])
    each = [prompt for prompt in prompts for _ in range(count)]
    seeds = [seed for row in picture_seeds for seed in row]
    images = actors.painter.paint([pair for pair in pairs for _ in range(count)], seeds)
    plain = paint_plain(actors.painter, each, seeds) if actors.reward.needs_plain else None
    scored = actors.reward(images, each, plain)
    device = responses.words.device
    old, reference, values = _scored(actors, prompts, responses, sampling, at_once or len(prompts))
    return Rollout(
        prompts=tuple(prompts),
        responses=responses,
        pairs=tuple(pairs),
        rewards=_by_response(scored.total.to(device), count),
        terms={name: _by_response(term.to(device), count) for name, term in scored.terms.items()},
        old=old,
        reference=reference,
        values=values,
        images=images,
    )


def _scored(
    actors: Actors, prompts: Sequence[str], responses: Responses, sampling: Sampling, at_once: int
) -> tuple[dict[str, Tensor], dict[str, Tensor], Tensor]:
    """Log-probabilities of policy and reference by channel, and the critic's values; each [B, T]."""
    old, reference, values = [], [], []
    for rows in torch.split(torch.arange(len(prompts)), at_once):
        asked, part = [prompts[row] for row in rows.tolist()], responses[rows]
        analysis = actors.policy.analyze(asked, part, sampling)
        old.append(analysis.logprobs)
        values.append(actors.critic(analysis.hidden))
        reference.append(actors.reference.analyze(asked, part, sampling).logprobs)
    return _joined(old), _joined(reference), torch.cat(values)


def _joined(parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.cat([part[name] for part in parts]) for name in CHANNELS}


def paint_plain(painter: Painter, prompts: Sequence[str], seeds: Sequence[int]) -> Tensor:
    """[B, 3, H, W]: the prompts with nothing added, from the given noise; responses that share both share a picture."""
    places = list(zip(prompts, seeds, strict=True))
    distinct = list(dict.fromkeys(places))
    images = painter.paint([PromptPair.plain(prompt) for prompt, _ in distinct], [seed for _, seed in distinct])
    where = {place: number for number, place in enumerate(distinct)}
    return images[[where[place] for place in places]]


def _by_response(values: Tensor, count: int) -> Tensor:
    return values.reshape(-1, count).mean(dim=1)


def rows_of(table: dict[str, Tensor], rows: Tensor) -> dict[str, Tensor]:
    """Some rows of every tensor."""
    return {name: values[rows] for name, values in table.items()}


def is_finite(rollout: Rollout) -> bool:
    """False if a reward or a log-probability is not a number: training on it would destroy the policy."""
    tensors = [getattr(rollout, item.name) for item in fields(rollout) if item.name in ("rewards", "values")]
    return all(bool(torch.isfinite(t).all()) for t in (*tensors, *rollout.old.values(), *rollout.reference.values()))
