"""From the pieces of a prompt to marked conditioning entries, through ComfyUI's own tokenizer and text encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..negopt_core.encode.weighting import check_rule, weigh
from ..negopt_core.errors import PromptError
from ..negopt_core.text.planner import NEVER, Limits, group_id, percent_limits, plan_pieces, sigma_limits
from ..negopt_core.text.prompt import DFPrompt
from .tags import KEY, make_tag

COMFY = "comfy"
RULES = (COMFY, "pae", "pae-raw", "none")
"""The rules this host can follow; `compel` needs encodes that ComfyUI's text encoders do not offer."""

_SDXL_WIDTHS = (768, 1280)

Parts = tuple[tuple[str, float], ...]
Conditioning = list[list[Any]]
Tokens = dict[str, list[list[tuple[Any, ...]]]]


@dataclass(frozen=True, slots=True)
class EncodeSettings:
    """`rule`: what a weight does to its words. `is_padded`: encode every piece at the length of the longest."""

    rule: str = COMFY
    is_padded: bool = True


def encode_prompt(
    clip: Any,
    prompt: DFPrompt,
    settings: EncodeSettings,
    sigmas: Sequence[float] | None = None,
    on_text: Callable[[int, int], None] = lambda done, total: None,
) -> Conditioning:
    """One entry per piece, marked for the hook, with fallback ranges for samplers that run without it.

    A prompt that never changes is encoded exactly as ComfyUI's own node would, with no mark. `sigmas`, if known, make
    the fallback exact for them. `on_text(done, total)` is called before each distinct text is encoded.
    """
    pieces = plan_pieces(prompt)
    encoded = _encode_each(clip, [piece.parts for piece in pieces], settings, on_text)
    if len(pieces) == 1:
        return encoded[pieces[0].parts]
    group = group_id(pieces, settings.rule)
    spans = [[span.text, span.window.start, span.window.end] for span in prompt.spans if not span.window.is_full]
    percents = percent_limits(pieces)
    levels = sigma_limits(pieces, sigmas) if sigmas is not None else None
    conditioning: Conditioning = []
    for index, piece in enumerate(pieces):
        for tensor, extras in encoded[piece.parts]:
            is_hooked = "clip_start_percent" in extras  # the host merges percents with that schedule, not sigmas
            limits = _sigma_keys(levels[index]) if levels and not is_hooked else _percent_keys(percents[index])
            tag = make_tag(group, piece.window.start, limits, spans)
            conditioning.append([tensor, {**extras, **limits, KEY: tag}])
    return conditioning


def _percent_keys(limits: Limits) -> dict[str, float]:
    return _without_none({"start_percent": limits.start, "end_percent": limits.end})


def _sigma_keys(limits: Limits) -> dict[str, float]:
    if limits == NEVER:
        return {"timestep_start": -1.0}
    return _without_none({"timestep_start": limits.start, "timestep_end": limits.end})


