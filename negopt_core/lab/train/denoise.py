"""Learning words from prompts before learning answers: T5 fills gaps, GPT-2 continues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ...errors import TrainingError
from .tokenizer import GAP
from .trainer import BaseTrainer

_IGNORED = -100


@dataclass(frozen=True, slots=True)
class DenoiseSettings:
    """Spans of three tokens, a sixth of a text, are T5's own choice (arXiv 1910.10683), rounded."""

    steps: int = 1000
    batch_size: int = 32
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    gaps: float = 0.2
    """Share of a text's tokens that are taken out."""
    gap_length: int = 3
    max_tokens: int = 40
    seed: int = 0


class Denoise(BaseTrainer):
    """A model, the texts it learns from, optimiser and random state; `step` is one update."""

    def __init__(self, model: PreTrainedModel, tokenizer: Any, texts: Sequence[str], settings: DenoiseSettings) -> None:
        if not texts:
            raise TrainingError("there are no texts to learn from")
        super().__init__("model", model, settings, (0.9, 0.98))
        self.model, self.tokenizer, self.settings = model, tokenizer, settings
        ids = tokenizer(list(texts), add_special_tokens=False, truncation=True, max_length=settings.max_tokens)
        self.texts: list[list[int]] = [row for row in ids.input_ids if len(row) >= 4]

    def step(self) -> dict[str, float]:
        """Draw texts of like length, take one step, say how it went."""
        texts = draw_alike(self.texts, None, self.settings.batch_size, self.rng)
        with self.dropping_out():
            loss = self.loss(texts)
        self.optimize([loss])
        return {"loss": float(loss.detach())}

    def loss(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """Mean negative log-likelihood of a token."""
        end, pad = self.tokenizer.eos_token_id, self.tokenizer.pad_token_id
        if not self.model.config.is_encoder_decoder:
            ids = pad_rows([[*text, end] for text in texts], pad)
            seen = pad_rows([[1] * (len(text) + 1) for text in texts], 0)
            out = self.model(input_ids=ids, attention_mask=seen, labels=ids.masked_fill(seen == 0, _IGNORED))
            return out.loss  # type: ignore[no-any-return]
        gap = self.tokenizer.convert_tokens_to_ids(GAP)
        cut = [take_out(text, self.settings.gaps, self.settings.gap_length, gap, self.rng) for text in texts]
        read = pad_rows([kept for kept, _ in cut], pad)
        seen = pad_rows([[1] * len(kept) for kept, _ in cut], 0)
        wanted = pad_rows([[*lost, end] for _, lost in cut], _IGNORED)
        return self.model(input_ids=read, attention_mask=seen, labels=wanted).loss  # type: ignore[no-any-return]


def take_out(
    text: Sequence[int], share: float, length: int, gap: int, rng: torch.Generator
) -> tuple[list[int], list[int]]:
    """A text with gaps, and what was in them, each part after a gap token; at least one gap."""
    starts = torch.rand(len(text), generator=rng) < share / length
    starts[int(torch.randint(len(text), (1,), generator=rng))] = True
    kept: list[int] = []
    lost: list[int] = []
    place = 0
    while place < len(text):
        if starts[place]:
            kept.append(gap)
            lost += [gap, *text[place : place + length]]
            place += length
        else:
            kept.append(text[place])
            place += 1
    return kept, lost


def draw_alike(
    rows: Sequence[Any], weights: Tensor | None, count: int, rng: torch.Generator, lengths: Sequence[int] | None = None
) -> list[Any]:
    """`count` rows of like length, so that little is padding: a quarter of four times as many, drawn with replacement.

    A row is drawn in proportion to its weight, whatever its length.
    """
    if weights is None:
        chosen = torch.randint(len(rows), (4 * count,), generator=rng).tolist()
    else:
        chosen = torch.multinomial(weights, 4 * count, replacement=True, generator=rng).tolist()
    size = lengths if lengths is not None else [len(row) for row in rows] if len(rows) < 4 * count else None
    ordered = sorted(chosen, key=lambda place: size[place] if size is not None else len(rows[place]))
    part = int(torch.randint(4, (1,), generator=rng))
    return [rows[place] for place in ordered[part * count : (part + 1) * count]]


def pad_rows(rows: Sequence[Sequence[int]], filler: int) -> Tensor:
    """[B, longest] with what is missing at the end filled."""
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[filler] * (longest - len(row))] for row in rows])
