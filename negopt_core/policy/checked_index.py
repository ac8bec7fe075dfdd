"""Whether the tables of an index of examples refer to what is there."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from ..errors import PolicyError


class Tables(Protocol):
    """N examples over T terms and S phrases; see `Index`."""

    @property
    def idf(self) -> Tensor: ...
    @property
    def example_terms(self) -> Tensor: ...
    @property
    def example_values(self) -> Tensor: ...
    @property
    def example_starts(self) -> Tensor: ...
    @property
    def answer_phrases(self) -> Tensor: ...
    @property
    def answer_starts(self) -> Tensor: ...
    @property
    def weights(self) -> Tensor: ...
    @property
    def habit(self) -> Tensor: ...


def check_index(index: Tables) -> None:
    """PolicyError names the first table that is no list, leads outside of another, or holds no finite numbers."""
    examples = len(index.weights)
    for name in ("idf", "example_values", "weights", "habit"):
        _check(name, _is_list(getattr(index, name), is_float=True) and bool(getattr(index, name).isfinite().all()))
    for starts, entries, values, places in (
        ("example_starts", "example_terms", "example_values", len(index.idf)),
        ("answer_starts", "answer_phrases", "answer_phrases", len(index.habit)),
    ):
        first, inner = getattr(index, starts), getattr(index, entries)
        _check(starts, _is_list(first, is_float=False) and len(first) == examples + 1 and examples > 0)
        _check(starts, int(first[0]) == 0 and int(first[-1]) == len(inner) and bool((first.diff() >= 0).all()))
        _check(entries, _is_list(inner, is_float=False) and len(inner) == len(getattr(index, values)))
        _check(entries, bool(((inner >= 0) & (inner < places)).all()))


def _is_list(table: Tensor, is_float: bool) -> bool:
    return table.dim() == 1 and table.dtype in (
        (torch.float16, torch.float32, torch.float64, torch.bfloat16) if is_float else (torch.int32, torch.int64)
    )


def _check(name: str, is_right: bool) -> None:
    if not is_right:
        raise PolicyError(f"the table {name} of the examples is damaged; pull or export the policy again")
