"""Supervised fine-tuning: -log pi(words, windows, weights | prompt), on the answer only (NegOpt; PAE eq. 2)."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...errors import TrainingError
from ...policy.language import LanguagePolicy, Responses, Sampling
from ...policy.language.actions import CHANNELS
from ...policy.language.render import encode_spans
from ..data.pairs import Pair
from .settings import SFTSettings
from .trainer import BaseTrainer

_AS_IT_IS = Sampling()


@dataclass(frozen=True, slots=True)
class _Batch:
    """B pairs as the policy reads and writes them, on the CPU."""

    prompts: list[str]
    responses: Responses
    share: Tensor
    """[B, 1] how much each counts."""

    def counts(self, channel: str) -> Tensor:
        """[B, T] how much each place of a channel counts."""
        return self.responses.mask(channel) * self.share

    def split(self, size: int) -> Iterator[_Batch]:
        """The same in parts of `size` rows; 0 for one part."""
        for rows in torch.split(torch.arange(len(self.prompts)), size or len(self.prompts)):
            yield _Batch([self.prompts[row] for row in rows.tolist()], self.responses[rows], self.share[rows])


class SFT(BaseTrainer):
    """A policy, its examples, optimiser and random state; `step` is one update."""

    def __init__(self, policy: LanguagePolicy, pairs: Sequence[Pair], settings: SFTSettings) -> None:
        if not pairs:
            raise TrainingError("there are no pairs to learn from")
        super().__init__("policy", policy, settings, (0.9, 0.95), settings.weight_decay, settings.max_grad_norm)
        self.policy, self.pairs, self.settings = policy, list(pairs), settings

    def step(self) -> dict[str, float]:
        """Draw a batch, take one step, say how it went."""
        batch = self._encoded(self._draw())
        totals = {name: batch.counts(name).sum().clamp(min=1e-6) for name in CHANNELS}
        channels = CHANNELS if self.settings.learns_schedule else ("words",)
        told = dict.fromkeys(channels, 0.0)

        def losses() -> Iterator[Tensor]:
            for part in batch.split(self.settings.at_once):
                sums = self._sums(part)
                mine = {name: sums[name][0] / totals[name].to(sums[name][0].device) for name in channels}
                for name, value in mine.items():
                    told[name] += float(value.detach())
                yield torch.stack(list(mine.values())).sum()

        with self.dropping_out():
            self.optimize(losses())
        return {"loss": sum(told.values()), **{f"loss/{name}": value for name, value in told.items()}}

    def _draw(self) -> list[Pair]:
        """The next batch, each prompt with this epoch's noise; an epoch is as many examples as there are pairs."""
        settings = self.settings
        chosen = torch.randint(len(self.pairs), (settings.batch_size,), generator=self.rng).tolist()
        if not settings.augment:
            return [self.pairs[index] for index in chosen]
        epoch = self.done * settings.batch_size // len(self.pairs)
        return [vary_pair(self.pairs[index], settings.seed, epoch, index, settings.augment) for index in chosen]

    def losses(self, pairs: Sequence[Pair]) -> dict[str, Tensor]:
        """Mean negative log-likelihood of an action by channel."""
        sums = self._sums(self._encoded(pairs))
        return {name: total / weight.clamp(min=1e-6) for name, (total, weight) in sums.items()}

    def _encoded(self, pairs: Sequence[Pair]) -> _Batch:
        responses, _ = encode_pairs(self.policy, pairs)
        share = torch.tensor([pair.weight for pair in pairs])[:, None]
        return _Batch([pair.prompt for pair in pairs], responses, share)

    def _sums(self, batch: _Batch) -> dict[str, tuple[Tensor, Tensor]]:
        """By channel the weighted sum over the actions, and the sum of their weights."""
        responses = batch.responses.to(self.policy.model.device)
        analysis = self.policy.analyze(batch.prompts, responses, _AS_IT_IS)
        counts = {name: batch.counts(name).to(responses.words.device) for name in CHANNELS}
        return {name: (-(analysis.logprobs[name] * count).sum(), count.sum()) for name, count in counts.items()}

    def left_out(self, batch_size: int = 64, most: int = 256) -> float:
        """Share of the phrases of the first pairs that the policy cannot write: not in its stock, or too long."""
        pairs, lost = self.pairs[:most], 0
        for start in range(0, len(pairs), batch_size):
            lost += sum(encode_pairs(self.policy, pairs[start : start + batch_size])[1])
        return lost / max(1, sum(len(pair.spans) for pair in pairs))

    @torch.no_grad()
    def evaluate(self, pairs: Sequence[Pair], name: str = "eval", batch_size: int = 64) -> dict[str, float]:
        """Mean losses of an action over all pairs; `name` says which pairs they are."""
        self.policy.eval()
        size = min(batch_size, self.settings.at_once or batch_size)
        parts = [self._sums(self._encoded(pairs[start : start + size])) for start in range(0, len(pairs), size)]
        losses = {}
        for channel in CHANNELS:
            total, weight = (sum(float(part[channel][place]) for part in parts) for place in (0, 1))
            losses[f"{name}/{channel}"] = total / max(weight, 1e-6)
        return losses


def encode_pairs(policy: LanguagePolicy, pairs: Sequence[Pair]) -> tuple[Responses, list[int]]:
    """The pairs' answers as actions; and how many phrases of each the policy's grammar could not take."""
    return encode_spans(
        [pair.spans for pair in pairs],
        policy.walks([pair.prompt for pair in pairs]),
        policy.tokenizer,
        policy.card,
        int(policy.model.config.vocab_size),
    )


def vary_prompt(prompt: str, rng: random.Random, probability: float = 0.5) -> str:
    """With `probability` change the case, and each comma into a period with the same probability.

    An all-upper prompt becomes lower case, any other is capitalised, which lowers the rest: PAE's code, read for its
    behaviour. Call it once an epoch with that epoch's generator; PAE draws once for the whole training. 0 is off.
    """
    if rng.random() < probability:
        prompt = prompt.lower() if prompt.isupper() else prompt.capitalize()
    return "".join("." if sign == "," and rng.random() < probability else sign for sign in prompt)


def vary_pair(pair: Pair, seed: int, epoch: int, index: int, probability: float = 0.5) -> Pair:
    """The pair as this epoch sees it. `index` is its place among the pairs.

    Its noise is drawn anew from the three numbers, so that it is the same whatever came before: nothing to save.
    Only the prompt is varied. In the answer a comma is what ends a phrase.
    """
    rng = random.Random(f"{seed}/{epoch}/{index}")
    return replace(pair, prompt=vary_prompt(pair.prompt, rng, probability))
