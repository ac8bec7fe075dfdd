"""A language model with phrase-level heads: `respond` draws words, windows and weights, `analyze` scores them again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from ...errors import PolicyError
from ...text.prompt import Span
from ..card import PolicyCard
from ..contradiction import read_asked
from .actions import CHANNELS, Responses, Sampling
from .backbone import Backbone, States, make_backbone, width_of
from .grammar import Allowed, Grammar, Walk, bans_of
from .reader import Read, Reader
from .render import read_spans
from .spelling import Spelling, read_phrase, spell_phrase

_NEVER = -1e9
"""Logit of a word that is not allowed."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """Log-probabilities and entropies of given actions by channel, each [B, T] and 0 where the channel does not act."""

    logprobs: dict[str, Tensor]
    entropies: dict[str, Tensor]


class LanguagePolicy(nn.Module):
    """pi(words, windows, weights | prompt). A head with one class is no head: its action is certain."""

    def __init__(
        self, model: PreTrainedModel, tokenizer: Any, card: PolicyCard, grammar: Grammar, reader: Reader | None = None
    ) -> None:
        super().__init__()
        self.model, self.tokenizer, self.card, self.grammar = model, tokenizer, card, grammar
        self.reader = reader or Reader()
        self._phrase_ids: Tensor | None = None
        self.precision = torch.float32
        """Of the language model's arithmetic. Weights, heads and what is read off the logits stay float32."""
        self.spelling = Spelling.of(tokenizer)
        width = width_of(model)
        self.heads = nn.ModuleDict(
            {
                "windows": nn.Linear(width, len(card.windows)),
                "weights": nn.Linear(width, len(card.weights)),
            }
        )
        if card.settings.get("times_by_phrase"):  # what a phrase says of itself, whatever the state: see `time_logits`
            size = int(model.config.vocab_size)
            self.heads["windows_by_phrase"] = nn.Embedding(size, len(card.windows))
            self.heads["weights_by_phrase"] = nn.Embedding(size, len(card.weights))
        self.set_flat()

    @property
    def backbone(self) -> Backbone:
        """The port over the language model."""
        return make_backbone(self.model, self.tokenizer)

    def _computing(self, is_on: bool = True) -> AbstractContextManager[None]:
        """Where the language model computes in `precision`; with `is_on` False the place inside that does not."""
        is_on = is_on and self.precision != torch.float32
        return torch.autocast(self.model.device.type, torch.bfloat16, enabled=is_on)

    def set_flat(self) -> None:
        """Make every window and weight as likely as the others."""
        for parameter in self.heads.parameters():
            nn.init.zeros_(parameter)

    def set_prior(self, channel: str, probabilities: Sequence[float]) -> None:
        """Start a head at given probabilities, as a bias; PAE got there by training on random targets."""
        head = self.heads[channel]
        assert isinstance(head, nn.Linear)
        with torch.no_grad():
            head.weight.zero_()
            head.bias.copy_(torch.tensor(probabilities).clamp(min=1e-4).log())

    def walks(self, prompts: Sequence[str]) -> list[Walk]:
        """The rule of each row, at its start."""
        is_negative, strict = self.card.polarity == "negative", bool(self.card.settings.get("strict", False))
        read = self.grammar.words
        return [self.grammar.walk(bans_of(read_asked(prompt), is_negative, strict, read)) for prompt in prompts]

    def pushes(self, read: Sequence[Read], vocabulary: int) -> Tensor | None:
        """[B, V] what the neighbours' votes add to the logits; None if there are none."""
        if not any(item.pushes for item in read):
            return None
        pushes = torch.zeros(len(read), vocabulary)
        for row, item in enumerate(read):
            places, values = zip(*item.pushes, strict=True) if item.pushes else ((), ())
            pushes[row, self.phrase_ids[list(places)]] = torch.tensor(values)
        return pushes

    def spans(self, responses: Responses) -> list[list[Span]]:
        """The phrases of each row, spelled as in the stock, with the window and weight chosen for them."""
        rows = read_spans(responses, self.tokenizer, self.card)
        return [[replace(span, text=self._stock_spelling.get(span.text, span.text)) for span in row] for row in rows]

    @cached_property
    def _stock_spelling(self) -> dict[str, str]:
        """Phrases that the tokenizer reads back otherwise than the stock spells them, such as `8 k` for `8k`."""
        phrases = getattr(self.grammar, "phrases", ())
        read = {read_phrase(self.tokenizer, spell_phrase(self.tokenizer, phrase)): phrase for phrase in phrases}
        return {seen: phrase for seen, phrase in read.items() if seen != phrase}

    @property
    def phrase_ids(self) -> Tensor:
        """[S] the one token of each phrase of the stock; PolicyError where a phrase has more, or there is no stock."""
        if self._phrase_ids is None:
            spelled = [spell_phrase(self.tokenizer, phrase) for phrase in getattr(self.grammar, "phrases", ())]
            if not spelled or any(len(ids) != 1 for ids in spelled):
                raise PolicyError("each phrase of the stock needs a token of its own; fit the tokenizer with the stock")
            self._phrase_ids = torch.tensor([ids[0] for ids in spelled])
        return self._phrase_ids

    @torch.no_grad()
    def respond(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        sampling: Sampling,
        time_seeds: Sequence[int] | None = None,
    ) -> Responses:
        """Draw actions for each prompt, each row with its own seed, in one batch with a key-value cache.

        With `time_seeds` windows and weights have seeds of their own: rows of one `seeds` then have the same words.
        """
        backbone, rows = self.backbone, _Rows(self.walks(prompts), seeds, sampling, self.spelling, time_seeds)
        asked = [self.reader.read(prompt) for prompt in prompts]
        pushes = self.pushes(asked, int(self.model.config.vocab_size))
        with self._computing():  # around all steps: the weights are cast once
            read, cache, words = backbone.read([item.text for item in asked]), None, None
            while not rows.are_done and len(rows.words) < backbone.room:
                states, cache = backbone.step(read, words, cache)
                with self._computing(is_on=False):
                    words = rows.take(_pushed(_exact(states), pushes), self.time_logits)
        return rows.responses()

    def time_logits(self, channel: str, hidden: Tensor, before: Tensor) -> Tensor:
        """[..., K] logits of windows or weights from states [..., D] and the tokens [...] just before.

        With `times_by_phrase` a phrase's last token has logits of its own, so that a prior for each phrase is exact.
        """
        logits: Tensor = self.heads[channel](hidden)
        table = f"{channel}_by_phrase"
        return logits + self.heads[table](before) if table in self.heads else logits

    def set_times(self, channel: str, targets: Tensor) -> None:
        """Start each phrase of the stock at given probabilities [S, K]."""
        table = self.heads[f"{channel}_by_phrase"]
        assert isinstance(table, nn.Embedding)
        with torch.no_grad():
            table.weight[self.phrase_ids] = targets.clamp(min=1e-4).log()

    def analyze(self, prompts: Sequence[str], responses: Responses, sampling: Sampling) -> Analysis:
        """Score actions under the same masked distribution that `respond` draws from; gradients flow."""
        backbone = self.backbone
        asked = [self.reader.read(prompt) for prompt in prompts]
        with self._computing():
            states = backbone.states(backbone.read([item.text for item in asked]), responses.words)
        states = _pushed(_exact(states), self.pushes(asked, int(self.model.config.vocab_size)))
        logits = word_logits(states.logits, responses.allowed, sampling)
        scores = {"words": _score(logits, responses.words, responses.is_action)}
        before = torch.cat([torch.full_like(responses.words[:, :1], self.spelling.pad), responses.words[:, :-1]], dim=1)
        for channel, chosen in (("windows", responses.windows), ("weights", responses.weights)):
            logits = self.time_logits(channel, states.hidden, before) / sampling.temperature
            scores[channel] = _score(logits, chosen, responses.is_phrase_end)
        return Analysis(
            {channel: scores[channel][0] for channel in CHANNELS},
            {channel: scores[channel][1] for channel in CHANNELS},
        )


