"""Whether weights, configuration and tokenizer belong together: asked before memory is spent on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...errors import PolicyError
from ..guard import Header
from .backbone import build_model
from .weights import in_place

_FLOATS = ("F16", "BF16", "F32", "F64")
_COPIES = 4  # an embedding stands once in the file and up to four times in a model whose weights are not tied yet
_LAYERS = ("num_layers", "num_decoder_layers", "n_layer", "num_hidden_layers")
_VOCABULARIES = ("tokenizer.json", "spiece.model", "vocab.json", "vocab.txt", "tokenizer.model")
_MOST_POSITIONS = 65_536  # some versions of transformers keep a square table of them


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


def check_tokenizer(folder: Path) -> None:
    """ValueError where no file holds a vocabulary: newer versions of transformers make an empty tokenizer then."""
    if not any((folder / name).is_file() for name in _VOCABULARIES):
        raise ValueError(f"there is no tokenizer, none of {', '.join(_VOCABULARIES)}")


def check_numbers(policy: nn.Module, folder: Path) -> None:
    """PolicyError if a weight is not a finite number."""
    for name, parameter in policy.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise PolicyError(f"{folder}: {name} holds values that are not finite numbers; pull or export it again")


def _size(shape: tuple[int, ...]) -> int:
    return int(torch.Size(shape).numel())
