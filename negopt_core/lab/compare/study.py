"""One comparison from texts to figures: arms x prompts x seeds, painted, scored, compared."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy

from ...errors import ModelError, PromptError
from ...measure.set_metrics import Features, extract_all
from ...measure.statistics import Values
from ...paint.base import Cancel
from ...scorers.base import Scorer
from ...scorers.features import SetMetric
from ...text.prompt import PromptPair
from ..jobs.processes import ALONE, Processes
from .arms import Arm, Writer, delayed
from .gallery import Gallery, Order, in_batches
from .prompt_sets import Item
from .scorebook import Scorebook, score_all

log = logging.getLogger("negopt")

PICTURE_ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})


@dataclass(frozen=True, slots=True)
class Sweep:
    """An arm whose negatives or modifiers begin at different times."""

    side: str
    """negative or modifiers."""
    arm: str
    starts: tuple[float, ...]
    """Progress 0..1."""


@dataclass(frozen=True, slots=True)
class Design:
    """What is compared with what. Raises PromptError for names that clash and sweeps of arms that are not there."""

    items: tuple[Item, ...]
    arms: tuple[Arm, ...]
    sweeps: tuple[Sweep, ...] = ()
    seeds: int = 1
    """Pictures of each prompt in each arm."""
    first_seed: int = 0
    same_noise: bool = False
    """Every prompt gets the same seeds, as in PAE's evaluation; else each prompt its own. Arms always share them."""
    against: str = ""
    """The arm that the others are compared with; "" is the first."""
    stride: int = 0
    """From a prompt's first seed to the next prompt's; 0 leaves no seed out."""

    def __post_init__(self) -> None:
        names = [arm.name for arm in self.every_arm]
        if len(set(names)) != len(names) or not names:
            raise PromptError(f"a comparison needs at least one arm and each name once, got {names}")
        if self.reference not in names:
            raise PromptError(f"there is no arm {self.against!r} to compare with; there are {', '.join(names)}")
        if self.seeds < 1 or not self.items:
            raise PromptError(f"a comparison needs prompts and at least 1 seed, got {len(self.items)} and {self.seeds}")
        if any(arm.kind == "own" for arm in self.arms) and not any(item.negative for item in self.items):
            raise PromptError("an arm of the kind 'own' paints the set's negatives, and these prompts have none")

    @property
    def every_arm(self) -> tuple[Arm, ...]:
        """The arms, then those of the sweeps, each once: a sweep may visit an arm's start more than once."""
        swept = [delayed(self._arm(sweep.arm), sweep.side, start) for sweep in self.sweeps for start in sweep.starts]
        return (*self.arms, *dict.fromkeys(swept))

    @property
    def reference(self) -> str:
        """Name of the arm that the others are compared with."""
        return self.against or self.arms[0].name

    @property
    def numbers(self) -> list[list[int]]:
        """[P][S] seeds, the same in every arm."""
        stride = 0 if self.same_noise else self.stride or self.seeds
        firsts = [self.first_seed + row * stride for row in range(len(self.items))]
        return [[first + k for k in range(self.seeds)] for first in firsts]

    def _arm(self, name: str) -> Arm:
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise PromptError(f"a sweep names the arm {name!r}; there are {', '.join(arm.name for arm in self.arms)}")


@dataclass(frozen=True, slots=True)
class Metrics:
    """What is measured, and what was asked for and cannot be."""

    scorers: tuple[tuple[Scorer, str], ...] = ()
    """Each with what identifies its weights."""
    sets: tuple[SetMetric, ...] = ()
    reference_folder: Path | None = None
    """Real pictures for Fréchet distance and CMMD."""
    absent: Mapping[str, str] = field(default_factory=dict)
    """Name -> why it is not measured."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was painted and measured."""

    design: Design
    pairs: Mapping[str, tuple[PromptPair, ...]]
    """Arm -> a pair for each prompt."""
    cards: Mapping[str, Mapping[str, str]]
    """Arm -> policy, hash and licence, empty for arms without."""
    keys: Mapping[str, list[list[str]]]
    """Arm -> [P][S] keys in the gallery."""
    scores: Mapping[str, Mapping[str, Values]]
    """Metric -> arm -> [P, S], NaN where there is no score."""
    sets: Mapping[str, Mapping[str, tuple[float, float | None]]]
    """Set metric -> arm -> value and spread."""
    absent: Mapping[str, str]


