"""Who may judge the pictures of a run in this ComfyUI."""

from __future__ import annotations

from pathlib import Path

from ..negopt_core.tune import judges
from ..negopt_core.tune.judges import WORLD_JUDGE, Judge, NoSuchJudge
from .api_read import RequestError
from .learn_read import words_of
from .studio import scorer_folder


def find_judge(name: str, family: str) -> Judge:
    """RequestError for a judge that is not here, and for the demo world's where another model paints."""
    try:
        return judges.find_judge(name, family, _places(), scorer_folder(), words_of)
    except NoSuchJudge as error:
        raise RequestError(400 if name == WORLD_JUDGE else 404, "no-such-judge", str(error)) from None


def judges_for(family: str) -> list[str]:
    """Names for the menu, the best first."""
    return judges.judges_for(family, _places())


def _places() -> dict[str, str]:
    """Weights by name: in `models/negopt_scorers`; a whole CLIP, as a folder, may also lie in `models/clip_vision`."""
    import folder_paths

    return judges.places_in(scorer_folder(), [Path(one) for one in folder_paths.get_folder_paths("clip_vision")])
