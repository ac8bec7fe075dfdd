"""Pairs from wherever they are: our JSON Lines, the Negative Prompts DB, a folder of pictures; cleaned and counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..errors import TrainingError
from .negative_db import pairs_of_posts, read_posts
from .pairs import Found, read_pairs
from .pictures import LIKED_WEIGHT, read_pictures
from .rules import Rules, keep_allowed
from .split import clean_pairs


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


def gather_pairs(source: Path, settings: SourceSettings) -> Found:
    """Read, apply the rules, clean and deduplicate; the counts follow the examples through every filter."""
    found = _read(source, settings)
    allowed, left = keep_allowed(found.pairs, settings.polarity, settings.rules)
    pairs, cleaned = clean_pairs(allowed)
    del cleaned["read"]
    return Found(tuple(pairs), {**found.counts, **left, **cleaned})


def _read(source: Path, settings: SourceSettings) -> Found:
    if source.suffix.lower() == ".parquet":
        return pairs_of_posts(read_posts(source), settings.polarity, settings.min_likes)
    if source.is_file():
        pairs = read_pairs(source, settings.polarity)
        return Found(tuple(pairs), {"lines with an answer": len(pairs)})
    return read_pictures(source, settings.polarity, settings.liked_weight)
