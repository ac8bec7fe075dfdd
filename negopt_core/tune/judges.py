"""Who may judge the pictures of a run in a host: clicks, the demo world's judges, scorers whose weights are here."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import ModelError, PromptError
from ..paint.choice import WORLD
from ..scorers.clip_folder import check_folder
from ..scorers.table import CLIP, REAL, REFEREE, SCORERS, WORLD_REWARD, Loader, as_referee, read_weights
from .start import CLICKS

WORLD_JUDGE = "demo world"
TOGETHER = {"aesthetic": 1.0, "clip": 20.0, "pickscore": 1.0}
"""What scorers count in a sum: PAE's weights (arXiv 2404.04095), without its floors.

The report shows each of them alone as well.
"""
_AND = " + "
_THUMBNAIL = 384
"""Longer side of the copies that are kept, in pixels."""


class NoSuchJudge(PromptError):
    """A judge that is not here, or that does not judge pictures of this model."""


@dataclass
class Judge:
    """Scorers and their weights; {} where only clicks count. Networks are loaded with the first picture."""

    weights: Mapping[str, float]
    places: Mapping[str, str]
    words_of: Callable[[str], str]
    """From DF-Prompt text to what a scorer reads."""
    referee: Mapping[str, float] = field(default_factory=dict)
    """Weights of who judges the last check, if it is somebody else."""
    _loaded: dict[str, Any] = field(default_factory=dict, repr=False)

    def score(self, path: Path, prompt: str, is_last_check: bool = False) -> dict[str, float]:
        """By scorer; `prompt` is DF-Prompt text. ModelError for what is no finite number."""
        from ..paint.pictures import read_image

        image = read_image(path)[None]
        found = {}
        for name in [*self.weights, *(self.referee if is_last_check else ())]:
            if name not in self._loaded:
                self._load()
            found[name] = float(self._loaded[name](image, [self.words_of(prompt)])[0])
            if not math.isfinite(found[name]):
                raise ModelError(
                    f"{name} gave {path.name} no finite number; look at the picture and the scorer's weights"
                )
        return found

    def _load(self) -> None:
        """All at once, so that those that need the same network share it; on the CPU, as the GPU is the host's."""
        judges = Loader(self.places, "reward", "cpu")
        referees = replace(judges, role="eval")  # with the same networks
        self._loaded |= {name: judges.scorer(name) for name in self.weights}
        self._loaded |= {name: referees.scorer(name.removeprefix(REFEREE)) for name in self.referee}


def find_judge(
    name: str, family: str, places: Mapping[str, str], folder: Path, words_of: Callable[[str], str]
) -> Judge:
    """NoSuchJudge for a judge that is not here, and for the demo world's where another model paints.

    `folder` is where weights go, for the remedy.
    """
    if name == CLICKS:
        return Judge({}, {}, words_of)
    if name == WORLD_JUDGE:
        if family != WORLD:
            raise NoSuchJudge(
                f"{name} judges pictures of the demo model only, this one is of family {family[:40] or 'unknown'!r}; "
                f"choose {CLICKS!r}, or put a scorer's weights into {folder}"
            )
        weights = read_weights(WORLD_REWARD)
        return Judge(weights, {}, words_of, as_referee(weights))
    parts = name.split(_AND)
    if not set(parts) <= set(_scorers(places)) or (len(parts) > 1 and not set(parts) <= TOGETHER.keys()):
        raise NoSuchJudge(f"the judge {name[:60]!r} is not here; choose {CLICKS!r}, or put its weights into {folder}")
    return Judge({part: TOGETHER[part] if len(parts) > 1 else 1.0 for part in parts}, places, words_of)


def judges_for(family: str, places: Mapping[str, str]) -> list[str]:
    """Names for the menu, the best first."""
    if family == WORLD:
        return [WORLD_JUDGE, CLICKS]
    names = _scorers(places)
    several = [name for name in TOGETHER if name in names]
    return [*names, *([_AND.join(several)] if len(several) > 1 else []), CLICKS]


def _scorers(places: Mapping[str, str]) -> list[str]:
    return [name for name in REAL if SCORERS[name].needs and all(part in places for part in SCORERS[name].needs)]


def places_in(folder: Path, clip_folders: Iterable[Path] = ()) -> dict[str, str]:
    """Weights by name: all in `folder`; a whole CLIP, as a folder, may also lie in one of `clip_folders`."""
    found = {}
    for path in _entries(clip_folders):
        if not check_folder(path):
            found[CLIP] = str(path)
    for path in _entries([folder]):
        found[path.stem if path.suffix == ".safetensors" else path.name] = str(path)
    return found


def _entries(folders: Iterable[Path]) -> list[Path]:
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
