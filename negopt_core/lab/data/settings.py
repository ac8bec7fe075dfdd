"""What is taken from data, and what is kept of it: settings, which flags and run folders come from. Loads no torch."""

from __future__ import annotations

import math
from dataclasses import MISSING, dataclass
from pathlib import Path

from ...errors import TrainingError
from ...flags import flag, nested, word
from ...paint.choice import MODEL_HELP, WORLD, OnDevice, Sampled
from ...scorers.table import WORLD_JUDGES, Sources

POLARITIES = ("negative", "modifiers")
SHARES = "train=0.8,val=0.1,test=0.1"
POLARITY_HELP = "which side of the prompt is meant"


@dataclass(frozen=True, slots=True)
class Rules:
    """Nothing is left out unless asked for."""

    is_safe: bool = flag(False, "leave out sexual prompts (a short list of English words)", "safe")
    """Leave out pairs whose prompt names something on `SEXUAL`; negatives may name it, that is what they are for."""
    no_artists: bool = flag(False, "leave out modifiers such as `by ...`, `style of ...`")
    """Modifiers that credit somebody are left out, phrase by phrase."""
    without: tuple[str, ...] = ()
    """Words or phrases. A pair whose prompt says one is left out, and so is a phrase of an answer that does."""


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """What is taken from a source, and how much it counts."""

    polarity: str = flag("negative", POLARITY_HELP, choices=POLARITIES)
    min_likes: int = flag(1, "likes that a post of the Negative Prompts DB needs; the paper asks for one")
    liked_weight: float = flag(
        2.0, "how much a liked picture counts; one that nobody judged counts 1, a disliked one is left out"
    )
    rules: Rules = nested(Rules)

    def __post_init__(self) -> None:
        if not 0.0 < self.liked_weight < float("inf"):
            raise TrainingError(f"the weight of a liked picture is above 0, got {self.liked_weight}")


@dataclass(frozen=True, slots=True)
class ConfidenceSettings:
    """The paper's thresholds; how many pictures the expectation takes is not in it."""

    sigma: float = flag(0.5, "score that a pair needs, 0 to 1; the paper's")
    gamma: float = flag(0.01, "alignment that may be lost; the paper's")
    pictures: int = flag(2, "pictures of each side of a pair")
    batch: int = flag(16, "pairs painted and scored between two savings", "pairs-per-save", old=("batch",))
    seed: int = flag(0, "seed of the noise")
    polarity: str = flag("negative", POLARITY_HELP, choices=POLARITIES)
    """Which side of the prompt the answers go to; the paper's are modifiers."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.sigma <= 1.0 or self.pictures < 1 or self.batch < 1:
            raise TrainingError(
                "sigma lies between 0 and 1, and pictures and batch are at least 1; "
                f"got {self.sigma:g}, {self.pictures} and {self.batch}"
            )
        if not math.isfinite(self.gamma):
            raise TrainingError(f"gamma is a number, got {self.gamma}")


@dataclass(frozen=True, kw_only=True)
class FilterRun(Sampled, OnDevice, Sources):
    """`data filter`."""

    file: Path = word(MISSING, "pairs as JSON Lines", metavar="FILE")
    output: Path = flag(MISSING, "JSON Lines to write", "o", "output", metavar="FILE")
    folder: Path = flag(MISSING, "run folder: keeps the scores found", "run", metavar="DIR")
    model: str = flag(WORLD, f"painter: {MODEL_HELP}")
    quality: str | None = flag(
        None, "aes of the paper", metavar="SCORER", shown=f"aesthetic; the demo world {WORLD_JUDGES[0]}"
    )
    alignment: str | None = flag(
        None, "CLIP of the paper", metavar="SCORER", shown=f"clip; the demo world {WORLD_JUDGES[1]}"
    )
    threads: int | None = flag(None, "CPU threads", shown="torch's own choice")
    confidence: ConfidenceSettings = nested(ConfidenceSettings)
