"""The corpus of real prompts with their negatives and modifiers: rows, how much each counts, templates to fill."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...errors import TrainingError
from ...files import read_json_lines
from ...policy.words import phrase_key
from ...text.prompt import Span
from .pairs import Pair

FAMILIES = ("user", "style", "probe")
CONTRADICTORY_LICENCES = ("dflip3k/DFLIP-3K",)
"""Sources whose licence statements contradict each other: never part of what trains shipped weights."""


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt with a negative. `family` is "user" (somebody ran it), "style" (a preset) or "probe" (a study)."""

    prompt: str
    negative: str
    family: str
    style: str
    subject: str
    source: str
    licence: str
    template: str = ""
    """The preset with `{prompt}` in it, if it is one."""
    is_boilerplate: bool = False
    group: str = ""
    """Near-duplicates share one. Where the file does not say, prompts of the same words do."""

    @property
    def spans(self) -> tuple[Span, ...]:
        """The phrases of the negative: between commas and line ends, each in one line."""
        parts = (" ".join(part.split()) for part in re.split(r"[,\n]", self.negative))
        return tuple(Span(part) for part in parts if part)


@dataclass(frozen=True, slots=True)
class Weights:
    """How much a row counts by its family, so that presets do not drown what people ran."""

    user: float = 3.0
    style: float = 1.0
    probe: float = 0.7
    boilerplate: float = 0.3
    """Factor on rows whose negative was made by a template."""

    def of(self, row: Row) -> float:
        """Weight of one row."""
        return float(getattr(self, row.family)) * (self.boilerplate if row.is_boilerplate else 1.0)


def read_rows(path: Path, skipped_sources: Sequence[str] = CONTRADICTORY_LICENCES) -> list[Row]:
    """Read a pair file; TrainingError names file and line of what is wrong."""
    return [
        Row(
            prompt=str(row["prompt"]),
            negative=str(row["negative_prompt"]),
            family=str(row["family"]),
            style=str(row.get("style") or "other"),
            subject=str(row.get("subject") or "none"),
            source=str(row["source_repo"]),
            licence=str(row["license"]),
            template=str(row.get("template") or ""),
            is_boilerplate=bool(row.get("boilerplate", False)),
            group=str(row.get("group") or f"prompt: {phrase_key(str(row['prompt']))}"),
        )
        for row in _objects(path, ("prompt", "negative_prompt", "family", "source_repo", "license"))
        if row["source_repo"] not in skipped_sources
    ]


@dataclass(frozen=True, slots=True)
class Modified:
    """One prompt of the modifier file; `subject` and `modifiers` are empty where it has fewer than three parts."""

    prompt: str
    subject: str
    modifiers: tuple[str, ...]
    source: str
    licence: str


def read_modified(path: Path) -> list[Modified]:
    """Read a modifier file; TrainingError names file and line of what is wrong."""
    return [
        Modified(
            prompt=str(row["prompt"]),
            subject=str(row.get("subject") or ""),
            modifiers=tuple(str(part) for part in row.get("modifiers") or ()),
            source=str(row["source_repo"]),
            licence=str(row["license"]),
        )
        for row in _objects(path, ("prompt", "source_repo", "license"))
    ]


def pairs_of(rows: Sequence[Row], weights: Weights | None = None) -> list[Pair]:
    """Rows as weighted training pairs."""
    weights = weights or Weights()
    return [Pair(row.prompt, row.spans, weights.of(row)) for row in rows]


def fill_templates(rows: Sequence[Row], subjects: Sequence[str], copies: int, seed: int) -> list[Row]:
    """For each preset `copies` prompts with somebody's subject in its slot; its negative stays right.

    Subjects must not come from an evaluation set. Rows without a template give nothing.
    """
    if not subjects:
        raise TrainingError("filling templates needs at least one subject")
    rng = random.Random(seed)
    filled = []
    for row in rows:
        if "{prompt}" in row.template:
            for subject in rng.choices(subjects, k=copies):
                filled.append(replace(row, prompt=row.template.replace("{prompt}", subject), template=""))
    return filled


def _objects(path: Path, needed: Sequence[str]) -> Iterator[dict[str, Any]]:
    for where, row in read_json_lines(path, TrainingError):
        lacking = [key for key in needed if row.get(key) is None]
        if lacking:
            raise TrainingError(f"{where}: {', '.join(lacking)} is missing")
        if "family" in needed and row["family"] not in FAMILIES:
            raise TrainingError(f"{where}: family is {', '.join(FAMILIES)}, not {row['family']!r}")
        if not isinstance(row.get("modifiers") or [], list):
            raise TrainingError(f"{where}: modifiers are a list of phrases, got {row['modifiers']!r}")
        yield row
