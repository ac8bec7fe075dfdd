"""`score`: what the scorers think of picture files."""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from pathlib import Path

from ..errors import OutputError, PromptError
from ..flags import flag, word
from ..scorers.table import NAMES, WORLD, WORLD_JUDGES, Loader, Sources, refuse_toys
from . import Command, Result
from .shared import names_in


@dataclass(frozen=True, kw_only=True)
class Settings(Sources):
    """What `score` takes."""

    images: tuple[Path, ...] = word(MISSING, "pictures", nargs="+", metavar="IMAGE")
    prompt: str | None = flag(None, "the prompt", shown="the one in each picture's own record")
    scorers: str | None = flag(
        None,
        f"names with commas between, of {', '.join(NAMES)}",
        shown=f"{','.join(WORLD_JUDGES)} for the demo world's pictures",
    )


def run(settings: Settings) -> Result:
    """One row per picture."""
    from ..paint.pictures import read_image
    from ..provenance.record import read_picture

    names = _names(settings)
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


def _names(settings: Settings) -> list[str]:
    """The scorers. The demo world's judges see no picture that says that another model painted it.

    Raises PromptError, also where nobody is named and not every picture says that the demo world painted it.
    """
    names = names_in(",".join(WORLD_JUDGES) if settings.scorers is None else settings.scorers)
    if not names:
        raise PromptError(f"--scorers takes one or more of {', '.join(NAMES)}, got {settings.scorers!r}")
    if not any(name in WORLD for name in names):
        return names
    models = {path: _model_of(path) for path in settings.images if path.exists()}
    unknown = [path for path, model in models.items() if not model]
    if settings.scorers is None and unknown:
        raise PromptError(
            f"{unknown[0]} does not say what painted it, and the demo world's judges, which are "
            f"asked if nobody is named, know its pictures alone; say --scorers, of {', '.join(NAMES)}"
        )
    for model in filter(None, models.values()):
        refuse_toys(model, names, "--scorers")
    return names


def _model_of(path: Path) -> str:
    from ..provenance.record import read_picture

    try:
        return read_picture(path).model
    except OutputError:
        return ""


COMMANDS = (Command("", "", Settings, run),)
