"""Paints and judges round after round until a plan has nothing more to ask; what was judged is never painted again."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from ...errors import Cancelled, ModelError
from ...files import write_text
from ...json_text import read_json
from ...paint.base import Cancel
from ...scorers.base import Scorer
from ...text.df_text import parse_prompt
from ...tune.journal import Journal, Round, read_round, round_row
from ...tune.rounds import Ask
from ..compare.gallery import Gallery, Order
from ..jobs.processes import ALONE, Processes
from ..jobs.run import gentle_stop

log = logging.getLogger("negopt")
PACE = "pace.json"


class Plan(Protocol):
    """What asks for pictures."""

    def next(self, journal: Journal) -> Round | None:
        """The next round, None if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Bench:
    """Who paints and who judges."""

    gallery: Gallery
    scorers: Mapping[str, Scorer]
    """By the name that their scores have."""
    referees: Mapping[str, Scorer]
    """The same, for the last check."""
    batch: int

    def key(self, row: Round, ask: Ask) -> str:
        """Of a picture in the gallery."""
        return self.gallery.key(self._order(row, ask))

    def path(self, row: Round, ask: Ask) -> Path:
        """Of a picture's file."""
        return self.gallery.path(self.key(row, ask))

    def judge(self, row: Round, asks: Sequence[Ask], cancel: Cancel | None = None) -> list[Mapping[str, float]]:
        """Paint what is missing and score it while the rest is painted; ModelError for scores that are no numbers."""
        orders = [self._order(row, one) for one in asks]
        prompts = {self.gallery.key(one): parse_prompt(one.prompt).text for one in orders}
        judges = {**self.scorers, **(self.referees if row.stage == "check" else {})}
        found: dict[str, dict[str, float]] = {key: {} for key in prompts}
        waiting: list[str] = []
        for key in self.gallery.paint_each(orders, self.batch, cancel):
            waiting.append(key)
            if len(waiting) == self.batch:
                self._score(waiting, prompts, judges, found)
                waiting = []
        self._score(waiting, prompts, judges, found)
        return [found[self.gallery.key(one)] for one in orders]

    def _score(
        self,
        keys: Sequence[str],
        prompts: Mapping[str, str],
        judges: Mapping[str, Scorer],
        found: Mapping[str, dict[str, float]],
    ) -> None:
        for places, images in self.gallery.batches(keys) if judges else ():
            texts = [prompts[keys[place]] for place in places]
            for name, scorer in judges.items():
                values = scorer(images, texts).double()
                if values.shape != (len(places),) or not bool(torch.isfinite(values).all()):
                    raise ModelError(
                        f"{name} did not give every picture a finite number; look at "
                        f"{self.gallery.path(keys[places[0]])}, and at its weights"
                    )
                for place, value in zip(places, values.tolist(), strict=True):
                    found[keys[place]][name] = value

    def _order(self, row: Round, ask: Ask) -> Order:
        return Order(ask.prompt, ask.pair(row.stock), ask.seed)


def seconds_a_picture(bench: Bench, row: Round, folder: Path) -> float:
    """Measured once, on pictures of the first round, which are kept; the second batch, since the first warms up."""
    path = folder / PACE
    if path.exists():
        return float(read_json(path.read_bytes())["seconds_a_picture"])
    begun = time.monotonic()
    bench.judge(row, row.asks[: bench.batch])
    seconds = (time.monotonic() - begun) / len(row.asks[: bench.batch])
    if rest := row.asks[bench.batch : 2 * bench.batch]:
        begun = time.monotonic()
        bench.judge(row, rest)
        seconds = (time.monotonic() - begun) / len(rest)
    write_text(path, json.dumps({"seconds_a_picture": seconds}) + "\n")
    return seconds


def drive(plan: Plan, journal: Journal, bench: Bench, total: int, processes: Processes = ALONE) -> None:
    """To the end of the plan. Ctrl-C finishes the step and raises Cancelled; the same call goes on from there.

    The first of several processes asks and keeps the journal; each paints and judges its share of a round.
    """
    with gentle_stop() as asked:
        while (row := next_round(plan, journal, processes)) is not None:
            waiting = journal.waiting
            with processes.together():
                scores = bench.judge(row, processes.own(waiting), lambda: bool(asked))
            journal.tell(waiting, [one for part in processes.tell(json.dumps(scores)) for one in json.loads(part)])
            log.info("%s: %d of at most %d pictures are judged", row.stage, len(journal.scores), total)
            if processes.any(bool(asked)):
                raise Cancelled(f"stopped after {len(journal.scores)} pictures; the same command goes on from there")


def next_round(plan: Plan, journal: Journal, processes: Processes) -> Round | None:
    """The round that is not judged yet, or the next one; None at the end. The leader's, in every process."""
    if journal.waiting:
        return journal.rounds[-1]
    with processes.together():
        row = plan.next(journal) if processes.is_leader else None
    told = processes.tell(json.dumps(round_row(row)) if row is not None else "")[0]
    if not told:
        return None
    row = row or read_round(json.loads(told))
    journal.ask(row)
    return row
