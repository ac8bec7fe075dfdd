"""A blind reading of what policies write: a sheet without names, its key apart, and what the verdicts come to.

Readers rank the candidates of each prompt (equal ranks are ties) and say of each whether they would keep, edit or
reject it. Candidates with the same words are one line of the sheet, and its verdict counts for each arm that wrote it.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import OutputError
from ...files import write_text
from ...json_text import read_json

if TYPE_CHECKING:
    from ...measure.statistics import Interval

SHEET, KEY, VERDICTS = "sheet.md", "key.json", "verdicts.csv"
CHOICES = ("keep", "edit", "reject")
NOTHING = "(nothing)"
_COLUMNS = ("prompt", "candidate", "rank", "verdict")
_ASKED = {
    "negative": "a negative prompt (words that the picture should not have)",
    "modifiers": "words put behind the prompt, or nothing",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One prompt, what is known of the painting model, and what each arm wrote."""

    prompt: str
    setting: str
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the readings of one arm come to; every figure with its 95 % interval over prompts."""

    arm: str
    prompts: int
    first: Interval
    """Share of prompts where nobody ranks before it."""
    alone: Interval
    """Share where it is first and nobody ties."""
    mean_rank: Interval
    keep: Interval
    edit: Interval
    reject: Interval


@dataclass(frozen=True, slots=True)
class Vote:
    """A verdict on what one arm wrote for one prompt."""

    reading: int
    prompt: int
    arm: str
    rank: float
    verdict: str


def write_panel(entries: Sequence[Entry], side: str, seed: int, folder: Path) -> None:
    """Write the sheet, a form for verdicts and, in a folder of its own, the key. OutputError if it cannot be done."""
    rng = random.Random(seed)
    lines, form, key = [*_head(side)], [_COLUMNS], []
    for number, entry in enumerate(entries, 1):
        texts = list(dict.fromkeys(text or NOTHING for text in entry.answers.values()))
        rng.shuffle(texts)
        labels = {text: chr(ord("A") + place) for place, text in enumerate(texts)}
        lines += [
            f"## {number}",
            f"prompt: {json.dumps(entry.prompt, ensure_ascii=False)}",
            f"model: {entry.setting}",
            "",
        ]
        lines += [*(f"- **{label}** {text}" for text, label in labels.items()), ""]
        form += [(str(number), label, "", "") for label in labels.values()]
        arms = {arm: labels[text or NOTHING] for arm, text in entry.answers.items()}
        key.append({"prompt": entry.prompt, "setting": entry.setting, "arms": arms})
    write_text(folder / SHEET, "\n".join(lines) + "\n")
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows(form)
    write_text(folder / VERDICTS, table.getvalue())
    values = {"kind": "negopt-panel", "side": side, "seed": seed, "prompts": key}
    write_text(folder / "key" / KEY, json.dumps(values, ensure_ascii=False, indent=1) + "\n")


def _head(side: str) -> Iterator[str]:
    yield f"# Blind reading: {side}"
    yield ""
    yield (
        f"For each prompt there are candidates for {_ASKED[side]}, in shuffled order. Read them as an experienced "
        "artist who is about to paint that prompt with that model: which would you use? Rank them (1 is best; equal "
        f"ranks are ties) and give each one of {', '.join(CHOICES)}: keep it as it is, use it after an edit, "
        f"reject it because it works against the picture. Fill in {VERDICTS}: one line for each prompt and candidate."
    )
    yield ""


def read_votes(verdicts: Sequence[Path], key: Path) -> list[Vote]:
    """Votes of one or more readings. OutputError names file and line of a verdict that is missing or makes no sense."""
    prompts = _read_key(key)
    return [vote for reading, path in enumerate(verdicts) for vote in _reading(reading, path, prompts)]


def _read_key(path: Path) -> list[dict[str, str]]:
    try:
        values = read_json(path.read_bytes())
        return [dict(entry["arms"]) for entry in values["prompts"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(f"{path} is no key of a panel ({error}); it is what `policies panel write` wrote") from error


def _reading(reading: int, path: Path, prompts: Sequence[Mapping[str, str]]) -> Iterator[Vote]:
    verdicts: dict[tuple[int, str], tuple[float, str]] = {}
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise OutputError(f"cannot read the verdicts in {path}: {error}") from error
    for line, row in enumerate(rows, 1):
        if line > 1 and any(cell.strip() for cell in row):
            verdicts.update([_verdict(f"{path}, line {line}", row)])
    for number, arms in enumerate(prompts, 1):
        for arm, label in arms.items():
            if (number, label) not in verdicts:
                raise OutputError(f"{path} has no verdict on candidate {label} of prompt {number}; fill in every line")
            rank, verdict = verdicts[number, label]
            yield Vote(reading, number, arm, rank, verdict)


def _verdict(place: str, row: Sequence[str]) -> tuple[tuple[int, str], tuple[float, str]]:
    cells = [cell.strip() for cell in row[:4]]
    try:
        number, label, rank, verdict = int(cells[0]), cells[1].upper(), float(cells[2]), cells[3].casefold()
    except (ValueError, IndexError):
        raise OutputError(f"{place}: a verdict is `{','.join(_COLUMNS)}`, got {','.join(cells)[:60]!r}") from None
    if not rank >= 1 or verdict not in CHOICES:
        raise OutputError(f"{place}: a rank is 1 or more and a verdict {', '.join(CHOICES)}, got {rank:g}, {verdict!r}")
    return (number, label), (rank, verdict)


def standings(votes: Sequence[Vote]) -> list[Standing]:
    """Every arm, the most often first before the others. Readings of one prompt are averaged: prompts are the items."""
    from ...measure.statistics import mean_interval  # lazily: the command line declares its commands without numpy

    best: dict[tuple[int, int], list[float]] = {}
    for vote in votes:
        best.setdefault((vote.reading, vote.prompt), []).append(vote.rank)

    def interval(arm: str, value: Any, is_share: bool = True) -> Interval:
        by_prompt: dict[int, list[float]] = {}
        for vote in votes:
            if vote.arm == arm:
                by_prompt.setdefault(vote.prompt, []).append(float(value(vote, best[vote.reading, vote.prompt])))
        return mean_interval([sum(values) / len(values) for values in by_prompt.values()], is_share)

    rows = [
        Standing(
            arm=arm,
            prompts=len({vote.prompt for vote in votes}),
            first=interval(arm, lambda vote, ranks: vote.rank == min(ranks)),
            alone=interval(arm, lambda vote, ranks: vote.rank == min(ranks) and ranks.count(vote.rank) == 1),
            mean_rank=interval(arm, lambda vote, _: vote.rank, is_share=False),
            keep=interval(arm, lambda vote, _: vote.verdict == "keep"),
            edit=interval(arm, lambda vote, _: vote.verdict == "edit"),
            reject=interval(arm, lambda vote, _: vote.verdict == "reject"),
        )
        for arm in dict.fromkeys(vote.arm for vote in votes)
    ]
    return sorted(rows, key=lambda one: -one.first.value)


def beats(votes: Sequence[Vote], arm: str, other: str) -> tuple[Interval, Interval]:
    """Shares of prompts where `arm` ranks before `other`, and where it ranks before it or beside it."""
    from ...measure.statistics import mean_interval

    ranks = {(vote.reading, vote.prompt, vote.arm): vote.rank for vote in votes}
    pairs: dict[int, list[float]] = {}
    for reading, prompt, name in ranks:
        if name == arm and (reading, prompt, other) in ranks:
            pairs.setdefault(prompt, []).append(ranks[reading, prompt, other] - ranks[reading, prompt, arm])
    wins = [sum(gap > 0 for gap in gaps) / len(gaps) for gaps in pairs.values()]
    ties = [sum(gap >= 0 for gap in gaps) / len(gaps) for gaps in pairs.values()]
    return mean_interval(wins, is_share=True), mean_interval(ties, is_share=True)