def _without_none(values: dict[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _encode_each(
    clip: Any, texts: Sequence[Parts], settings: EncodeSettings, on_text: Callable[[int, int], None]
) -> dict[Parts, Conditioning]:
    tokens = {parts: clip.tokenize(host_text(parts)) for parts in dict.fromkeys(texts)}
    if settings.is_padded:
        tokens = _pad(tokens, clip)
    encoded = {}
    for done, (parts, one) in enumerate(tokens.items()):
        on_text(done, len(tokens))
        encoded[parts] = _encode_tokens(clip, one, settings.rule)
    return encoded


def _pad(tokens: dict[Parts, Tokens], clip: Any) -> dict[Parts, Tokens]:
    """Give every text as many chunks as the longest, so that the model sees one shape throughout the run."""
    if len(tokens) < 2:
        return tokens
    empty: Tokens = clip.tokenize("")
    padded = {parts: dict(one) for parts, one in tokens.items()}
    for key, blank in empty.items():
        widths = {len(chunk) for one in tokens.values() for chunk in one[key]}
        if len(blank) != 1 or widths != {len(blank[0])}:
            continue  # an encoder without fixed chunks (T5 and later): the host handles its lengths
        longest = max(len(one[key]) for one in tokens.values())
        for one in padded.values():
            one[key] = one[key] + blank * (longest - len(one[key]))
    return padded


def _encode_tokens(clip: Any, tokens: Tokens, rule: str) -> Conditioning:
    if rule not in RULES:
        raise PromptError(f"ComfyUI has no weighting rule {rule!r}; choose one of {', '.join(RULES)}")
    if rule == COMFY or all(token[1] == 1.0 for chunks in tokens.values() for chunk in chunks for token in chunk):
        return clip.encode_from_tokens_scheduled(tokens)
    plain = {key: [[(token[0], 1.0) for token in chunk] for chunk in chunks] for key, chunks in tokens.items()}
    encoded = clip.encode_from_tokens_scheduled(plain)
    if rule == "none":
        return encoded
    weights = _chunk_weights(tokens)
    return [[_weigh(rule, tensor, weights, set(tokens)), extras] for tensor, extras in encoded]


def _chunk_weights(tokens: Tokens) -> list[list[float]]:
    """The weights of each chunk; all encoders of a model must have cut the text alike, as CLIP encoders do."""
    per_key = [[[token[1] for token in chunk] for chunk in chunks] for chunks in tokens.values()]
    if any(weights != per_key[0] for weights in per_key):
        raise _not_clip()
    return per_key[0]


def _weigh(rule: str, tensor: torch.Tensor, weights: list[list[float]], keys: set[str]) -> torch.Tensor:
    """Weigh every chunk, and every encoder's share of the channels, for itself. `tensor` is [1, tokens, channels]."""
    lengths = [len(chunk) for chunk in weights]
    if tensor.shape[1] != sum(lengths):
        raise _not_clip()
    widths = _SDXL_WIDTHS if keys == {"l", "g"} and tensor.shape[2] == sum(_SDXL_WIDTHS) else (tensor.shape[2],)
    rows = [
        torch.cat([weigh(check_rule(rule), part, chunk) for part in row.split(widths, dim=-1)], dim=-1)
        for row, chunk in zip(tensor[0].split(lengths), weights, strict=True)
    ]
    return torch.cat(rows)[None]


def _not_clip() -> PromptError:
    return PromptError("this weighting rule needs a CLIP text encoder; choose the 'comfy' rule for this model")


def host_text(parts: Parts) -> str:
    """The parts in ComfyUI's own notation, `(words:1.2)`; plain text is passed on untouched, brackets and all."""
    if all(weight == 1.0 for _, weight in parts):
        return "".join(text for text, _ in parts)
    plain = _loose_brackets("".join(text if weight == 1.0 else "\0" * len(text) for text, weight in parts))
    written, position = [], 0
    for text, weight in parts:
        if weight == 1.0:
            written.append(_escape_at(text, {place - position for place in plain}))
        else:
            if written and written[-1].endswith("\\"):
                written.append(" ")  # or our bracket would be a character; CLIP and T5 see no blank at an end
            written.append(f"({_escape_at(text, _loose_brackets(text))}:{weight:.6g})")
        position += len(text)
    return "".join(written)


def _loose_brackets(text: str) -> set[int]:
    """Positions of round brackets that match nothing; they would swallow the weights we write."""
    opened: list[int] = []
    loose: set[int] = set()
    for place, character in enumerate(text):
        is_escaped = place > 0 and text[place - 1] == "\\"
        if character == "(" and not is_escaped:
            opened.append(place)
        elif character == ")" and not is_escaped:
            if opened:
                opened.pop()
            else:
                loose.add(place)
    return loose | set(opened)


def _escape_at(text: str, places: set[int]) -> str:
    return "".join("\\" + character if place in places else character for place, character in enumerate(text))
