"""`score`: what the scorers think of picture files."""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from pathlib import Path

from ..errors import PromptError
from ..flags import flag, word
from ..scorers.table import NAMES, WORLD_JUDGES, Loader, Sources
from . import Command, Result
from .shared import names_in


@dataclass(frozen=True, kw_only=True)
class Settings(Sources):
    """What `score` takes."""

    images: tuple[Path, ...] = word(MISSING, "pictures", nargs="+", metavar="IMAGE")
    prompt: str | None = flag(None, "the prompt", shown="the one in each picture's own record")
    scorers: str = flag(",".join(WORLD_JUDGES), f"names with commas between, of {', '.join(NAMES)}")


def run(settings: Settings) -> Result:
    """One row per picture."""
    from ..paint.pictures import read_image
    from ..provenance.record import read_picture

    names = names_in(settings.scorers)
    if not names:
        raise PromptError(f"--scorers takes one or more of {', '.join(NAMES)}, got {settings.scorers!r}")
    scorers = list(map(Loader(settings.places, "eval").scorer, names))
    rows = []
    for path in settings.images:
        image = read_image(path)[None]
        prompt = settings.prompt if settings.prompt is not None else read_picture(path).prompt
        scores = {scorer.name: round(float(scorer(image, [prompt])[0]), 4) for scorer in scorers}
        rows.append({"image": str(path), "prompt": prompt, **scores})
    lines = [
        "  ".join([*(f"{row[scorer.name]:.2f} {scorer.name}" for scorer in scorers), str(row["image"])]) for row in rows
    ]
    return Result({"rows": rows}, "\n".join(lines))


COMMANDS = (Command("", "", Settings, run),)
