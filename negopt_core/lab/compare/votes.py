"""Votes that people cast on a report's blind wall: read, checked, counted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import OutputError
from ...measure.statistics import Interval, mean_interval

KIND = "negopt-votes"


@dataclass(frozen=True, slots=True)
class VoteFile:
    """What one export holds."""

    path: Path
    ballots: tuple[dict[str, Any], ...]
    report: str = ""
    """Id of the report whose page was voted on; "" where the file does not tell."""
    voter: str = ""
    """A random number of the page in one browser; "" in files of before there was one."""


def read_votes(path: Path) -> VoteFile:
    """A file that the page exported; OutputError for anything else."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot read the votes in {path}: {error}") from error
    is_ours = isinstance(values, dict) and values.get("kind") == KIND and isinstance(values.get("votes"), list)
    report, voter = (values.get("report", ""), values.get("voter", "")) if is_ours else (None, None)
    if not isinstance(report, str) or not isinstance(voter, str):
        raise OutputError(f"{path} holds no votes; export them on the page of an eval report")
    for ballot in values["votes"]:
        if not _makes_sense(ballot, has_voter=bool(voter)):
            raise OutputError(f"{path} has a ballot that makes no sense: {ballot!r:.100}")
    return VoteFile(path, tuple(values["votes"]), report, voter)


def _makes_sense(ballot: Any, has_voter: bool) -> bool:
    if not isinstance(ballot, dict) or not all(_is_names(ballot.get(name)) for name in ("shown", "ranking")):
        return False
    is_placed = all(isinstance(ballot.get(name), int) for name in ("prompt", "seed"))
    return set(ballot["ranking"]) <= set(ballot["shown"]) and (is_placed or not has_voter)


def gather(files: Sequence[VoteFile], report: str) -> list[dict[str, Any]]:
    """The ballots on this report: of a voter the last one on each prompt and seed. OutputError for another report's.

    Files without a report's id or a voter are counted as they are.
    """
    ballots: dict[tuple[Any, ...], dict[str, Any]] = {}
    for place, file in enumerate(files):
        if file.report and file.report != report:
            raise OutputError(
                f"{file.path} has votes on the report {file.report!r}, this one is {report!r}: other pictures were "
                "seen; leave the file out, or run eval with that report's settings"
            )
        for number, ballot in enumerate(file.ballots):
            key = (file.voter, ballot["prompt"], ballot["seed"]) if file.voter else (place, number)
            ballots[key] = ballot
    return list(ballots.values())


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value) and len(set(value)) == len(value)


def win_rate(ballots: Sequence[dict[str, Any]], arm: str, reference: str) -> tuple[Interval, int]:
    """How often `arm` was ranked above `reference`, ties counting half, and on how many ballots both were shown.

    Pictures that a ballot does not rank are equal last. The interval is over ballots.
    """
    wins = [_win(ballot, arm, reference) for ballot in ballots if {arm, reference} <= set(ballot["shown"])]
    return mean_interval(wins, is_share=True), len(wins)


def _win(ballot: dict[str, Any], arm: str, reference: str) -> float:
    ranking = ballot["ranking"]
    places = [ranking.index(name) if name in ranking else len(ranking) for name in (arm, reference)]
    return 0.5 if places[0] == places[1] else float(places[0] < places[1])


def tally(ballots: Sequence[dict[str, Any]], arms: Sequence[str], reference: str) -> list[dict[str, Any]]:
    """A row for each arm that was shown beside the reference."""
    rows = []
    for arm in arms:
        interval, count = win_rate(ballots, arm, reference)
        if arm != reference and count:
            rows.append({"arm": arm, "win_rate": interval.plain(), "ballots": count})
    return rows
