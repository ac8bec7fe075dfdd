"""Scores of pictures, computed once and kept line by line, so that a run can be stopped anywhere."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from ...errors import ModelError
from ...files import append_journal, read_journal
from ...scorers.base import Scorer
from ..jobs.progress import ProgressLog
from .gallery import Gallery

log = logging.getLogger("negopt")


class Scorebook:
    """The scores of one scorer. `identity` says which weights it has; other weights never read these scores."""

    def __init__(self, folder: Path, scorer: Scorer, identity: str) -> None:
        self.scorer = scorer
        stamp = hashlib.sha256(identity.encode()).hexdigest()[:12]
        self.path = folder / f"{scorer.name}-{stamp}.jsonl"
        self._known = _read(self.path)

    def score(self, gallery: Gallery, keys: Sequence[str], prompts: Sequence[str], batch: int = 16) -> list[float]:
        """The score of each picture against its prompt, in order; NaN where the scorer gave no finite number."""
        return score_all([self], gallery, keys, prompts, batch)[0]

    def lacks(self, place: str) -> bool:
        """True if nobody has scored the picture and prompt of a place yet."""
        return place not in self._known

    def score_batch(self, images: Tensor, places: Sequence[str], prompts: Sequence[str]) -> None:
        """Score what is not known of pictures [B, 3, H, W] and write it down."""
        rows = [row for row, place in enumerate(places) if self.lacks(place)]
        if not rows:
            return
        part = images if len(rows) == len(places) else images[rows]  # the very tensor is embedded once for all scorers
        scores = self.scorer(part, [prompts[row] for row in rows])
        if scores.shape != (len(rows),):
            raise ModelError(f"{self.scorer.name} gave scores of shape {list(scores.shape)} for {len(rows)} pictures")
        self._add({places[row]: value for row, value in zip(rows, scores.tolist(), strict=True)})

    def read(self, places: Sequence[str]) -> list[float]:
        """The scores of places that are known."""
        return [self._known[place] for place in places]

    def _add(self, found: dict[str, float]) -> None:
        rows = [[place, value if math.isfinite(value) else None] for place, value in found.items()]
        append_journal(self.path, rows)
        self._known |= {place: value if math.isfinite(value) else math.nan for place, value in found.items()}


def score_all(
    books: Sequence[Scorebook], gallery: Gallery, keys: Sequence[str], prompts: Sequence[str], batch: int = 16
) -> list[list[float]]:
    """The scores of every book, as `Scorebook.score`; each picture is read once, and embedded once for all."""
    wanted = [_place(*pair) for pair in zip(keys, prompts, strict=True)]
    at = {place: index for index, place in reversed(list(enumerate(wanted)))}
    todo = [at[place] for place in dict.fromkeys(wanted) if any(book.lacks(place) for book in books)]
    done = len(wanted) - len(todo)
    pace = ProgressLog(f"scoring {', '.join(book.scorer.name for book in books)}", len(wanted), done)
    for places, images in gallery.batches([keys[index] for index in todo], batch):
        rows = [todo[place] for place in places]
        for book in books:
            book.score_batch(images, [wanted[row] for row in rows], [prompts[row] for row in rows])
        done += len(rows)
        pace.update(done)
    return [book.read(wanted) for book in books]


def _place(key: str, prompt: str) -> str:
    return f"{key}-{hashlib.sha256(prompt.encode('utf-8', 'replace')).hexdigest()[:12]}"


def _read(path: Path) -> dict[str, float]:
    """What was scored before; a line that was cut off when the run was stopped is left out."""
    found = {}
    for row in read_journal(path):
        try:
            place, value = row
            found[str(place)] = math.nan if value is None else float(value)
        except (TypeError, ValueError):
            log.warning("%s has a line that cannot be read; that picture is scored again", path)
    return found
