"""Pairs from wherever they are: our JSON Lines, the Negative Prompts DB, a folder of pictures; cleaned and counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import TrainingError
from .negative_db import pairs_of_posts, read_posts
from .pairs import Found, Pair, iter_pairs
from .pictures import LIKED_WEIGHT, read_pictures
from .rules import Rules, iter_allowed
from .split import Repeats


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """What is taken from a source, and how much it counts."""

    polarity: str = "negative"
    min_likes: int = 1
    """Likes that a post of the Negative Prompts DB needs; the paper asks for one."""
    liked_weight: float = LIKED_WEIGHT
    """How much a liked picture counts."""
    rules: Rules = field(default_factory=Rules)

    def __post_init__(self) -> None:
        if not 0.0 < self.liked_weight < float("inf"):
            raise TrainingError(f"the weight of a liked picture is above 0, got {self.liked_weight}")


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
