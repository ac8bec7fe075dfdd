"""Words near in meaning, by GloVe vectors cut to int8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .tables import VECTORS_FILE, VECTORS_WORDS, WORDS, TablesError

_SIZE = 50


class Vectors:
    """Unit vectors [words, 50], where each word's is, and which words are `strange`: in no dictionary."""

    def __init__(self, places: Mapping[str, int], rows: NDArray[Any], strange: frozenset[str] = frozenset()) -> None:
        self._places, self._rows, self.strange = places, rows, strange

    @classmethod
    def read(cls, folder: Path = WORDS) -> Vectors:
        """Read `vectors.txt` and `vectors.safetensors`; PolicyError if they are damaged or do not fit together."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            words = (folder / VECTORS_WORDS).read_text(encoding="utf-8").splitlines()
            cut = load_file(folder / VECTORS_FILE)["vectors"]
        except (OSError, UnicodeDecodeError, SafetensorError, KeyError) as error:
            raise TablesError(f"cannot read the word vectors in {folder}: {error}; install negopt again") from error
        if cut.dtype != np.int8 or cut.shape != (len(words), _SIZE):
            raise TablesError(
                f"the word vectors in {folder} are {cut.shape}, not one of {_SIZE} bytes a word; install again"
            )
        rows = cut.astype(np.float32)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        places = {word.removeprefix("+"): place for place, word in enumerate(words)}
        strange = frozenset(word[1:] for word in words if word.startswith("+"))
        return cls(places, rows / np.maximum(lengths, 1e-6), strange)

    def has(self, word: str) -> bool:
        """True for a word with a vector."""
        return word in self._places

    def nearest(self, word: str, among: Sequence[str], count: int) -> list[tuple[str, float]]:
        """The `count` words of `among` (all with vectors) nearest to `word`, with their cosines, nearest first."""
        rows = self._rows[[self._places[one] for one in among]]
        cosines = rows @ self._rows[self._places[word]]
        order = np.argsort(-cosines, kind="stable")[:count]
        return [(among[place], float(cosines[place])) for place in order.tolist()]