def _exact(states: States) -> States:
    """States in float32 but for the logits, which are large and become float32 where they are read."""
    return States(states.logits, states.hidden.float())


def _pushed(states: States, pushes: Tensor | None) -> States:
    """States [B, T] with [B, V] added to their logits."""
    if pushes is None:
        return states
    return States(states.logits + pushes[:, None].to(states.logits), states.hidden)


def word_logits(logits: Tensor, allowed: Tensor, sampling: Sampling) -> Tensor:
    """[..., V] logits under the grammar, the temperature and the top-k rule."""
    width = logits.shape[-1] - allowed.shape[-1]
    if width:  # models pad their vocabulary
        allowed = nn.functional.pad(allowed, (0, width))
    logits = (logits.float() / sampling.temperature).masked_fill(~allowed, _NEVER)
    if 0 < sampling.top_k < logits.shape[-1]:
        least = logits.topk(sampling.top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < least, _NEVER)
    return logits


def _score(logits: Tensor, chosen: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """[B, T] log-probabilities of the chosen actions and entropies, 0 outside of the mask."""
    logs = logits.float().log_softmax(dim=-1)
    picked = logs.gather(-1, chosen[..., None])[..., 0]
    entropy = -(logs.exp() * logs).sum(dim=-1)
    return picked.masked_fill(~mask, 0.0), entropy.masked_fill(~mask, 0.0)


def draw(logits: Tensor, uniform: Tensor, is_greedy: bool) -> Tensor:
    """[B] indices from [B, K] logits by inverting the cumulative distribution at [B] uniform numbers."""
    if is_greedy:
        return logits.argmax(dim=-1)
    cumulative = logits.double().softmax(dim=-1).cumsum(dim=-1)
    place = torch.searchsorted(cumulative, uniform[:, None] * cumulative[:, -1:], right=True)[:, 0]
    return place.clamp(max=logits.shape[-1] - 1)


def _uniform(generators: Sequence[torch.Generator], count: int) -> Tensor:
    """[B, count] numbers from 0 to 1, a row from each generator."""
    return torch.stack([torch.rand(count, generator=one, dtype=torch.float64) for one in generators])


@dataclass
class _Rows:
    """The growing batch of `respond`."""

    walks: list[Walk]
    seeds: Sequence[int]
    sampling: Sampling
    spelling: Spelling
    time_seeds: Sequence[int] | None = None
    words: list[Tensor] = field(default_factory=list)
    choices: dict[str, list[Tensor]] = field(default_factory=lambda: {"windows": [], "weights": []})
    ends: list[list[bool]] = field(default_factory=list)
    alive: list[list[bool]] = field(default_factory=list)
    allowed: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.generators = [torch.Generator().manual_seed(seed) for seed in self.seeds]
        self.time_generators = [torch.Generator().manual_seed(seed) for seed in self.time_seeds or ()]
        self.is_live = [True] * len(self.walks)

    @property
    def are_done(self) -> bool:
        return not any(self.is_live)

    def take(self, states: States, time_logits: Callable[[str, Tensor, Tensor], Tensor]) -> Tensor:
        """Choose the next action of every row; returns the words [B]."""
        logits, hidden = states.logits[:, 0], states.hidden[:, 0]
        allowed = self._allowed(logits.shape[-1])
        uniform = _uniform(self.generators, 3)
        if self.time_generators:
            uniform[:, 1:] = _uniform(self.time_generators, 2)
        uniform = uniform.to(logits.device)
        greedy = self.sampling.is_greedy
        words = draw(word_logits(logits, allowed.to(logits.device), self.sampling), uniform[:, 0], greedy)
        before = self.words[-1] if self.words else torch.full_like(words, self.spelling.pad)
        times = {name: time_logits(name, hidden, before).float() / self.sampling.temperature for name in self.choices}
        chosen = {
            name: draw(logits, uniform[:, 1 + place], greedy) for place, (name, logits) in enumerate(times.items())
        }
        tokens = words.tolist()
        ended = [
            live and walk.advance(token) for live, walk, token in zip(self.is_live, self.walks, tokens, strict=True)
        ]
        self.alive.append(list(self.is_live))
        self.ends.append(ended)
        self.allowed.append(allowed)
        self.words.append(words)
        for name, index in chosen.items():
            self.choices[name].append(index * torch.tensor(ended, device=index.device))
        self.is_live = [live and token != self.spelling.end for live, token in zip(self.is_live, tokens, strict=True)]
        return words

    def _allowed(self, vocabulary: int) -> Tensor:
        mask = torch.zeros(len(self.walks), vocabulary, dtype=torch.bool)
        for row, walk, live in zip(mask, self.walks, self.is_live, strict=True):
            (walk.allowed() if live else Allowed((self.spelling.pad,))).mark(row)
        return mask

    def responses(self) -> Responses:
        return Responses(
            words=torch.stack(self.words, dim=1),
            windows=torch.stack(self.choices["windows"], dim=1),
            weights=torch.stack(self.choices["weights"], dim=1),
            is_action=torch.tensor(self.alive).T.contiguous().to(self.words[0].device),
            is_phrase_end=torch.tensor(self.ends).T.contiguous().to(self.words[0].device),
            allowed=torch.stack(self.allowed, dim=1).to(self.words[0].device),
        )
