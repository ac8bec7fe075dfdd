"""Concepts, phrases and families of models, as `assets/words` describes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from .tables import WORDS, Row, TablesError, read_rows

Side = Literal["negative", "modifiers"]
Effects = Mapping[str, float]
CONCEPT_FILES = ("media.txt", "subjects.txt", "scenes.txt")


@dataclass(frozen=True, slots=True)
class Phrase:
    """What can be said."""

    text: str
    kind: str
    time: str
    """When it acts by published findings: "all", "early" or "late"."""


@dataclass(frozen=True, slots=True)
class Concept:
    """Something that a prompt can be about. Effects are what it adds to those of its parents."""

    name: str
    kind: str
    parents: tuple[str, ...]
    words: tuple[str, ...]
    effects: Mapping[Side, Effects]
    never: frozenset[str]
    """Neither negated nor added while the concept is there."""


@dataclass(frozen=True, slots=True)
class ModelFamily:
    """Models that read the same words."""

    name: str
    names: tuple[str, ...]
    """What its files and pipelines are called, in lower case."""
    clip_types: tuple[str, ...]
    """Types of ComfyUI's loaders of text encoders."""
    cfg: str
    reads_negative: str
    """"yes", "weakly" or "no", at its usual CFG."""
    max_tokens: int
    language: str
    """"phrases", "tags" or "sentences"."""
    effects: Mapping[Side, Effects]
    note: str
    source: str


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All tables."""

    phrases: Mapping[Side, Mapping[str, Phrase]]
    concepts: Mapping[str, Concept]
    families: Mapping[str, ModelFamily]
    languages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Language -> foreign word in lower case -> English word."""

    @classmethod
    def read(cls, folder: Path = WORDS) -> Knowledge:
        """Read the tables; PolicyError names the file, the line and what is wrong."""
        phrases = _read_phrases(folder / "phrases.txt")
        return cls(
            phrases,
            _read_concepts(folder, phrases),
            read_families(folder / "families.txt", phrases),
            _languages(folder / "languages.txt"),
        )

    def lineage(self, name: str) -> list[str]:
        """A concept and everything above it, each once."""
        found = [name]
        for one in found:
            found += [parent for parent in self.concepts[one].parents if parent not in found]
        return found

    def problems(self) -> Iterator[str]:
        """What no reader can see in one row: phrases that are in no stock, families that are missing."""
        holders: list[Concept | ModelFamily] = [*self.concepts.values(), *self.families.values()]
        for holder in holders:
            for side, effects in holder.effects.items():
                for phrase in effects:
                    if phrase not in self.phrases[side]:
                        yield f"{holder.name}: {phrase!r} is not among the {side} of phrases.txt"


def _read_phrases(path: Path) -> dict[Side, dict[str, Phrase]]:
    found: dict[Side, dict[str, Phrase]] = {"negative": {}, "modifiers": {}}
    for row in read_rows(path, 3):
        phrase = Phrase(row.cell(0), row.cell(2), row.cell(3) or "all")
        sides: list[Side] = ["negative", "modifiers"]
        if row.cell(1) in ("negative", "modifier", "modifiers"):
            sides = ["negative"] if row.cell(1) == "negative" else ["modifiers"]
        elif row.cell(1) != "both":
            raise TablesError(f"{row.place}: a side is negative, modifier or both, got {row.cell(1)[:40]!r}")
        for side in sides:
            found[side][phrase.text] = phrase
    return found


def _effects(row: Row, first: int, phrases: Mapping[Side, Mapping[str, Phrase]]) -> dict[Side, Effects]:
    """The effects of both sides, from two neighbouring fields."""
    return {
        "negative": _spelled_out(row.effects(first), phrases["negative"], row.place),
        "modifiers": _spelled_out(row.effects(first + 1), phrases["modifiers"], row.place),
    }


