"""Scorers by name: the demo world's own, and those whose weights are somewhere on this machine or named on the hub."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PromptError

if TYPE_CHECKING:
    from ..reward.base import Scorer

WORLD = ("world-quality", "world-alignment", "world-fidelity")
CLIP, PICKSCORE, AESTHETIC, HPS = "clip", "pickscore", "aesthetic", "hps"
NAMES = (*WORLD, CLIP, PICKSCORE, AESTHETIC, HPS)
SOURCE_HELP = (
    "weights of a scorer: clip=DIR, pickscore=DIR, hps=DIR (transformers folder or hf:owner/name), "
    "aesthetic=HEAD.safetensors (made by `convert aesthetic`; uses the clip source)"
)
_BLOCK = 1 << 20


def load_named(name: str, places: Mapping[str, str], role: str, device: str = "cpu") -> Scorer:
    """A scorer by name.

    `places` says where weights are; `role` chooses the demo world's judge: "reward" in training, "eval" for reports;
    `device` is for scorers built on CLIP, the world's judges stay on the CPU. Raises PromptError for an unknown name or
    weights that nobody named, ModelError for broken ones.
    """
    from ..world.judges import load_scorer

    if name in WORLD:
        return load_scorer(name, role)
    if name not in NAMES:
        raise PromptError(f"no scorer is called {name!r}; there are {', '.join(NAMES)}")
    from ..reward.aesthetic import AestheticScorer
    from ..reward.clip import ClipScorer, HpsScorer, PickScorer
    from ..reward.embed import Embedder

    embedder = Embedder.load(_place(CLIP if name == AESTHETIC else name, places), device)
    if name == AESTHETIC:
        return AestheticScorer.load(Path(_place(AESTHETIC, places)).expanduser(), embedder)
    if name == HPS:
        return HpsScorer(embedder)
    return ClipScorer(embedder) if name == CLIP else PickScorer(embedder)


def identify(name: str, places: Mapping[str, str], role: str) -> str:
    """What a scorer's scores depend on: its name and a hash of its weights (on the hub: the name they go by)."""
    if name in WORLD:
        from ..world import world_dir

        return f"{name} {hash_place(str(world_dir() / 'judges' / f'{role}.safetensors'))}"
    needed = (AESTHETIC, CLIP) if name == AESTHETIC else (name,)
    return " ".join([name, *(hash_place(_place(one, places)) for one in needed)])


def hash_place(place: str) -> str:
    """SHA-256 of a file, or of a folder's JSON and safetensors files; the text itself where it is no path here."""
    path = Path(place).expanduser()
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in (".safetensors", ".json"))
    if not files:
        return place
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()[:16]


def _place(name: str, places: Mapping[str, str]) -> str:
    if not places.get(name):
        raise PromptError(f"the weights of {name} are not here; say where they are with --source {name}=PLACE")
    return places[name]
