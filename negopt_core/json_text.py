"""JSON from anywhere: what cannot be read is a ValueError; nesting is bounded, so that no reader runs out of stack."""

from __future__ import annotations

import json
import math
from typing import Any

MAX_DEPTH = 100
"""Deepest nesting that is read; far above what any program writes here."""


def read_json(text: str | bytes, is_finite: bool = False) -> Any:
    """`json.loads` whose every refusal is a ValueError.

    With `is_finite`, NaN and numbers beyond a float are refused too; ComfyUI writes NaN into its graphs.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    try:
        values = json.loads(text, parse_constant=_refuse, parse_float=_finite_number) if is_finite else json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if text.count("[") + text.count("{") > MAX_DEPTH:  # else it cannot be nested deeper
        _check_depth(values)
    return values


_TOO_DEEP = f"it is nested more than {MAX_DEPTH} levels deep"


def _check_depth(values: Any) -> None:
    level = [values]
    for _ in range(MAX_DEPTH + 1):
        inner = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [child for children in inner for child in children]
        if not level:
            return
    raise ValueError(_TOO_DEEP)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _finite_number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is no number that a program can hold")
    return number