def _spelled_out(effects: Effects, stock: Mapping[str, Phrase], place: str) -> Effects:
    """`@KIND=effect` as an effect of every phrase of that kind which the row does not name."""
    found: dict[str, float] = {}
    for name, effect in effects.items():
        if name.startswith("@"):
            named = [phrase for phrase, known in stock.items() if known.kind == name[1:]]
            if not named:
                raise TablesError(f"{place}: no phrase is of the kind {name[1:41]!r}; mend the row")
            found |= dict.fromkeys(named, effect)
    return found | {name: effect for name, effect in effects.items() if not name.startswith("@")}


def _read_concepts(folder: Path, phrases: Mapping[Side, Mapping[str, Phrase]]) -> dict[str, Concept]:
    rows: dict[str, Concept] = {}
    for name in CONCEPT_FILES:
        for row in read_rows(folder / name, 4):
            if row.cell(0) in rows:
                raise TablesError(f"{row.place}: the concept {row.cell(0)[:40]!r} is there already; join the two rows")
            rows[row.cell(0)] = Concept(
                row.cell(0),
                row.cell(1),
                row.listed(2),
                row.listed(3),
                _effects(row, 4, phrases),
                frozenset(row.listed(6)),
            )
    for concept in rows.values():
        for parent in concept.parents:
            if parent not in rows:
                raise TablesError(f"concept {concept.name!r}: its parent {parent[:40]!r} is no concept; mend the row")
    changes: dict[str, Concept] = {}
    for name in sorted(rows, key=lambda one: len(_above(one, rows))):  # parents have fewer above them
        changes[name] = _as_change(rows[name], [changes[one] for one in _above(name, rows)])
    return {name: changes[name] for name in rows}


def _above(name: str, rows: Mapping[str, Concept]) -> list[str]:
    """Every concept that stands above one."""
    found = list(dict.fromkeys(rows[name].parents))
    for one in found:
        found += [parent for parent in rows[one].parents if parent not in found]
        if name in found:
            raise TablesError(f"concept {name!r} stands above itself; mend its parents")
    return found


def _as_change(concept: Concept, above: list[Concept]) -> Concept:
    """The concept with what it adds to the effects of those above it, which count by themselves."""
    changes: dict[Side, Effects] = {
        side: {
            phrase: _added(effect, sum(one.effects[side].get(phrase, 0.0) for one in above))
            for phrase, effect in effects.items()
        }
        for side, effects in concept.effects.items()
    }
    return replace(concept, effects=changes)


def _added(effect: float, above: float) -> float:
    """What a row adds; a row that lowers a phrase never raises it over what those above it say."""
    return min(effect - above, 0.0) if effect < 0.0 else effect - above


def read_families(path: Path, phrases: Mapping[Side, Mapping[str, Phrase]] | None = None) -> dict[str, ModelFamily]:
    """The table of families, in its order; without a stock of phrases, without effects."""
    found = {}
    for row in read_rows(path, 9):
        budget = row.cell(5)
        if not budget.isdigit() or not 1 <= int(budget) <= 10_000:
            raise TablesError(f"{row.place}: a token budget is a whole number from 1, got {budget[:40]!r}")
        found[row.cell(0)] = ModelFamily(
            name=row.cell(0),
            names=tuple(name.casefold() for name in row.listed(1)),
            clip_types=row.listed(2),
            cfg=row.cell(3),
            reads_negative=row.cell(4),
            max_tokens=int(budget),
            language=row.cell(6),
            effects=_effects(row, 7, phrases) if phrases else {},
            note=row.cell(9),
            source=row.cell(10),
        )
    return found


def _languages(path: Path) -> dict[str, dict[str, str]]:
    names = ("de", "fr", "es", "pt", "it", "ja", "zh", "ko", "ru")
    found: dict[str, dict[str, str]] = {name: {} for name in names}
    for row in read_rows(path, 2):
        for number, name in enumerate(names, 1):
            for word in row.listed(number):
                found[name].setdefault(word.casefold(), row.cell(0))
    return found
