"""The table of scorers: how each is loaded, which weights it needs, and what to say where they are not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import PromptError
from ..files import hash_files
from ..flags import flag
from ..paint.choice import paints_world

if TYPE_CHECKING:
    from ..measure.set_metrics import Extract
    from ..world.judges import Judge
    from .base import Scorer
    from .embed import Embedder

Network = TypeVar("Network")
WORLD_JUDGES = ("world-quality", "world-alignment")
REFEREE = "referee "
"""Before the name of a scorer that judges the last check."""
WORLD_REWARD = "world-quality:1,world-alignment:3"
"""What a picture of the demo world is worth, unless somebody says otherwise."""
REWARD_HELP = (
    "scorer:weight[:floor][:plain[=share]],...; plain: measured against the plain prompt's picture, same noise"
)
Places = Mapping[str, str]
"""Name of weights -> a path, or `hf:owner/name`."""
CLIP, PICKSCORE, AESTHETIC, HPS, FIDELITY = "clip", "pickscore", "aesthetic", "hps", "fidelity"
HPSV3, INCEPTION = "hpsv3", "inception"
_PICTURES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True, slots=True)
class ScorerRow:
    """One row of the table."""

    load: Callable[[Loader], Scorer]
    needs: tuple[str, ...] = ()
    """Names of the weights that somebody has to have; () where none are needed, or where they come with negopt."""
    hint: str = ""
    """What to give as SCORER=PLACE."""


@dataclass(frozen=True, slots=True)
class Loader:
    """Loads scorers and set metrics; those that name the same weights get the same network, loaded once."""

    places: Places
    """Where weights are."""
    role: str
    """The demo world's judge: "reward" in training, "eval" for reports."""
    device: str = "auto"
    """Of CLIP, HPSv3 and Inception, "auto" is the GPU if there is one; the world's judges stay on the CPU."""
    _networks: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False, compare=False)

    def scorer(self, name: str) -> Scorer:
        """PromptError for an unknown name or weights that nobody named, ModelError for broken ones."""
        if name not in SCORERS:
            raise PromptError(f"no scorer is called {name!r}; there are {', '.join(NAMES)}")
        for need in SCORERS[name].needs:
            place_of(need, self.places)
        return SCORERS[name].load(self)

    def embedder(self, name: str) -> Embedder:
        """The CLIP at the place of `name`."""
        from .embed import Embedder

        return self._once(CLIP, place_of(name, self.places), lambda place: Embedder.load(place, self.device))

    def inception(self) -> Extract:
        """Pooled features and posteriors of torch-fidelity's Inception."""
        from . import features

        def load(place: str) -> Extract:
            return features.load_inception(Path(place).expanduser(), self.device)

        return self._once(INCEPTION, place_of(INCEPTION, self.places), load)

    def judge(self) -> Judge:
        """The demo world's."""
        from ..world.judges import shipped_judge

        return self._once("world", self.role, shipped_judge)

    def _once(self, kind: str, place: str, load: Callable[[str], Network]) -> Network:
        local = Path(place).expanduser()
        key = (kind, str(local.resolve()) if local.exists() else place)
        if key not in self._networks:
            self._networks[key] = load(place)
        network: Network = self._networks[key]
        return network


def _world_quality(loader: Loader) -> Scorer:
    from ..world.judges import QualityScorer

    return QualityScorer(loader.judge())


def _world_alignment(loader: Loader) -> Scorer:
    from ..world.judges import AlignmentScorer

    return AlignmentScorer(loader.judge())


def _world_fidelity(loader: Loader) -> Scorer:
    from ..world.judges import fidelity_scorer

    return fidelity_scorer(loader.judge())


def _clip(loader: Loader) -> Scorer:
    from .clip import ClipScorer

    return ClipScorer(loader.embedder(CLIP))


def _pickscore(loader: Loader) -> Scorer:
    from .clip import PickScorer

    return PickScorer(loader.embedder(PICKSCORE))


def _hps(loader: Loader) -> Scorer:
    from .clip import HpsScorer

    return HpsScorer(loader.embedder(HPS))


def _hpsv3(loader: Loader) -> Scorer:
    from .hpsv3 import Hpsv3Scorer

    return loader._once(HPSV3, loader.places[HPSV3], lambda place: Hpsv3Scorer.load(place, loader.device))


def _aesthetic(loader: Loader) -> Scorer:
    from .aesthetic import AestheticScorer

    return AestheticScorer.load(Path(loader.places[AESTHETIC]).expanduser(), loader.embedder(CLIP))


def _fidelity(loader: Loader) -> Scorer:
    """NegOpt's third term on Inception's classes; the marginal is that of a folder of pictures, or uniform.

    ImageNet, which Inception learned, has about as many pictures of each class: that is the uniform marginal.
    """
    import torch

    from ..paint.pictures import read_image
    from .features import WIDTH
    from .fidelity import FidelityScorer

    extract = loader.inception()

    def classify(images: torch.Tensor) -> torch.Tensor:
        return extract(images)[:, WIDTH:].float()

    if not (folder := loader.places.get(FIDELITY)):
        count = classify(torch.zeros(1, 3, 299, 299)).shape[1]
        return FidelityScorer(classify, torch.full((count,), 1.0 / count), FIDELITY)
    rows = [classify(read_image(path)[None]) for path in _pictures(folder)]
    return FidelityScorer(classify, torch.cat(rows).mean(dim=0), FIDELITY)


