"""From segments to what a UNet is conditioned on: each distinct row of tokens is encoded once, all in one batch.

Written for pipelines with CLIP-style text encoders (Stable Diffusion 1.x, 2.x, XL). Lengths and widths come from the
models' own configs. A plain text that fits one row gives what the pipeline's own `encode_prompt` gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from ..errors import ModelError
from .chunks import COMMA_BACKTRACK, Chunk, ClipTokens, Parts
from .weighting import Rule, needs_empty, needs_masked, weigh


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """One text as the UNet takes it."""

    states: torch.Tensor
    """[tokens, channels]; the rows of a long text follow each other on the token axis."""
    pooled: torch.Tensor | None
    """[channels], from the first row of the last encoder; None where the model takes no pooled vector."""


@dataclass(frozen=True, slots=True, eq=False)
class Tower:
    """One tokenizer and text encoder of a pipeline, and which of its outputs the pipeline uses."""

    tokens: ClipTokens
    encoder: Any
    is_xl: bool
    """Stable Diffusion XL: the last layer but one, without final norm, and never an attention mask."""
    gives_pooled: bool

    def states(self, output: Any, clip_skip: int | None) -> torch.Tensor:
        """The hidden states [rows, tokens, channels] that the pipeline would use."""
        layers: Sequence[torch.Tensor] = output.hidden_states or ()
        if self.is_xl:
            return layers[-2 - (clip_skip or 0)]
        if clip_skip is None:
            last: torch.Tensor = output[0]
            return last
        body = getattr(self.encoder, "text_model", self.encoder)  # transformers 5 has no inner text_model
        normed: torch.Tensor = body.final_layer_norm(layers[-1 - clip_skip])
        return normed

    def needs_mask(self) -> bool:
        """True if the pipeline hides the padding from this encoder."""
        return not self.is_xl and bool(getattr(self.encoder.config, "use_attention_mask", False))


@dataclass(slots=True)
class _Rows:
    """The distinct rows of one encoder call: token ids, and the positions hidden from attention."""

    places: dict[tuple[tuple[int, ...], frozenset[int]], int] = field(default_factory=dict)

    def add(self, ids: tuple[int, ...], hidden: frozenset[int] = frozenset()) -> int:
        return self.places.setdefault((ids, hidden), len(self.places))

    def tensors(self, device: torch.device) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Token ids [rows, tokens], and the attention mask if anything is hidden at all."""
        ids = torch.tensor([ids for ids, _ in self.places], dtype=torch.long)
        if not any(hidden for _, hidden in self.places):
            return ids.to(device), None
        mask = torch.ones_like(ids)
        for row, (_, hidden) in enumerate(self.places):
            mask[row, list(hidden)] = 0
        return ids.to(device), mask.to(device)


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """Where to find one chunk in the encoder's output, and the rows that its weights need."""

    chunk: Chunk
    row: int
    masked: tuple[tuple[float, int], ...]


@dataclass(frozen=True, slots=True)
class Text:
    """What is encoded: the parts of one segment, and which side of the guidance they are on."""

    parts: Parts
    is_negative: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Conditioner:
    """Encodes the segments of positives and negatives for one pipeline."""

    towers: tuple[Tower, ...]
    rule: Rule
    dtype: torch.dtype
    clip_skip: int | None = None
    """Layers to skip on the positive side; the pipelines never skip any on the negative side, nor do we."""
    zeros_for_no_negative: bool = False
    """Where there is no negative the model wants zeros, not the encoded empty text (`force_zeros_for_empty_prompt`)."""
    is_like_pipeline: bool = True
    """False where the pipeline's own `encode_prompt` would fail, so that not even plain text can be left to it."""

    def chunk_count(self, parts: Parts) -> int:
        """Rows that these parts fill: 1 up to the encoder's length."""
        return max(len(tower.tokens.chunks(parts)) for tower in self.towers)

    def encode(self, texts: Iterable[Text], device: torch.device) -> dict[Text, Encoded]:
        """Encode all texts with one call of each text encoder.

        Everything comes out at one token length: shorter texts are followed by empty rows.
        """
        wanted = tuple(dict.fromkeys(texts))
        chunks = max(self.chunk_count(text.parts) for text in wanted)
        found = [self._encode_tower(tower, wanted, chunks, device) for tower in self.towers]
        encoded = {}
        for place, text in enumerate(wanted):
            states = torch.cat([of_tower[place].states for of_tower in found], dim=-1).to(device, self.dtype)
            pooled = found[-1][place].pooled
            if self.zeros_for_no_negative and text.is_negative and not text.parts:
                states = torch.zeros_like(states)
                pooled = None if pooled is None else torch.zeros_like(pooled)
            encoded[text] = Encoded(states, pooled)
        return encoded

    def _encode_tower(self, tower: Tower, texts: Sequence[Text], chunks: int, device: torch.device) -> list[Encoded]:
        rows = _Rows()
        lines = [[self._line(tower, chunk, rows) for chunk in _padded(tower, text.parts, chunks)] for text in texts]
        is_weighted = any(not line.chunk.is_plain for of_text in lines for line in of_text)
        empty = _add(tower, tower.tokens.empty, rows) if is_weighted and needs_empty(self.rule) else None
        ids, mask = rows.tensors(device)
        with torch.no_grad():
            needs_layers = tower.is_xl or self.clip_skip is not None
            output = tower.encoder(ids, attention_mask=mask, output_hidden_states=needs_layers)
            negative = tower.states(output, None)
            positive = negative if self.clip_skip is None else tower.states(output, self.clip_skip)
        encoded = []
        for text, of_text in zip(texts, lines, strict=True):
            states = negative if text.is_negative else positive
            weighed = [self._weigh(line, states, empty) for line in of_text]
            encoded.append(Encoded(torch.cat(weighed), output[0][of_text[0].row] if tower.gives_pooled else None))
        return encoded

    def _line(self, tower: Tower, chunk: Chunk, rows: _Rows) -> _Line:
        """Order the rows that one chunk needs: itself, and for some rules itself without each weak phrase."""
        phrases = dict(zip(chunk.owners, chunk.weights, strict=True))
        weak = {phrase: weight for phrase, weight in phrases.items() if needs_masked(self.rule, weight)}
        masked = []
        for phrase, weight in weak.items():
            hidden = frozenset(place for place, owner in enumerate(chunk.owners) if owner == phrase)
            masked.append((weight, _add(tower, chunk, rows, hidden)))
        return _Line(chunk, _add(tower, chunk, rows), tuple(masked))

    def _weigh(self, line: _Line, states: torch.Tensor, empty: int | None) -> torch.Tensor:
        masked = [(weight, states[row]) for weight, row in line.masked]
        return weigh(self.rule, states[line.row], line.chunk.weights, None if empty is None else states[empty], masked)


