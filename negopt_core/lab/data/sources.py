"""Pairs from wherever they are: our JSON Lines, the Negative Prompts DB, a folder of pictures; cleaned and counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .negative_db import pairs_of_posts, read_posts
from .pairs import Found, Pair, iter_pairs
from .pictures import read_pictures
from .rules import iter_allowed
from .settings import SourceSettings
from .split import Repeats


class Gathering:
    """Pairs of a source, with the rules applied, cleaned and each once; files are read twice, never held.

    `counts` follows the examples through every filter; it is whole as soon as the first pair is there.
    """

    def __init__(self, source: Path, settings: SourceSettings) -> None:
        self._source, self._settings = source, settings
        self._pictures: Found | None = None
        self.counts: dict[str, int] = {}

    def __iter__(self) -> Iterator[Pair]:
        counts: dict[str, int] = {}
        repeats = Repeats(self._allowed(counts))
        del repeats.counts["read"]
        self.counts = {**counts, **repeats.counts}
        yield from repeats.distinct(self._allowed({}))

    def _allowed(self, counts: dict[str, int]) -> Iterator[Pair]:
        settings, left = self._settings, dict[str, int]()
        yield from iter_allowed(self._read(counts), settings.polarity, settings.rules, left)
        counts |= left

    def _read(self, counts: dict[str, int]) -> Iterator[Pair]:
        source, settings = self._source, self._settings
        if source.suffix.lower() == ".parquet":
            yield from pairs_of_posts(read_posts(source), settings.polarity, settings.min_likes, counts)
        elif source.is_file():
            counts["lines with an answer"] = 0
            for pair in iter_pairs(source, settings.polarity):
                counts["lines with an answer"] += 1
                yield pair
        else:
            if self._pictures is None:
                self._pictures = read_pictures(source, settings.polarity, settings.liked_weight)
            counts |= self._pictures.counts
            yield from self._pictures.pairs
