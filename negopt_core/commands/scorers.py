"""Scorers by name, for `score` and `train ppo`: the demo world's own, and those that need weights from somewhere."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PromptError

if TYPE_CHECKING:
    from ..reward.base import Scorer

WORLD = ("world-quality", "world-alignment", "world-fidelity")
CLIP, PICKSCORE, AESTHETIC = "clip", "pickscore", "aesthetic"
NAMES = (*WORLD, CLIP, PICKSCORE, AESTHETIC)


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Declare `--source`."""
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="SCORER=PLACE",
        help="weights of a scorer: clip=DIR, pickscore=DIR (transformers folder or hf:owner/name), "
        "aesthetic=HEAD.safetensors (made by `convert aesthetic`; uses the clip source)",
    )


def load_named(name: str, sources: Sequence[str], role: str) -> Scorer:
    """A scorer by name. `role` chooses the demo world's judge: "reward" in training, "eval" for reports."""
    from ..world.judges import load_scorer

    if name in WORLD:
        return load_scorer(name, role)
    if name not in NAMES:
        raise PromptError(f"no scorer is called {name!r}; there are {', '.join(NAMES)}")
    from ..reward.aesthetic import AestheticScorer
    from ..reward.clip import ClipScorer, PickScorer
    from ..reward.embed import Embedder

    places = dict(source.partition("=")[::2] for source in sources)
    embedder = Embedder.load(_place(PICKSCORE if name == PICKSCORE else CLIP, places))
    if name == CLIP:
        return ClipScorer(embedder)
    if name == PICKSCORE:
        return PickScorer(embedder)
    return AestheticScorer.load(Path(_place(AESTHETIC, places)), embedder)


def _place(name: str, places: dict[str, str]) -> str:
    if not places.get(name):
        raise PromptError(f"the weights of {name} are not here; say where they are with --source {name}=PLACE")
    return places[name]
