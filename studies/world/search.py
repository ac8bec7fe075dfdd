"""The search for the best negative, one for all prompts and one for each: a linear model of what each word gains.

On prompts and noise of its own, and with the reward judge, the search paints random negatives beside none. A ridge
regression then explains the gain in R by the words of the negative, each with an effect for each thing the prompt
names: gain = sum over words w of (a_w + b_w . content) + c n + d n^2, n the number of words. The best set is grown
one word at a time for as long as the predicted gain grows.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from negopt_core.world import vocabulary as words
from negopt_core.world.captions import read_prompt

VOCABULARY = (*words.DEGRADATIONS, *words.BAD_WORDS)
MAX_WORDS = 8
_CONTENT = (("medium", 4), ("place", 4), ("time", 3), ("shape", 6), ("colour", 6))
_PARTS = 5
_PENALTIES = (3.0, 10.0, 30.0, 100.0, 300.0)


def random_negatives(prompts: Sequence[str], seed: int) -> list[tuple[str, ...]]:
    """For each prompt 1 to 8 words of the vocabulary, drawn at random."""
    rng = random.Random(seed)
    return [tuple(rng.sample(VOCABULARY, rng.randint(1, MAX_WORDS))) for _ in prompts]


def content_features(prompts: Sequence[str]) -> Tensor:
    """[P, 23] one-hot medium, place, time, shape and colour, each less its mean."""
    requests = [read_prompt(prompt) for prompt in prompts]
    columns = []
    for head, size in _CONTENT:
        index = torch.tensor([getattr(request, head) for request in requests])
        columns.append(torch.nn.functional.one_hot(index, size) - 1.0 / size)
    return torch.cat(columns, dim=1).double()


@dataclass(frozen=True, slots=True)
class Gains:
    """The fitted model."""

    words: Tensor
    """[V] gain of each word on average."""
    content: Tensor
    """[V, 23] how much more or less for each thing that the prompt names."""
    size: Tensor
    """[2] factors of n and n^2."""
    explained: float
    """Share of the variance of held-out gains that the model explains."""

    def choose(self, features: Tensor | None = None) -> tuple[str, ...]:
        """The best negative for content features [23], or without them the best one for all prompts."""
        gains = self.words if features is None else self.words + self.content @ features
        order = gains.argsort(descending=True)
        totals = [self._total(gains[order[:count]]) for count in range(MAX_WORDS + 1)]
        best = max(range(MAX_WORDS + 1), key=totals.__getitem__)
        return tuple(VOCABULARY[index] for index in order[:best])

    def _total(self, gains: Tensor) -> float:
        count = len(gains)
        return float(gains.sum() + self.size[0] * count + self.size[1] * count**2)


def fit_gains(prompts: Sequence[str], negatives: Sequence[tuple[str, ...]], gains: Tensor) -> Gains:
    """Fit the model to the gains [N] of painted negatives; the penalty is chosen on held-out fifths."""
    design = _design(prompts, negatives)
    target = gains.double()
    parts = _parts(prompts)
    scores = [(_held_out(design, target, parts, penalty), penalty) for penalty in _PENALTIES]
    explained, penalty = max(scores)
    solution = _ridge(design, target, penalty)
    count = len(VOCABULARY)
    content = solution[count + 2 :].view(count, -1)
    return Gains(solution[:count], content, solution[count : count + 2], explained)


def _design(prompts: Sequence[str], negatives: Sequence[tuple[str, ...]]) -> Tensor:
    """[N, V + 2 + V * 23]: words, size and size squared, words times content."""
    used = torch.tensor([[float(word in negative) for word in VOCABULARY] for negative in negatives]).double()
    count = used.sum(dim=1, keepdim=True)
    crossed = used[:, :, None] * content_features(prompts)[:, None]
    return torch.cat([used, count, count**2, crossed.flatten(1)], dim=1)


def _ridge(design: Tensor, target: Tensor, penalty: float) -> Tensor:
    """Least squares with a penalty on the content effects and next to none on the rest."""
    weights = torch.full((design.shape[1],), penalty, dtype=torch.float64)
    weights[: len(VOCABULARY) + 2] = 1.0
    solution: Tensor = torch.linalg.solve(design.T @ design + weights.diag(), design.T @ target)
    return solution


def _parts(prompts: Sequence[str]) -> Tensor:
    """[N] one of five parts; rows of the same prompt, which share a picture without a negative, are in the same."""
    numbers = {prompt: number for number, prompt in enumerate(dict.fromkeys(prompts))}
    return torch.tensor([numbers[prompt] % _PARTS for prompt in prompts])


def _held_out(design: Tensor, target: Tensor, parts: Tensor, penalty: float) -> float:
    """Share of variance explained on held-out parts."""
    predicted = torch.empty_like(target)
    for part in range(_PARTS):
        held = parts == part
        predicted[held] = design[held] @ _ridge(design[~held], target[~held], penalty)
    return float(1 - (target - predicted).square().sum() / (target - target.mean()).square().sum())
