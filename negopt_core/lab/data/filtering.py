"""`data filter` as one function: pairs painted with and without their answer, scored, and kept if the answer helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import PromptError
from ...files import check_folder
from ...paint.base import Painter
from ...paint.choice import WORLD
from ...paint.diffusers_painter import load_painter
from ...scorers.base import Scorer
from ...scorers.table import NAMES, WORLD_JUDGES, Loader
from ..jobs.run import RunFolder
from .confidence import keep_confident, score_pairs
from .pairs import Pair, no_pairs, read_pairs, save_pairs
from .settings import ConfidenceSettings, FilterRun

_AT_ONCE = 32
"""Pictures painted at the same time at most."""


def filter_pairs(run: FilterRun) -> dict[str, Any]:
    """Write the pairs that reach sigma; scores that were found before are not found again.

    Returns `file`, `read`, `kept`, `sha256`, `run`, `mean_score`. TrainingError for a run folder whose scores come from
    other settings.
    """
    confidence = run.confidence
    check_folder(run.output.parent)
    pairs = read_pairs(run.file, confidence.polarity)
    if not pairs:
        raise no_pairs(run.file, confidence.polarity)
    choice = run.choice(run.model)
    usual = WORLD_JUDGES if choice.model == WORLD else ("aesthetic", "clip")
    names = [run.quality or usual[0], run.alignment or usual[1]]
    for name in names:
        if name not in NAMES:
            raise PromptError(f"no scorer is called {name!r}; there are {', '.join(NAMES)}")
    quality, alignment = map(Loader(run.places, "reward").scorer, names)
    at_once = min(_AT_ONCE, confidence.batch * confidence.pictures)
    paint = choice.settings(batch_size=at_once)
    painter = load_painter(choice.path, paint, device=run.device)
    decides = {
        "model": run.model,
        "weights": painter.model_hash(),
        "steps": choice.steps,
        "cfg": choice.cfg,
        "scorers": names,
        "sources": sorted(run.source),
    }
    return save_confident(pairs, painter, (quality, alignment), confidence, run.folder, decides, run.output)


def save_confident(
    pairs: Sequence[Pair],
    painter: Painter,
    scorers: tuple[Scorer, Scorer],
    confidence: ConfidenceSettings,
    folder: Path,
    decides: Mapping[str, Any],
    output: Path,
) -> dict[str, Any]:
    """Score pairs with the paper's aes and CLIP, `scorers`, and write those that reach sigma to `output`.

    The scores stay in `folder`, whose job `decides` describes. Returns what `filter_pairs` does.
    """
    cache = RunFolder.open(folder, dict(decides)).folder / "scores.jsonl"
    scores = score_pairs(pairs, painter, *scorers, confidence, cache)
    kept = keep_confident(pairs, scores, confidence.sigma)
    return {
        "file": str(output),
        "read": len(pairs),
        "kept": len(kept),
        "sha256": save_pairs(output, kept, confidence.polarity),
        "run": str(folder),
        "mean_score": sum(scores) / len(scores),
    }
