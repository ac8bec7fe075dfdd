"""T5, GPT-2 and Llama behind one small port: read prompts, then give the state that chooses each next token."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import GPT2LMHeadModel, LlamaForCausalLM, PreTrainedModel, T5ForConditionalGeneration

from ...errors import PolicyError

MODELS: dict[str, type[PreTrainedModel]] = {
    "t5": T5ForConditionalGeneration,  # and T5 1.1, Flan-T5: gated, with a head of its own
    "gpt2": GPT2LMHeadModel,  # and DistilGPT-2
    "llama": LlamaForCausalLM,  # and SmolLM2
}
"""The class of each `model_type` that a policy can be built on."""
MAX_PROMPT_TOKENS = 256
"""Prompts are cut here; far beyond what a text encoder of an image model reads."""
MAX_RESPONSE_TOKENS = 200
"""Answers end here; far beyond what any card's budget allows."""


@dataclass(frozen=True, slots=True)
class States:
    """What the network says at each of T places of B rows."""

    logits: Tensor
    """[B, T, V] of the next token."""
    hidden: Tensor
    """[B, T, D], the state behind them."""


class Backbone(Protocol):
    """A language model that continues a prompt."""

    @property
    def model(self) -> PreTrainedModel:
        """The transformers model."""
        ...

    @property
    def room(self) -> int:
        """Tokens that a response has place for behind the longest prompt."""
        ...

    def read(self, prompts: Sequence[str]) -> Any:
        """Whatever the other two need to know about the prompts."""
        ...

    def states(self, read: Any, words: Tensor) -> States:
        """States at the T places of responses `words` [B, T], each seeing the words before it."""
        ...

    def step(self, read: Any, words: Tensor | None, cache: Any) -> tuple[States, Any]:
        """The next place, given the last words [B] (None at the start) and the cache; states have T = 1."""
        ...


class T5Backbone:
    """Encoder reads the prompt, decoder writes: NegOpt's layout (arXiv 2403.07605)."""

    def __init__(self, model: T5ForConditionalGeneration, tokenizer: Any) -> None:
        self.model: PreTrainedModel = model
        self.cache_name = cache_name_of(model)
        self.encoder, self.tokenizer = model.encoder, tokenizer
        start = model.config.decoder_start_token_id
        self.start: int = model.config.pad_token_id if start is None else start  # type: ignore[assignment]
        self.room = MAX_RESPONSE_TOKENS  # positions are relative to each other: any length will do

    def read(self, prompts: Sequence[str]) -> Any:
        asked = _tokens(self.tokenizer, prompts, "right", MAX_PROMPT_TOKENS).to(self.model.device)
        encoded = self.encoder(input_ids=asked.input_ids, attention_mask=asked.attention_mask)
        return encoded.last_hidden_state, asked.attention_mask

    def states(self, read: Any, words: Tensor) -> States:
        first = torch.full_like(words[:, :1], self.start)
        return self._run(read, torch.cat([first, words[:, :-1]], dim=1), None)[0]

    def step(self, read: Any, words: Tensor | None, cache: Any) -> tuple[States, Any]:
        if words is None:
            words = torch.full((len(read[0]),), self.start, device=self.model.device)
        return self._run(read, words[:, None], cache, use_cache=True)

    def _run(self, read: Any, inputs: Tensor, cache: Any, use_cache: bool = False) -> tuple[States, Any]:
        hidden, mask = read
        out = self.model(
            encoder_outputs=(hidden,),
            attention_mask=mask,
            decoder_input_ids=inputs,
            use_cache=use_cache,
            output_hidden_states=True,
            **{self.cache_name: cache},
        )
        return States(out.logits, out.decoder_hidden_states[-1]), getattr(out, self.cache_name)


