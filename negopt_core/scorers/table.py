"""Scorers by name: the demo world's own, and those whose weights are somewhere on this machine or named on the hub."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PromptError
from ..flags import flag
from ..paint.choice import paints_world

if TYPE_CHECKING:
    from .base import Scorer

WORLD = ("world-quality", "world-alignment", "world-fidelity")
CLIP, PICKSCORE, AESTHETIC, HPS, FIDELITY = "clip", "pickscore", "aesthetic", "hps", "fidelity"
INCEPTION = "inception"
NAMES = (*WORLD, CLIP, PICKSCORE, AESTHETIC, HPS, FIDELITY)
SOURCE_HELP = (
    "weights of a scorer: clip=DIR, pickscore=DIR, hps=DIR (transformers folder or hf:owner/name), "
    "aesthetic=HEAD.safetensors (made by `convert aesthetic`; uses the clip source), inception=FILE.safetensors (made "
    "by `convert inception`; for fidelity), fidelity=FOLDER (pictures to compare with, such as the model's own plain "
    "ones; without it, all classes are alike)"
)
WORLD_JUDGES = ("world-quality", "world-alignment")
WORLD_REWARD = "world-quality:1,world-alignment:3"
"""What a picture of the demo world is worth, unless somebody says otherwise."""
REWARD_HELP = (
    "scorer:weight[:floor][:plain[=share]],...; plain: measured against the plain prompt's picture, same noise"
)
_PICTURES = (".png", ".jpg", ".jpeg", ".webp")
_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where the weights of scorers are, as a user says it."""

    source: tuple[str, ...] = flag((), SOURCE_HELP, metavar="SCORER=PLACE")

    @property
    def places(self) -> dict[str, str]:
        """Places by name of the scorer."""
        return dict(text.partition("=")[::2] for text in self.source)


def toys_among(model: str, names: Iterable[str]) -> list[str]:
    """The demo world's judges among scorers and metrics, if `model` is another model (but a world of one's own)."""
    toys = sorted(name for name in names if name.startswith("world-"))
    return [] if paints_world(model) or (Path(model).expanduser() / "judges").is_dir() else toys


def refuse_toys(model: str, names: Iterable[str], flag: str) -> None:
    """PromptError where the demo world's judges are asked about another model's pictures; called before painting."""
    toys = toys_among(model, names)
    if not toys:
        return
    raise PromptError(
        f"{', '.join(toys)} judge pictures of negopt's small demo world and know nothing of other models; for real "
        f"pictures name aesthetic, clip, pickscore, hps or fidelity with {flag}, and their weights with --source"
    )


def reward_names(line: str) -> list[str]:
    """The scorers in `scorer:weight...,...`."""
    return [part.strip().partition(":")[0] for part in line.split(",")]


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
    if name == FIDELITY:
        return _fidelity(places)
    from .aesthetic import AestheticScorer
    from .clip import ClipScorer, HpsScorer, PickScorer
    from .embed import Embedder

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
    needed = {AESTHETIC: (AESTHETIC, CLIP), FIDELITY: (INCEPTION,)}.get(name, (name,))
    reference = [_reference_hash(places[FIDELITY])] if name == FIDELITY and places.get(FIDELITY) else []
    return " ".join([name, *(hash_place(_place(one, places)) for one in needed), *reference])


def _fidelity(places: Mapping[str, str]) -> Scorer:
    """NegOpt's third term on Inception's classes; the marginal is that of a folder of pictures, or uniform.

    ImageNet, which Inception learned, has about as many pictures of each class: that is the uniform marginal.
    """
    import torch

    from ..paint.pictures import read_image
    from .features import WIDTH, load_inception
    from .fidelity import FidelityScorer

    extract = load_inception(Path(_place(INCEPTION, places)).expanduser())

    def classify(images: torch.Tensor) -> torch.Tensor:
        return extract(images)[:, WIDTH:].float()

    if not places.get(FIDELITY):
        count = classify(torch.zeros(1, 3, 299, 299)).shape[1]
        return FidelityScorer(classify, torch.full((count,), 1.0 / count), FIDELITY)
    rows = [classify(read_image(path)[None]) for path in _pictures(places[FIDELITY])]
    return FidelityScorer(classify, torch.cat(rows).mean(dim=0), FIDELITY)


def _pictures(place: str) -> list[Path]:
    """The pictures of a folder, at least two; PromptError if there are fewer."""
    found = sorted(path for path in Path(place).expanduser().rglob("*") if path.suffix.lower() in _PICTURES)
    if len(found) < 2:
        raise PromptError(
            f"{place} holds {len(found)} pictures ({', '.join(_PICTURES)}); fidelity compares with at least 2"
        )
    return found


def _reference_hash(place: str) -> str:
    digest = hashlib.sha256()
    for path in _pictures(place):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


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