SCORERS: Mapping[str, ScorerRow] = {
    "world-quality": ScorerRow(_world_quality),
    "world-alignment": ScorerRow(_world_alignment),
    "world-fidelity": ScorerRow(_world_fidelity),
    CLIP: ScorerRow(_clip, (CLIP,), "clip=DIR"),
    PICKSCORE: ScorerRow(_pickscore, (PICKSCORE,), "pickscore=DIR"),
    AESTHETIC: ScorerRow(
        _aesthetic,
        (AESTHETIC, CLIP),
        "aesthetic=HEAD.safetensors (made by `convert aesthetic`; uses the clip source)",
    ),
    HPS: ScorerRow(_hps, (HPS,), "hps=DIR (a DIR is a transformers folder or hf:owner/name)"),
    HPSV3: ScorerRow(_hpsv3, (HPSV3,), "hpsv3=DIR (HPSv3.safetensors and Qwen2-VL's files, or hf:MizzenAI/HPSv3)"),
    FIDELITY: ScorerRow(
        _fidelity,
        (INCEPTION,),
        "inception=FILE.safetensors (made by `convert inception`; for fidelity), fidelity=FOLDER (pictures to compare "
        "with, such as the model's own plain ones; without it, all classes are alike)",
    ),
}
"""Every scorer of single pictures by name. A new one is a file with its class, and a row here."""
NAMES = tuple(SCORERS)
WORLD = tuple(name for name in SCORERS if name.startswith("world-"))
"""The demo world's judges."""
REAL = tuple(name for name in SCORERS if name not in WORLD)
"""Scorers of pictures of any model."""
SET_METRICS: Mapping[str, tuple[str, ...]] = {
    "is": (INCEPTION,),
    "world-is": (),
    "fid": (INCEPTION,),
    "cmmd": (CLIP,),
    "world-fid": (),
}
"""Every measure of a whole set of pictures (`features.load_set_metric`) and the weights that it needs."""
SOURCE_HELP = "weights of a scorer: " + ", ".join(row.hint for row in SCORERS.values() if row.hint)


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


def refuse_toys(model: str, names: Iterable[str], flag: str, weights: str = "their weights with --source") -> None:
    """PromptError where the demo world's judges are asked about another model's pictures; called before painting.

    `flag` and `weights` say where the caller takes other scorers and their weights.
    """
    toys = toys_among(model, names)
    if not toys:
        return
    raise PromptError(
        f"{', '.join(toys)} judge pictures of negopt's small demo world and know nothing of other models; for real "
        f"pictures name {', '.join(REAL[:-1])} or {REAL[-1]} with {flag}, and {weights}"
    )


def reward_names(line: str) -> list[str]:
    """The scorers in `scorer:weight...,...`."""
    return [part.strip().partition(":")[0] for part in line.split(",")]


def read_weights(line: str) -> dict[str, float]:
    """`scorer:weight,...` as weights by name, 1 where none is given; {} for no line. PromptError for anything else."""
    found = {}
    for part in filter(None, (one.strip() for one in line.split(","))):
        name, _, number = part.partition(":")
        try:
            found[name] = float(number or 1.0)
        except ValueError as error:
            raise PromptError(f"a reward is scorer:weight,... with numbers, got {part!r}") from error
    return found


def as_referee(weights: Mapping[str, float]) -> dict[str, float]:
    """The same scorers as judges of a last check: under names of their own, loaded as `Loader`'s role "eval"."""
    return {f"{REFEREE}{name}": weight for name, weight in weights.items()}


def load_named(name: str, places: Places, role: str, device: str = "auto") -> Scorer:
    """One scorer by name, as `Loader.scorer` loads it; several that are to share their networks need one `Loader`."""
    return Loader(places, role, device).scorer(name)


def identify(name: str, places: Places, role: str) -> str:
    """What a scorer's scores depend on: its name and a hash of its weights (on the hub: the name they go by)."""
    if name in WORLD:
        from ..world import world_dir

        return f"{name} {hash_place(str(world_dir() / 'judges' / f'{role}.safetensors'))}"
    reference = [hash_files(_pictures(places[FIDELITY]))[:16]] if name == FIDELITY and places.get(FIDELITY) else []
    return " ".join([name, *(hash_place(place_of(one, places)) for one in SCORERS[name].needs), *reference])


def place_of(name: str, places: Places) -> str:
    """Where weights are; PromptError, with what to do, if nobody said so."""
    if not places.get(name):
        how = f"; make it with `convert {name} FILE`" if name in (INCEPTION, AESTHETIC) else ""
        raise PromptError(f"the weights of {name} are not here; say where they are with --source {name}=PLACE{how}")
    return places[name]


def _pictures(place: str) -> list[Path]:
    """The pictures of a folder, at least two; PromptError if there are fewer."""
    paths = sorted(path for path in Path(place).expanduser().rglob("*") if path.suffix.lower() in _PICTURES)
    if len(paths) < 2:
        raise PromptError(
            f"{place} holds {len(paths)} pictures ({', '.join(_PICTURES)}); fidelity compares with at least 2"
        )
    return paths


def hash_place(place: str) -> str:
    """SHA-256 of a file, or of a folder's JSON and safetensors files; the text itself where it is no path here."""
    path = Path(place).expanduser()
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in (".safetensors", ".json"))
    if not files:
        return place
    return hash_files(files)[:16]