def _padded(tower: Tower, parts: Parts, chunks: int) -> list[Chunk]:
    found = tower.tokens.chunks(parts)
    return [*found, *[tower.tokens.empty] * (chunks - len(found))]


def _add(tower: Tower, chunk: Chunk, rows: _Rows, hidden: frozenset[int] = frozenset()) -> int:
    padding = frozenset(range(chunk.used, len(chunk.ids))) if tower.needs_mask() else frozenset()
    return rows.add(chunk.ids, hidden | padding)


def conditioner_for(
    pipeline: Any, rule: Rule, clip_skip: int | None = None, comma_backtrack: int = COMMA_BACKTRACK
) -> Conditioner:
    """The conditioner of a Stable Diffusion pipeline, as its own `encode_prompt` would encode.

    Raises ModelError if the pipeline has no CLIP-style text encoder, or fewer layers than `clip_skip` skips.
    """
    is_xl = hasattr(pipeline, "text_encoder_2")
    towers = []
    is_like_pipeline = True
    for end in ("", "_2") if is_xl else ("",):
        tokenizer, encoder = getattr(pipeline, f"tokenizer{end}", None), getattr(pipeline, f"text_encoder{end}", None)
        if tokenizer is None or encoder is None:
            continue  # the refiner of Stable Diffusion XL has only the second pair
        _check_layers(encoder, clip_skip, is_xl)
        expand = _expander(pipeline, tokenizer)
        tokens = ClipTokens(tokenizer, _limit(tokenizer, encoder), comma_backtrack, expand)
        towers.append(Tower(tokens, encoder, is_xl, gives_pooled=end == "_2"))
        # the pipelines pad to the tokenizer's own limit, and for clip_skip read what transformers 5 took away
        can_skip = is_xl or clip_skip is None or hasattr(encoder, "text_model")
        is_like_pipeline &= can_skip and tokens.limit == tokenizer.model_max_length
    if not towers:
        raise ModelError(f"{type(pipeline).__name__} has no text encoder and tokenizer; load it with both")
    lengths = {tower.tokens.limit for tower in towers}
    if len(lengths) > 1:
        raise ModelError(f"the two text encoders take different lengths, {sorted(lengths)}; they must be equal")
    return Conditioner(
        towers=tuple(towers),
        rule=rule,
        dtype=towers[-1].encoder.dtype,
        clip_skip=clip_skip,
        zeros_for_no_negative=is_xl and bool(pipeline.config.get("force_zeros_for_empty_prompt", False)),
        is_like_pipeline=is_like_pipeline,
    )


def _limit(tokenizer: Any, encoder: Any) -> int:
    """Tokens of one row: what both the tokenizer and the encoder's positions allow."""
    limits = tokenizer.model_max_length, encoder.config.max_position_embeddings
    return int(min(limits))  # a tokenizer without a limit says 1e30


def _check_layers(encoder: Any, clip_skip: int | None, is_xl: bool) -> None:
    layers = encoder.config.num_hidden_layers
    most = layers - 1 if is_xl else layers
    if clip_skip is not None and not 0 <= clip_skip <= most:
        raise ModelError(f"clip_skip needs 0 to {most} for a text encoder of {layers} layers, got {clip_skip}")


def _expander(pipeline: Any, tokenizer: Any) -> Callable[[str], str] | None:
    """How this pipeline spells its textual inversions of several tokens, if any are loaded."""
    if not hasattr(pipeline, "maybe_convert_prompt"):
        return None
    if not any(name.endswith("_1") for name in getattr(tokenizer, "added_tokens_encoder", {})):
        return None
    return lambda text: str(pipeline.maybe_convert_prompt(text, tokenizer))
