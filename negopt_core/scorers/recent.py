"""What was computed for the last pictures, for the next scorer that gets the same ones."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from torch import Tensor

_SIZE = 2
"""A reward goes through two batches: a prompt's pictures, and those of the plain prompt."""


class Recent:
    """Results for the last two tensors, found by the very tensor while nobody has written into it.

    No picture is kept alive. Of inference tensors, which do not count what is written into them, nothing is kept.
    """

    def __init__(self) -> None:
        self._rows: list[tuple[weakref.ref[Tensor], int, Tensor]] = []

    def of(self, images: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
        """`compute(images)`, computed once; nobody may write into what comes back."""
        if images.is_inference():
            return compute(images)
        for row, version, known in self._rows:
            if row() is images and version == images._version:
                return known
        found = compute(images)
        others = [row for row in self._rows if row[0]() is not None and row[0]() is not images]
        self._rows = [*others[-(_SIZE - 1) :], (weakref.ref(images), images._version, found)]
        return found
