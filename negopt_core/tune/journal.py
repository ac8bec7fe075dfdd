"""An audit or a tune in its folder: what was asked for, what was judged; stopped and taken up again at will."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import TrainingError
from ..files import append_journal, make_folder, read_journal, write_text
from ..json_text import read_json
from ..policy.tuned.effects import Option, Stock
from .evidence import Click, Evidence, Picture, Source, Topic, list_of
from .rounds import Ask

CONFIG, ASKED, JUDGED, CLICKS, LOCK = "settings.json", "asked.jsonl", "judged.jsonl", "clicks.jsonl", "in-use"
PICTURES = "pictures"
_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY
_REMEDY = "what was judged is kept: make room, and the same command goes on from there"


@dataclass(frozen=True, slots=True)
class Round:
    """Pictures that are painted together."""

    stage: str
    """"learn", "refine" or "check"."""
    stock: Stock
    """Later rounds may add options behind; places stay."""
    asks: tuple[Ask, ...]


@dataclass
class Journal:
    """The rounds of a run and what was judged; every call writes what it changes."""

    folder: Path
    rounds: list[Round] = field(default_factory=list)
    scores: dict[tuple[str, tuple[int, ...]], Mapping[str, float]] = field(default_factory=dict)
    clicks: list[Click] = field(default_factory=list)
    is_writer: bool = True
    """False for all but one of the processes that share a run: they keep the same books in memory only."""

    @classmethod
    def open(cls, folder: Path, config: Mapping[str, Any], is_writer: bool = True) -> Journal:
        """Make or reopen a folder; TrainingError if another run, or one with other settings, is in it."""
        make_folder(folder)
        path, wanted = folder / CONFIG, json.loads(json.dumps(config))
        if path.exists():
            try:
                kept = read_json(path.read_bytes())
            except (OSError, ValueError) as error:
                raise TrainingError(
                    f"{path} is damaged ({error}); choose another folder, or delete this one"
                ) from error
            changed = [key for key in sorted({*kept, *wanted}) if kept.get(key) != wanted.get(key)]
            if changed:
                raise TrainingError(
                    f"{folder} holds a run with other settings ({', '.join(changed)}); choose another, or delete it"
                )
        else:
            write_text(path, json.dumps(wanted, indent=1) + "\n")
        return cls(
            folder,
            [read_round(row) for row in _rows(folder / ASKED)],
            {(group, tuple(options)): scores for (group, options), scores in _rows(folder / JUDGED)},
            [Click(_key(one), _key(two)) for one, two in _rows(folder / CLICKS)],
            is_writer,
        )

    @property
    def waiting(self) -> list[Ask]:
        """What was asked for and is not judged yet; each picture once."""
        asked = {one.key: one for row in self.rounds for one in row.asks}
        return [one for key, one in asked.items() if key not in self.scores]

    def ask(self, row: Round) -> None:
        """Begin a round."""
        self._append(ASKED, [round_row(row)])
        self.rounds.append(row)

    def tell(self, asks: Sequence[Ask], scores: Sequence[Mapping[str, float]]) -> None:
        """Pictures were judged; {} for a picture that was only painted."""
        rows = [[list_of(one.key), dict(score)] for one, score in zip(asks, scores, strict=True)]
        self._append(JUDGED, rows)
        self.scores |= {one.key: score for one, score in zip(asks, scores, strict=True)}

    def prefer(self, better: Ask, worse: Ask) -> None:
        """Somebody clicked one of two pictures; TrainingError if they are not of the same prompt and noise."""
        if better.group != worse.group or better.key == worse.key:
            raise TrainingError("two pictures are compared that have the same prompt and noise; these have not")
        self._append(CLICKS, [[list_of(better.key), list_of(worse.key)]])
        self.clicks.append(Click(better.key, worse.key))

    def _append(self, name: str, rows: list[Any]) -> None:
        if self.is_writer:
            append_journal(self.folder / name, rows, _REMEDY)

    def asks(self, *stages: str) -> list[Ask]:
        """What was asked for in these stages, each picture once, in order."""
        return list({one.key: one for row in self.rounds if row.stage in stages for one in row.asks}.values())

    def evidence(self, source: Source, stock: Stock, topics: Mapping[str, Topic], *stages: str) -> Evidence:
        """What was judged in these stages."""
        wanted = self.rounds[-1].stock if self.rounds else stock
        keys = {one.key for one in self.asks(*stages)}
        pictures = [Picture(*key, self.scores[key]) for key in keys if key in self.scores]
        clicks = [one for one in self.clicks if {one.better, one.worse} <= keys]
        judged = {one.key for one in pictures}
        known = [one for one in clicks if {one.better, one.worse} <= judged]
        return Evidence(source, wanted, topics).plus(sorted(pictures, key=lambda one: one.key), known)


def _rows(path: Path) -> Iterator[Any]:
    """Whole lines; one that was cut short when the disk was full is not there, and its picture is asked for again."""
    return (row for row in read_journal(path) if row is not None)


def round_row(row: Round) -> dict[str, Any]:
    """A round in plain values, as the file has it."""
    return {
        "stage": row.stage,
        "stock": [one.to_row() for one in row.stock.options],
        "asks": [[one.prompt, one.seed, list(one.options)] for one in row.asks],
    }


def read_round(row: Any) -> Round:
    """The inverse of `round_row`."""
    stock = Stock(tuple(Option.from_row(one) for one in row["stock"]))
    return Round(row["stage"], stock, tuple(Ask(prompt, seed, tuple(options)) for prompt, seed, options in row["asks"]))


def _key(row: Any) -> tuple[str, tuple[int, ...]]:
    return row[0], tuple(row[1])


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Hold a folder for this process; TrainingError while another one has it."""
    make_folder(folder)
    path = folder / LOCK
    try:
        handle = os.open(path, _NEW)
    except FileExistsError:
        if not _is_left(path):
            raise TrainingError(
                f"{folder} is in use by another process ({path.name} holds its number); wait for it, stop it, or "
                "choose another folder"
            ) from None
        handle = os.open(path, _NEW)
    try:
        os.write(handle, str(os.getpid()).encode())
        yield
    finally:
        os.close(handle)
        path.unlink(missing_ok=True)


def _is_left(path: Path) -> bool:
    """True, and it is gone, for the mark of a process that was killed.

    Windows deletes no file that a process has open, and would stop the process that is only asked for with signal 0.
    """
    try:
        if os.name != "nt":
            holder = path.read_text(encoding="utf-8").strip()
            if not holder.isdigit():  # it is being written this moment
                return False
            os.kill(int(holder), 0)
            return False
        path.unlink()
    except (ProcessLookupError, OverflowError):
        path.unlink(missing_ok=True)
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True
