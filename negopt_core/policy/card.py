"""`policy.json`: what a policy is, for whom it was made and where it comes from."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ..errors import NegOptError, PolicyError
from ..json_text import read_json
from ..text.prompt import FULL, MAX_WEIGHT, Window
from .families import families

FORMAT_VERSION = 1
POLARITIES = ("negative", "modifiers", "both")
WEIGHTING_RULES = ("pae", "pae-raw", "comfy", "compel", "none")
_MAX_TOKENS = 10_000


@dataclass(frozen=True, slots=True)
class PolicyCard:
    """The record that travels with a policy. Raises PolicyError where a value has no meaning."""

    kind: str
    """How suggestions are made: "rules", "static", "retrieval", "seq2seq", "df"."""
    name: str
    polarity: str = "both"
    """Which side it writes: "negative", "modifiers" or "both"."""
    format_version: int = FORMAT_VERSION
    base_model: str = ""
    """The painter it was made for; empty for any."""
    families: tuple[str, ...] = ()
    """Families of models whose words it knows; empty for any."""
    windows: tuple[Window, ...] = (FULL,)
    """The windows that it can choose from; written as [start, end] in progress."""
    weights: tuple[float, ...] = (1.0,)
    """The weights that it can choose from."""
    weighting: str = "pae"
    """How weights were applied to the embeddings when it was made."""
    max_tokens: int = 75
    """Token budget of either side, without start and end marks; 75 is one CLIP chunk."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What only this kind reads, such as the text of a static negative."""
    caveats: tuple[str, ...] = ()
    """Sentences that go with every suggestion; that windows are priors is told by the card alone."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Fields that this version does not know; kept, so that writing a card loses nothing."""

    def __post_init__(self) -> None:
        for key in ("kind", "name"):
            if not getattr(self, key).strip():
                raise PolicyError(f"{key} must not be empty; name the policy's {key}")
        _one_of("polarity", self.polarity, POLARITIES)
        _one_of("weighting", self.weighting, WEIGHTING_RULES)
        if self.format_version != FORMAT_VERSION:
            given = str(self.format_version)[:40]
            raise PolicyError(f"format_version {given} is not {FORMAT_VERSION}, the only one read here; update negopt")
        if not 1 <= self.max_tokens <= _MAX_TOKENS:
            raise PolicyError(
                f"max_tokens needs 1 to {_MAX_TOKENS}, got {str(self.max_tokens)[:40]}; one CLIP chunk is 75"
            )
        if not self.windows or not self.weights:
            raise PolicyError(
                "windows and weights need at least one entry; leave them out for the whole run at weight 1"
            )
        for weight in self.weights:
            if not 0.0 <= weight <= MAX_WEIGHT:
                raise PolicyError(f"weights need 0 <= weight <= {MAX_WEIGHT:g}, got {weight}")

    def for_family(self, family: str) -> PolicyCard:
        """The same for one of `families`, whose own caveats come behind."""
        return replace(self, families=(family,), caveats=(*self.caveats, *families()[family].caveats))

    def to_json(self) -> dict[str, Any]:
        """The card as plain JSON values; `from_json` gives back an equal card."""
        known = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "extra"}
        known["windows"] = [[window.start, window.end] for window in self.windows]
        lists = {key: list(value) if isinstance(value, tuple) else value for key, value in known.items()}
        return {**self.extra, **lists}

    @classmethod
    def from_json(cls, values: object) -> PolicyCard:
        """Read a card; a known field of the wrong type raises PolicyError, an unknown field is kept in `extra`."""
        if not isinstance(values, dict):
            raise PolicyError(f"a policy card is a JSON object, got {type(values).__name__}")
        for key in ("kind", "name"):
            if key not in values:
                raise PolicyError(f"{key} is missing; a policy card needs at least kind and name")
        known: dict[str, Any] = {key: read(key, values[key]) for key, read in _READERS.items() if key in values}
        extra = {key: value for key, value in values.items() if key not in _READERS}
        return cls(**known, extra=extra)


def parse_card(text: str) -> PolicyCard:
    """Read the text of a `policy.json`; raises PolicyError with what is wrong in it."""
    try:
        values = read_json(text, is_finite=True)
    except ValueError as error:
        raise PolicyError(f"it is not JSON ({error}); write it with PolicyCard.to_json") from error
    return PolicyCard.from_json(values)


def _one_of(key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise PolicyError(f"{key} must be one of {', '.join(allowed)}, got {value[:60]!r}")


def _wrong(key: str, wanted: str, value: object) -> PolicyError:
    return PolicyError(f"{key} must be {wanted}, got {str(value)[:60]!r} ({type(value).__name__})")


def _read_text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(key, "text", value)
    return value


def _read_whole(key: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(key, "a whole number", value)
    return value


def _read_number(key: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= sys.float_info.max:
        raise _wrong(key, "a finite number", value)
    return float(value)


def _read_list(key: str, value: object) -> list[object]:
    if not isinstance(value, list):
        raise _wrong(key, "a list", value)
    return value


def _read_texts(key: str, value: object) -> tuple[str, ...]:
    return tuple(_read_text(key, item) for item in _read_list(key, value))


def _read_numbers(key: str, value: object) -> tuple[float, ...]:
    return tuple(_read_number(key, item) for item in _read_list(key, value))


def _read_windows(key: str, value: object) -> tuple[Window, ...]:
    windows = []
    for item in _read_list(key, value):
        if not isinstance(item, list) or len(item) != 2:
            raise _wrong(key, "a list of [start, end] in progress", item)
        try:
            windows.append(Window(_read_number(key, item[0]), _read_number(key, item[1])))
        except NegOptError as error:
            raise PolicyError(f"{key}: {error}") from error
    return tuple(windows)


def _read_object(key: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(key, "an object", value)
    return value


def _read_metrics(key: str, value: object) -> dict[str, float]:
    return {name: _read_number(f"{key}.{name[:60]}", item) for name, item in _read_object(key, value).items()}


_READERS: dict[str, Callable[[str, object], Any]] = {
    "kind": _read_text,
    "name": _read_text,
    "polarity": _read_text,
    "format_version": _read_whole,
    "base_model": _read_text,
    "families": _read_texts,
    "windows": _read_windows,
    "weights": _read_numbers,
    "weighting": _read_text,
    "max_tokens": _read_whole,
    "settings": _read_object,
    "caveats": _read_texts,
    "provenance": _read_object,
    "licence": _read_text,
    "metrics": _read_metrics,
}
