"""Scores of pictures, computed once and kept line by line, so that a run can be stopped anywhere."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Sequence
from pathlib import Path

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
        wanted = [_place(*pair) for pair in zip(keys, prompts, strict=True)]
        missing = list(dict.fromkeys(place for place in wanted if place not in self._known))
        at = {place: index for index, place in reversed(list(enumerate(wanted)))}
        todo = [at[place] for place in missing]
        pace = ProgressLog(f"scoring {self.scorer.name}", len(wanted), len(wanted) - len(todo))
        done = len(wanted) - len(todo)
        for places, images in gallery.batches([keys[index] for index in todo], batch):
            rows = [todo[place] for place in places]
            scores = self.scorer(images, [prompts[row] for row in rows])
            if scores.shape != (len(rows),):
                raise ModelError(
                    f"{self.scorer.name} gave scores of shape {list(scores.shape)} for {len(rows)} pictures"
                )
            self._add({wanted[row]: value for row, value in zip(rows, scores.tolist(), strict=True)})
            done += len(rows)
            pace.update(done)
        return [self._known[place] for place in wanted]

    def _add(self, found: dict[str, float]) -> None:
        rows = [[place, value if math.isfinite(value) else None] for place, value in found.items()]
        append_journal(self.path, rows)
        self._known |= {place: value if math.isfinite(value) else math.nan for place, value in found.items()}


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