class CausalBackbone:
    """One stack continues the prompt after a comma: PAE's layout (arXiv 2404.04095)."""

    def __init__(self, model: PreTrainedModel, tokenizer: Any) -> None:
        self.model: PreTrainedModel = model
        self.cache_name = cache_name_of(model)
        self.tokenizer = tokenizer
        places = int(model.config.max_position_embeddings)
        self.longest_prompt = min(MAX_PROMPT_TOKENS, places // 2)
        self.room = min(MAX_RESPONSE_TOKENS, places - self.longest_prompt)

    def read(self, prompts: Sequence[str]) -> Any:
        texts = [f"{prompt}," for prompt in prompts]
        asked = _tokens(self.tokenizer, texts, "left", self.longest_prompt).to(self.model.device)
        is_cut = asked.attention_mask.sum(dim=1) == self.longest_prompt
        if is_cut.any():  # an answer comes behind a comma, whatever was cut
            asked.input_ids[is_cut, -1] = self.tokenizer(",", add_special_tokens=False).input_ids[-1]
        return asked.input_ids, asked.attention_mask

    def states(self, read: Any, words: Tensor) -> States:
        ids, mask = read
        inputs = torch.cat([ids, words[:, :-1]], dim=1)
        seen = torch.cat([mask, torch.ones_like(words[:, :-1])], dim=1)
        states = self._run(inputs, seen, None)[0]
        return States(states.logits[:, ids.shape[1] - 1 :], states.hidden[:, ids.shape[1] - 1 :])

    def step(self, read: Any, words: Tensor | None, cache: Any) -> tuple[States, Any]:
        ids, mask = read
        if words is None:
            states, cache = self._run(ids, mask, None, use_cache=True)
            return States(states.logits[:, -1:], states.hidden[:, -1:]), (cache, mask)
        kept, seen = cache
        seen = torch.cat([seen, torch.ones_like(words[:, None])], dim=1)
        states, kept = self._run(words[:, None], seen, kept, use_cache=True)
        return states, (kept, seen)

    def _run(self, inputs: Tensor, seen: Tensor, cache: Any, use_cache: bool = False) -> tuple[States, Any]:
        positions = (seen.cumsum(dim=1) - 1).clamp(min=0)[:, -inputs.shape[1] :]
        out = self.model(
            input_ids=inputs,
            attention_mask=seen,
            position_ids=positions,
            use_cache=use_cache,
            output_hidden_states=True,
            **{self.cache_name: cache},
        )
        return States(out.logits, out.hidden_states[-1]), getattr(out, self.cache_name)


def make_backbone(model: PreTrainedModel, tokenizer: Any) -> Backbone:
    """The port over a transformers model; PolicyError for an architecture that is not in `MODELS`."""
    if isinstance(model, T5ForConditionalGeneration):
        return T5Backbone(model, tokenizer)
    if isinstance(model, tuple(MODELS.values())):
        return CausalBackbone(model, tokenizer)
    raise PolicyError(f"a policy is built on {', '.join(MODELS)}, not on {type(model).__name__}; use one of those")


def build_model(config: Any) -> PreTrainedModel:
    """Fresh weights for a configuration; PolicyError for an architecture that is not in `MODELS`."""
    if config.model_type not in MODELS:
        raise PolicyError(f"a policy is built on {', '.join(MODELS)}, not on {config.model_type}; use one of those")
    return MODELS[config.model_type](config)


def _tokens(tokenizer: Any, texts: Sequence[str], side: str, longest: int) -> Any:
    """Ids and mask of a batch padded on one side; the tokenizer's own setting is put back."""
    before = tokenizer.padding_side, tokenizer.pad_token
    tokenizer.padding_side = side
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    try:
        return tokenizer(
            list(texts),
            padding=True,
            truncation=True,
            max_length=longest,
            add_special_tokens=side == "right",  # an end mark before the continuation would end it
            return_tensors="pt",
        )
    finally:
        tokenizer.padding_side = before[0]
        if before[1] is None:
            tokenizer.pad_token = None


def cache_name_of(model: PreTrainedModel) -> str:
    """What the model calls its key-value cache: `cache` since transformers 5.24, `past_key_values` before."""
    parameters = inspect.signature(type(model).forward).parameters
    return "cache" if "cache" in parameters else "past_key_values"


def width_of(model: PreTrainedModel) -> int:
    """Channels of the states."""
    return int(model.config.hidden_size)
