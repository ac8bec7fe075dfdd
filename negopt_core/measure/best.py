"""The best of several suggestions by the pictures that they give: the same noise for all, one reward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import PolicyError
from ..paint.base import Painter
from ..policy import Policy, Suggestion, SuggestOptions, suggest
from ..scorers.base import Reward
from ..text.df_text import parse_prompt
from ..text.prompt import PromptPair


@dataclass(frozen=True, slots=True)
class Candidate:
    """One suggestion, and the mean reward of its pictures."""

    suggestion: Suggestion
    score: float


def best_of(
    policy: Policy,
    prompt: str,
    options: SuggestOptions,
    count: int,
    painter: Painter,
    reward: Reward,
    noise_seeds: Sequence[int],
) -> list[Candidate]:
    """Different suggestions for seeds `options.seed` to `+ count - 1`, best first; ties in order of their seeds.

    Every suggestion is painted once for each noise seed and scored against the prompt as the user wrote it.
    """
    if count < 1 or not noise_seeds:
        raise PolicyError(f"at least one suggestion and one picture are needed, got {count} and {len(noise_seeds)}")
    by_text: dict[tuple[str, str], Suggestion] = {}
    for seed in range(options.seed, options.seed + count):
        (one,) = suggest(policy, [prompt], replace(options, seed=seed))
        by_text.setdefault((one.df_positive, one.df_negative), one)
    suggestions, asked = list(by_text.values()), [prompt] * len(noise_seeds)
    own = PromptPair(parse_prompt(prompt), parse_prompt(options.negative))
    plain = painter.paint([own] * len(noise_seeds), noise_seeds) if reward.needs_plain else None
    candidates = []
    for one in suggestions:
        images = painter.paint([one.pair] * len(noise_seeds), noise_seeds)
        candidates.append(Candidate(one, float(reward(images, asked, plain).total.mean())))
    return sorted(candidates, key=lambda candidate: -candidate.score)