def order_pictures(design: Design, pairs: Sequence[PromptPair], card: Mapping[str, str]) -> list[Order]:
    """The pictures of an arm that writes `pairs`, those of a prompt together; `card` says which policy wrote them."""
    rows = zip(design.items, pairs, design.numbers, strict=True)
    return [Order(item.prompt, pair, seed, card) for item, pair, seeds in rows for seed in seeds]


def run_study(
    design: Design,
    writer: Writer,
    gallery: Gallery,
    metrics: Metrics,
    batch: int,
    cancel: Cancel | None = None,
    processes: Processes = ALONE,
) -> Findings | None:
    """Write, paint and score what is missing. Stopped at any moment, it goes on from what is in the gallery.

    Several `processes` share the painting; the leader scores and gets the findings, the others None.
    """
    arms = design.every_arm
    pairs = {arm.name: writer.write(arm, design.items) for arm in arms}
    cards = {arm.name: writer.card(arm) for arm in arms}
    numbers = design.numbers
    orders = [order for arm in arms for order in order_pictures(design, pairs[arm.name], cards[arm.name])]
    painted = iter(gallery.paint(orders, batch, cancel, processes))
    if not processes.is_leader:
        return None
    keys = {arm.name: [[next(painted) for _ in seeds] for seeds in numbers] for arm in arms}
    scores = _scores(design, gallery, metrics, keys)
    absent = dict(metrics.absent)
    sets = _measure_sets(gallery, metrics, keys, absent)
    return Findings(design, pairs, cards, keys, scores, sets, absent)


def _scores(
    design: Design, gallery: Gallery, metrics: Metrics, keys: Mapping[str, list[list[str]]]
) -> dict[str, dict[str, Values]]:
    """[P, S] by metric and arm; the score is against what the user wrote, not against the arm's own words."""
    books = [Scorebook(gallery.folder / "scores", scorer, identity) for scorer, identity in metrics.scorers]
    flat = [key for rows in keys.values() for row in rows for key in row]
    prompts = [item.prompt for _ in keys for item in design.items for _ in range(design.seeds)]
    shape = (len(keys), len(design.items), design.seeds)
    found = score_all(books, gallery, flat, prompts) if books else []
    return {
        book.scorer.name: dict(zip(keys, numpy.array(values).reshape(shape), strict=True))
        for book, values in zip(books, found, strict=True)
    }


def _measure_sets(
    gallery: Gallery, metrics: Metrics, keys: Mapping[str, list[list[str]]], absent: dict[str, str]
) -> dict[str, dict[str, tuple[float, float | None]]]:
    """Every set metric for every arm; features are taken once for each network."""
    values: dict[str, dict[str, tuple[float, float | None]]] = {}
    for metric in metrics.sets:
        if metric.needs_reference and metrics.reference_folder is None:
            absent[metric.name] = "it needs real pictures to compare with: --reference FOLDER"
    wanted = [metric for metric in metrics.sets if metric.name not in absent]
    for identity in dict.fromkeys(metric.identity for metric in wanted):
        group = [metric for metric in wanted if metric.identity == identity]
        reference = _reference(metrics.reference_folder, group)
        for name, rows in keys.items():
            log.info("features of %s: %s", name, ", ".join(metric.name for metric in group))
            features = extract_all(gallery.batches([key for row in rows for key in row]), group[0].extract)
            for metric in group:
                values.setdefault(metric.name, {})[name] = metric.measure(features, reference)
    return values


def _reference(folder: Path | None, group: Sequence[SetMetric]) -> Features | None:
    """Features of the real pictures, read a few at a time; None if no metric of the group needs them."""
    if folder is None or not any(metric.needs_reference for metric in group):
        return None
    return extract_all(in_batches(list_pictures(folder)), group[0].extract)


def list_pictures(folder: Path) -> list[Path]:
    """Every picture file under a folder, in the order of the names; ModelError if there is none."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_ENDINGS and path.is_file())
    if not paths:
        raise ModelError(f"there is no picture in {folder}; name a folder of PNG, JPEG, WebP or BMP files")
    return paths
