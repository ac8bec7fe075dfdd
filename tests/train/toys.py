"""A painter and a scorer for learning tests: the picture is a number that a function reads off the prompt pair."""

import sys
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "policy"))

from languages import language_policy

from negopt_core.lab.train.rollout import Actors
from negopt_core.policy.language import LanguagePolicy
from negopt_core.scorers.base import Reward, RewardTerm
from negopt_core.text.prompt import PromptPair, Span


@dataclass
class CodePainter:
    """Paints `code(pair)` as the brightness of a 1 x 1 picture."""

    code: Callable[[PromptPair], float]

    def paint(self, pairs: Sequence[PromptPair], seeds: Sequence[int]) -> torch.Tensor:
        assert len(pairs) == len(seeds)
        return torch.tensor([self.code(pair) for pair in pairs])[:, None, None, None].expand(-1, 3, 1, 1)


@dataclass(frozen=True)
class Brightness:
    name: str = "brightness"

    def __call__(self, images: torch.Tensor, prompts: Sequence[str]) -> torch.Tensor:
        return images[:, 0, 0, 0]


def phrases(pair: PromptPair) -> list[Span]:
    """What a policy added, on either side."""
    own = [span for span in pair.negative.spans if span.text.strip(", ")]
    return own or [span for span in pair.positive.spans if not span.is_plain]


def actors(kind: str, code: Callable[[PromptPair], float], seed: int = 0, **card: object) -> Actors:
    policy: LanguagePolicy = language_policy(kind, seed=seed, **card)
    torch.manual_seed(seed)
    reward = Reward((RewardTerm(Brightness()),))
    return Actors(policy, deepcopy(policy), CodePainter(code), reward)
