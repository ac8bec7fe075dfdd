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
from ...tune.journal import Journal, Round
from ...tune.rounds import Ask
from ..compare.gallery import Gallery, Order
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


def drive(plan: Plan, journal: Journal, bench: Bench, total: int) -> None:
    """To the end of the plan. Ctrl-C finishes the step and raises Cancelled; the same call goes on from there."""
    with gentle_stop() as asked:
        while True:
            row = journal.rounds[-1] if journal.waiting else plan.next(journal)
            if row is None:
                return
            if not journal.waiting:
                journal.ask(row)
            waiting = journal.waiting
            journal.tell(waiting, bench.judge(row, waiting, lambda: bool(asked)))
            log.info("%s: %d of at most %d pictures are judged", row.stage, len(journal.scores), total)
            if asked:
                raise Cancelled(f"stopped after {len(journal.scores)} pictures; the same command goes on from there")
