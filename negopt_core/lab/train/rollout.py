"""One round of trying: the policy answers prompts, a painter paints the answers, a reward looks at the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...paint.base import Painter
from ...policy.language import LanguagePolicy, Responses, Sampling
from ...policy.language.actions import CHANNELS
from ...policy.language.render import pair_of
from ...scorers.base import Reward
from ...text.prompt import PromptPair


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
    """The models of a round: the policy that learns, a frozen reference, painter and reward."""

    policy: LanguagePolicy
    reference: LanguagePolicy
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
    old, reference = _scored(actors, prompts, responses, sampling, at_once or len(prompts))
    return Rollout(
        prompts=tuple(prompts),
        responses=responses,
        pairs=tuple(pairs),
        rewards=_by_response(scored.total.to(device), count),
        terms={name: _by_response(term.to(device), count) for name, term in scored.terms.items()},
        old=old,
        reference=reference,
        images=images,
    )


def _scored(
    actors: Actors, prompts: Sequence[str], responses: Responses, sampling: Sampling, at_once: int
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Log-probabilities of policy and reference by channel; each [B, T]."""
    old, reference = [], []
    for rows in torch.split(torch.arange(len(prompts)), at_once):
        asked, part = [prompts[row] for row in rows.tolist()], responses[rows]
        old.append(actors.policy.analyze(asked, part, sampling).logprobs)
        reference.append(actors.reference.analyze(asked, part, sampling).logprobs)
    return _joined(old), _joined(reference)


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
    tensors = (rollout.rewards, *rollout.old.values(), *rollout.reference.values())
    return all(bool(torch.isfinite(one).all()) for one in tensors)
