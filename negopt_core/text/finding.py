"""One thing that the checks say, and how it names what it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning"]
_SHOWN = 3  # examples named in a message


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing: a stable `code`, the value and the rule in `message`, and what to do about it."""

    code: str
    severity: Severity
    message: str
    remedy: str
    side: Literal["", "negative", "positive"] = ""
    """The prompt that the subjects stand in, if it is one."""
    subjects: tuple[str, ...] = ()
    """The phrases or names it is about, each once, for a host that offers to remove or change them."""

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}"


def examples(values: list[str]) -> str:
    """The first few different values, quoted, and how many more there are."""
    different = distinct(values)
    shown = ", ".join(repr(value if len(value) <= 40 else value[:37] + "...") for value in different[:_SHOWN])
    rest = len(different) - _SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown


def distinct(values: list[str]) -> tuple[str, ...]:
    """Each value once, in order."""
    return tuple(dict.fromkeys(values))
