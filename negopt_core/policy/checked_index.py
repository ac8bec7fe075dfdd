"""Whether the tables of an index of examples refer to what is there."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import PolicyError


class Tables(Protocol):
    """N examples over T terms and S phrases; see `Index`."""

    @property
    def idf(self) -> NDArray[Any]: ...
    @property
    def example_terms(self) -> NDArray[Any]: ...
    @property
    def example_values(self) -> NDArray[Any]: ...
    @property
    def example_starts(self) -> NDArray[Any]: ...
    @property
    def answer_phrases(self) -> NDArray[Any]: ...
    @property
    def answer_starts(self) -> NDArray[Any]: ...
    @property
    def weights(self) -> NDArray[Any]: ...
    @property
    def habit(self) -> NDArray[Any]: ...


def check_index(index: Tables) -> None:
    """PolicyError names the first table that is no list, leads outside of another, or holds no finite numbers."""
    examples = len(index.weights)
    for name in ("idf", "example_values", "weights", "habit"):
        _check(name, _is_list(getattr(index, name), is_float=True) and bool(np.isfinite(getattr(index, name)).all()))
    for starts, entries, values, places in (
        ("example_starts", "example_terms", "example_values", len(index.idf)),
        ("answer_starts", "answer_phrases", "answer_phrases", len(index.habit)),
    ):
        first, inner = getattr(index, starts), getattr(index, entries)
        _check(starts, _is_list(first, is_float=False) and len(first) == examples + 1 and examples > 0)
        _check(starts, int(first[0]) == 0 and int(first[-1]) == len(inner) and bool((np.diff(first) >= 0).all()))
        _check(entries, _is_list(inner, is_float=False) and len(inner) == len(getattr(index, values)))
        _check(entries, bool(((inner >= 0) & (inner < places)).all()))


def _is_list(table: NDArray[Any], is_float: bool) -> bool:
    return table.ndim == 1 and table.dtype in (
        (np.float16, np.float32, np.float64) if is_float else (np.int32, np.int64)
    )


def _check(name: str, is_right: bool) -> None:
    if not is_right:
        raise PolicyError(f"the table {name} of the examples is damaged; pull or export the policy again")
