"""Votes that people cast on a report's blind wall: read, checked, counted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy

from ..errors import OutputError
from .statistics import Interval, bootstrap_mean

KIND = "negopt-votes"


def read_votes(path: Path) -> list[dict[str, Any]]:
    """The ballots in a file that the page exported; OutputError for anything else."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot read the votes in {path}: {error}") from error
    if not isinstance(values, dict) or values.get("kind") != KIND or not isinstance(values.get("votes"), list):
        raise OutputError(f"{path} holds no votes; export them on the page of an eval report")
    for ballot in values["votes"]:
        is_right = isinstance(ballot, dict) and all(_is_names(ballot.get(name)) for name in ("shown", "ranking"))
        if not is_right or not set(ballot["ranking"]) <= set(ballot["shown"]):
            raise OutputError(f"{path} has a ballot that makes no sense: {ballot!r:.100}")
    return list(values["votes"])


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value) and len(set(value)) == len(value)


def win_rate(ballots: Sequence[dict[str, Any]], arm: str, reference: str, seed: int = 0) -> tuple[Interval, int]:
    """How often `arm` was ranked above `reference`, ties counting half, and on how many ballots both were shown.

    Pictures that a ballot does not rank are equal last. The interval is a bootstrap over ballots.
    """
    wins = [_win(ballot, arm, reference) for ballot in ballots if {arm, reference} <= set(ballot["shown"])]
    return bootstrap_mean(numpy.array(wins, dtype=numpy.float64), seed), len(wins)


def _win(ballot: dict[str, Any], arm: str, reference: str) -> float:
    ranking = ballot["ranking"]
    places = [ranking.index(name) if name in ranking else len(ranking) for name in (arm, reference)]
    return 0.5 if places[0] == places[1] else float(places[0] < places[1])


def tally(ballots: Sequence[dict[str, Any]], arms: Sequence[str], reference: str) -> list[dict[str, Any]]:
    """A row for each arm that was shown beside the reference."""
    rows = []
    for arm in arms:
        found, count = win_rate(ballots, arm, reference)
        if arm != reference and count:
            values = {name: None if value != value else value for name, value in _fields(found).items()}
            rows.append({"arm": arm, "win_rate": values, "ballots": count})
    return rows


def _fields(found: Interval) -> dict[str, float]:
    return {"value": found.value, "low": found.low, "high": found.high}
