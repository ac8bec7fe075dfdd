"""Learning which phrases answer a prompt, over a closed stock: the policy's own distribution, computed at once.

The network is asked for the next phrase among those not yet said and the end (also behind a comma, so that it learns to
leave the end to the commas), and at each comma whether to go on. What a prompt forbids is not in the examples, so the
contradiction rule needs no place here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...errors import TrainingError
from ...policy.language import LanguagePolicy
from ...policy.language.reader import Read
from ..data.examples import Example
from .denoise import draw_alike, pad_rows
from .trainer import BaseTrainer

_NEVER = -1e9


@dataclass(frozen=True, slots=True)
class PhraseSettings:
    """Settings of `PhraseTraining`; the share `smoothing` of the target goes to all phrases not yet said."""

    steps: int = 1000
    batch_size: int = 32
    learning_rate: float = 1e-3
    warmup_steps: int = 50
    weight_decay: float = 0.01
    smoothing: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """What is read, and the phrases to write, as places in the stock."""

    read: Read
    phrases: tuple[int, ...]
    weight: float


class PhraseTraining(BaseTrainer):
    """A policy over a stock of one-token phrases, its tasks, optimiser and random state."""

    def __init__(self, policy: LanguagePolicy, tasks: Sequence[Task], settings: PhraseSettings) -> None:
        if not tasks:
            raise TrainingError("there are no examples to learn from")
        super().__init__("policy", policy, settings, (0.9, 0.98), settings.weight_decay)
        self.policy, self.tasks, self.settings = policy, list(tasks), settings
        self.phrase_ids = policy.phrase_ids
        self.task_weights = torch.tensor([task.weight for task in tasks])
        self.lengths = [len(task.read.text) for task in tasks]

    def step(self) -> dict[str, float]:
        """Draw tasks, take one step, say how it went."""
        settings = self.settings
        tasks: list[Task] = draw_alike(self.tasks, self.task_weights, settings.batch_size, self.rng, self.lengths)
        with self.dropping_out():
            loss = self.loss(tasks)
        self.optimize([loss])
        return {"loss": float(loss.detach())}

    def loss(self, tasks: Sequence[Task]) -> Tensor:
        """Mean negative log-likelihood of a phrase with the comma or end behind it."""
        policy, backbone = self.policy, self.policy.backbone
        states = backbone.states(backbone.read([task.read.text for task in tasks]), self.words(tasks))
        count = torch.tensor([len(task.phrases) for task in tasks])
        places = pad_rows([task.phrases for task in tasks], 0)  # [B, K]
        is_phrase = torch.arange(places.shape[1]) < count[:, None]
        pushes = policy.pushes([task.read for task in tasks], states.logits.shape[-1])
        logits = states.logits[:, 0::2] if pushes is None else states.logits[:, 0::2] + pushes[:, None]
        phrase_logs = self._phrase_logs(logits, places, is_phrase)
        is_last = torch.arange(places.shape[1]) == count[:, None] - 1
        spelling = policy.spelling
        goes_on = states.logits[:, 1::2, [spelling.separator, spelling.end]].float().log_softmax(-1)
        comma_logs = torch.where(is_last, goes_on[..., 1], goes_on[..., 0])
        return -((phrase_logs + comma_logs) * is_phrase).sum() / is_phrase.sum().clamp(min=1)

    def words(self, tasks: Sequence[Task]) -> Tensor:
        """[B, 2K] tokens: phrase, comma, phrase, ..., end."""
        spelling = self.policy.spelling
        rows = []
        for task in tasks:
            row: list[int] = []
            for place in task.phrases:
                row += [int(self.phrase_ids[place]), spelling.separator]
            rows.append([*row[:-1], spelling.end])
        return pad_rows(rows, spelling.pad)

    def _phrase_logs(self, logits: Tensor, places: Tensor, is_phrase: Tensor) -> Tensor:
        """[B, K] log-probabilities of the phrases, among those not yet said and the end."""
        choices = torch.cat([self.phrase_ids, torch.tensor([self.policy.spelling.end])])
        logits = logits[..., choices].float()
        marks = is_phrase[..., None].to(torch.int8)
        said = torch.zeros(logits.shape, dtype=torch.int8).scatter_(2, places[..., None], marks)
        before = said.cumsum(dim=1) - said
        logs = logits.masked_fill(before > 0, _NEVER).log_softmax(-1)
        picked = logs.gather(-1, places[..., None])[..., 0]
        if not self.settings.smoothing:
            return picked
        spread = logs.masked_fill(before > 0, 0.0).mean(-1)
        return (1 - self.settings.smoothing) * picked + self.settings.smoothing * spread

    @torch.no_grad()
    def evaluate(self, tasks: Sequence[Task], batch_size: int = 64) -> dict[str, float]:
        """Mean loss over held-out tasks, weighted by their phrases, and the perplexity that it is."""
        self.policy.eval()
        loss, total = 0.0, sum(len(task.phrases) for task in tasks)
        for start in range(0, len(tasks), batch_size):
            part = tasks[start : start + batch_size]
            loss += float(self.loss(part)) * sum(len(task.phrases) for task in part) / total
        return {"eval/words": loss, "eval/perplexity": math.exp(loss)}


def tasks_of(examples: Sequence[Example], reads: Sequence[Read]) -> list[Task]:
    """Examples with what the policy's reader made of their prompts."""
    return [Task(read, example.phrases, example.weight) for example, read in zip(examples, reads, strict=True)]
