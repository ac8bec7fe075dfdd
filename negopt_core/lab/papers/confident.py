"""The confidence filter of a paper's run: SFT learns from the pairs whose pictures are better for the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import TrainingError
from ...scorers.table import Loader
from ..data.filtering import save_confident
from ..data.settings import ConfidenceSettings
from .data import CONFIDENT, pairs_to_filter
from .learn import devices_of, open_task_painter
from .task import Task


def confidence_of(task: Task) -> ConfidenceSettings:
    """The paper's thresholds."""
    return ConfidenceSettings(polarity=task.paper.polarity, seed=task.run.seed)


def keep_confident(task: Task, data: Path, folder: Path) -> dict[str, Any]:
    """Write what the filter keeps of the `sft` part in `data`; its scores stay in `folder`, and a stopped job goes on.

    Returns `scored`, `kept` and `mean_score`. TrainingError if nothing is kept.
    """
    painter = open_task_painter(task, task.run.batch)
    loader = Loader(task.run.places, "reward", devices_of(task).scorers)
    quality, alignment = map(loader.scorer, task.filter_scorers)
    decides = {
        "model": task.run.model,
        "weights": painter.model_hash(),
        "steps": task.paint_steps,
        "cfg": task.cfg,
        "sampler": task.sampler,
        "size": task.run.size or "",
        "scorers": list(task.filter_scorers),
        "sources": sorted(task.run.source),
    }
    pairs, settings = pairs_to_filter(task, data), confidence_of(task)
    found = save_confident(pairs, painter, (quality, alignment), settings, folder, decides, data / CONFIDENT)
    if not found["kept"]:
        raise TrainingError(
            f"the confidence filter kept none of {len(pairs)} pairs (mean score {found['mean_score']:.3f}, "
            f"{settings.sigma:g} is needed); score more with --filter-pairs, or none with --filter-pairs 0"
        )
    return {"scored": found["read"], "kept": found["kept"], "mean_score": found["mean_score"]}
