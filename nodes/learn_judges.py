"""Who may judge the pictures of a run: clicks, the demo world's judges, and scorers whose weights are here."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..negopt_core.errors import ModelError
from ..negopt_core.paint.choice import WORLD
from ..negopt_core.scorers.clip_folder import check_folder
from ..negopt_core.scorers.table import CLIP, REAL, REFEREE, SCORERS, WORLD_REWARD, Loader, as_referee, read_weights
from .api_read import RequestError
from .learn_read import CLICKS, words_of
from .studio import scorer_folder

WORLD_JUDGE = "demo world"
_THUMBNAIL = 384
"""Longer side of the copies that are kept, in pixels."""


@dataclass
class Judge:
    """Scorers and their weights; {} where only clicks count. Networks are loaded with the first picture."""

    weights: Mapping[str, float]
    places: Mapping[str, str]
    referee: Mapping[str, float] = field(default_factory=dict)
    """Weights of who judges the last check, if it is somebody else."""
    _loaded: dict[str, Any] = field(default_factory=dict, repr=False)

    def score(self, path: Path, prompt: str, is_last_check: bool = False) -> dict[str, float]:
        """By scorer; `prompt` is DF-Prompt text. ModelError for what is no finite number."""
        from ..negopt_core.paint.pictures import read_image

        image = read_image(path)[None]
        found = {}
        for name in [*self.weights, *(self.referee if is_last_check else ())]:
            if name not in self._loaded:
                self._load()
            found[name] = float(self._loaded[name](image, [words_of(prompt)])[0])
            if not math.isfinite(found[name]):
                raise ModelError(
                    f"{name} gave {path.name} no finite number; look at the picture and the scorer's weights"
                )
        return found

    def _load(self) -> None:
        """All at once, so that those that need the same network share it; on the CPU, as the GPU is ComfyUI's."""
        judges = Loader(self.places, "reward", "cpu")
        referees = replace(judges, role="eval")  # with the same networks
        self._loaded |= {name: judges.scorer(name) for name in self.weights}
        self._loaded |= {name: referees.scorer(name.removeprefix(REFEREE)) for name in self.referee}


def find_judge(name: str, family: str) -> Judge:
    """RequestError for a judge that is not here, and for the demo world's where another model paints."""
    if name == CLICKS:
        return Judge({}, {})
    if name == WORLD_JUDGE:
        if family != WORLD:
            raise RequestError(
                400,
                "no-such-judge",
                f"{name} judges pictures of the demo model only, this one is of family {family[:40] or 'unknown'!r}; "
                f"choose {CLICKS!r}, or put a scorer's weights into {scorer_folder()}",
            )
        weights = read_weights(WORLD_REWARD)
        return Judge(weights, {}, as_referee(weights))
    places = scorer_places()
    if name not in _scorers(places):
        raise RequestError(
            404,
            "no-such-judge",
            f"the judge {name[:60]!r} is not here; choose {CLICKS!r}, or put its weights into {scorer_folder()}",
        )
    return Judge({name: 1.0}, places)


def judges_for(family: str) -> list[str]:
    """Names for the menu, the best first."""
    return [*([WORLD_JUDGE] if family == WORLD else _scorers(scorer_places())), CLICKS]


def _scorers(places: Mapping[str, str]) -> list[str]:
    return [name for name in REAL if SCORERS[name].needs and all(part in places for part in SCORERS[name].needs)]


def scorer_places() -> dict[str, str]:
    """Weights by name: in `models/negopt_scorers`; a whole CLIP, as a folder, may also lie in `models/clip_vision`."""
    found = {}
    for path in _entries(_clip_folders()):
        if not check_folder(path):
            found[CLIP] = str(path)
    for path in _entries([scorer_folder()]):
        found[path.stem if path.suffix == ".safetensors" else path.name] = str(path)
    return found


def _clip_folders() -> list[Path]:
    import folder_paths

    return [Path(one) for one in folder_paths.get_folder_paths("clip_vision")]


def _entries(folders: list[Path]) -> list[Path]:
    return [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]


def thumbnail(path: Path) -> bytes:
    """A small JPEG of a picture."""
    from PIL import Image

    with Image.open(path) as image:
        small = image.convert("RGB")
        small.thumbnail((_THUMBNAIL, _THUMBNAIL))
        stream = io.BytesIO()
        small.save(stream, "JPEG", quality=88)
    return stream.getvalue()
