"""The weights of a language model, as negopt or as others publish them: names, ties and leftovers of every layout; and
whether weights, configuration and tokenizer belong together, asked before memory is spent on them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn
from transformers import PreTrainedModel

from ...errors import PolicyError
from ..folder_check import CheckedFolder, Header, read_header
from .backbone import build_model

WEIGHTS_FILE, INDEX_FILE = "model.safetensors", "model.safetensors.index.json"
_LEFTOVERS = (
    r"\.attn\.(masked_)?bias$",  # GPT-2: the causal mask, kept as a buffer by older versions
    r"EncDecAttention\.relative_attention_bias\.weight$",  # T5: made by the original code, read by nothing
    r"rotary_emb\.inv_freq$",  # Llama: computed from the configuration
)
"""What published files hold and no model reads."""
_FLOATS = ("F16", "BF16", "F32", "F64")
_COPIES = 4  # an embedding stands once in the file and up to four times in a model whose weights are not tied yet
_LAYERS = ("num_layers", "num_decoder_layers", "n_layer", "num_hidden_layers")
_MOST_POSITIONS = 65_536  # some versions of transformers keep a square table of them


def weight_files(folder: Path) -> list[Path]:
    """The files that hold a model's weights: one, or the shards that its index names; ValueError if one is missing."""
    index = folder / INDEX_FILE
    if not index.is_file():
        return [folder / WEIGHTS_FILE]
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{INDEX_FILE} names no files") from error
    for name in names:
        if not isinstance(name, str) or Path(name).name != name or not (folder / name).is_file():
            raise ValueError(f"{INDEX_FILE} names {str(name)[:80]!r}, which is not there")
    return [folder / name for name in names]


def headers_of(checked: CheckedFolder) -> Header:
    """Type and shape of every stored tensor; PolicyError if the file of the weights is not there."""
    return {
        name: entry
        for path in weight_files(checked.path)
        for name, entry in (checked.headers.get(path.name) or read_header(path)).items()
    }


def placed(stored: Iterable[str], model: PreTrainedModel) -> dict[str, str]:
    """Stored name -> the model's name, for all but leftovers.

    Published bases lack the prefix that a model with a head puts before them (`h.0.ln_1.weight` of GPT-2 is
    `transformer.h.0.ln_1.weight`), and a few hold tensors that nothing reads.
    """
    known, prefix = set(model.state_dict(keep_vars=True)), f"{model.base_model_prefix}."
    ignored = [*_LEFTOVERS, *(getattr(model, "_keys_to_ignore_on_load_unexpected", None) or ())]
    names = {}
    for name in stored:
        if name in known:
            names[name] = name
        elif prefix + name in known:
            names[name] = prefix + name
        elif not any(re.search(pattern, name) for pattern in ignored):
            names[name] = name  # a stranger, which loading refuses
    return names


def load_weights(model: PreTrainedModel, folder: Path) -> None:
    """Fill a model in float32; ValueError for a tensor that is missing or has no place. What is tied may be absent."""
    stored = {name: value for path in weight_files(folder) for name, value in load_file(path).items()}
    names = placed(stored, model)
    missing, surplus = model.load_state_dict(
        {names[name]: value.float() for name, value in stored.items() if name in names}, strict=False
    )
    model.tie_weights()
    named = dict(model.named_parameters(remove_duplicate=False))
    owners = {id(value) for name, value in named.items() if name not in missing}
    lost = [name for name in missing if name in named and id(named[name]) not in owners]
    if lost or surplus:
        raise ValueError(f"weights do not fit the configuration (missing {lost[:3]}, surplus {list(surplus)[:3]})")


def in_place(stored: Header, model: PreTrainedModel) -> Header:
    """Stored types and shapes by the model's own names."""
    return {own: stored[name] for name, own in placed(stored, model).items()}


def check_fit(config: Any, tokens: int, stored: Header) -> None:
    """ValueError unless a model of this configuration has the stored shapes, and a place for each of `tokens`.

    The model is laid out without memory, so that a configuration of a trillion weights costs nothing but this refusal.
    """
    layers = max(int(getattr(config, name, None) or 0) for name in _LAYERS)
    if layers > len(stored) or int(getattr(config, "n_positions", None) or 0) > _MOST_POSITIONS:
        raise ValueError(f"weights do not fit the configuration, which asks for {layers} layers")
    with torch.device("meta"):
        empty = build_model(config)
    stored = in_place(stored, empty)
    for name, parameter in empty.named_parameters():
        kind, shape = stored.get(name, ("F32", tuple(parameter.shape)))
        if shape != tuple(parameter.shape) or kind not in _FLOATS:
            raise ValueError(
                f"weights do not fit the configuration: {name} is {kind} {list(shape)} in the file, not a float "
                f"{list(parameter.shape)}"
            )
    asked, held = sum(p.numel() for p in empty.parameters()), sum(_size(shape) for _, shape in stored.values())
    if asked > _COPIES * held:
        raise ValueError(f"weights do not fit the configuration, which asks for {asked:,}; the file holds {held:,}")
    if tokens > int(config.vocab_size):
        raise ValueError(f"the tokenizer has {tokens} tokens and the model knows {config.vocab_size}")


def check_numbers(policy: nn.Module, folder: Path) -> None:
    """PolicyError if a weight is not a finite number."""
    for name, parameter in policy.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise PolicyError(f"{folder}: {name} holds values that are not finite numbers; pull or export it again")


def _size(shape: tuple[int, ...]) -> int:
    return int(torch.Size(shape).numel())
