"""Pictures that were judged, as arrays, and how effects become their gains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..policy.tuned.effects import Array, Effects


@dataclass(frozen=True, slots=True)
class Data:
    """N pictures, R rewards and clicks. All arrays are float64."""

    options: Array
    """[N, V] 1 where the picture has the option."""
    text_of: NDArray[np.int64]
    """[V]."""
    concepts: Array
    """[N, C] how far the prompt is about each concept, 0..1."""
    before: Array
    """[N, T] what was thought of each text for this prompt."""
    groups: NDArray[np.int64]
    """[N] the same for pictures of the same prompt and noise."""
    rewards: Array
    """[N], NaN for pictures without one."""
    clicks: NDArray[np.int64]
    """[K, 2] preferred picture, the other one; both of the same group."""

    @property
    def texts(self) -> Array:
        """[N, T] 1 where the picture has the words."""
        found = np.zeros((len(self.options), self.before.shape[1]))
        for option, text in enumerate(self.text_of):
            found[:, text] += self.options[:, option]
        return found


def set_of(options: Array, text_of: NDArray[np.int64], concepts: Array, before: Array) -> Effects:
    """What the gain of a set [V] under a prompt is made of: gain = <set_of(...), effects>, part by part."""
    texts = np.zeros(len(before))
    np.add.at(texts, text_of, options)
    return Effects(
        texts,
        np.outer(texts, concepts),
        options,
        float(texts @ before),
        float(texts.sum()),
        np.outer(texts, texts),
    )


def values_of(data: Data, effects: Effects) -> Array:
    """[N] gain of each picture's set."""
    texts = data.texts
    linear = texts * (effects.phrase + data.concepts @ effects.concept.T + effects.belief * data.before + effects.size)
    return np.asarray(linear.sum(1) + data.options @ effects.option + ((texts @ effects.pairs) * texts).sum(1))


def rows_of(data: Data, pictures: Array) -> Array:
    """[M] rewards, then differences of clicks, of something [N] about the pictures."""
    return np.concatenate(
        [pictures[np.isfinite(data.rewards)], pictures[data.clicks[:, 0]] - pictures[data.clicks[:, 1]]]
    )


def to_pictures(data: Data, rows: Array) -> Array:
    """[N] the transpose of `_rows`."""
    seen = np.isfinite(data.rewards)
    count = int(seen.sum())
    found = np.zeros(len(data.rewards))
    found[seen] = rows[:count]
    np.add.at(found, data.clicks[:, 0], rows[count:])
    np.add.at(found, data.clicks[:, 1], -rows[count:])
    return found
