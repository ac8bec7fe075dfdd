"""`provenance`: where a picture comes from, whether it still is that picture, and the picture painted again."""

from __future__ import annotations

from dataclasses import MISSING, asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..flags import flag, word
from ..paint.choice import MODEL_HELP, OnDevice
from . import Command, Result
from .shared import Folders

if TYPE_CHECKING:
    from ..provenance.origin import Origin


@dataclass(frozen=True, kw_only=True)
class Settings(Folders, OnDevice):
    """What `provenance` takes."""

    image: Path = word(MISSING, "PNG, WebP or JPEG from negopt, ComfyUI, A1111, Forge", metavar="IMAGE")
    replay: bool = flag(False, "paint it again and compare")
    model: str | None = flag(None, f"for --replay: {MODEL_HELP}", shown="the record's own")
    output: Path = flag(Path("out/replay"), "for --replay: folder of the picture", "o", "output", metavar="DIR")


def run(settings: Settings) -> Result:
    """Print the provenance; exit code 1 if something does not match."""
    from ..provenance.origin import read_origin
    from ..provenance.replay import replay
    from ..provenance.verify import DIFFERS, verify

    origin = read_origin(settings.image)
    checks = verify(settings.image, origin, settings.policies)
    values: dict[str, Any] = {"provenance": origin.to_json(), "checks": [asdict(check) for check in checks]}
    lines = [*_shown(origin), *(f"{c.what:10} {c.outcome}{f': {c.why}' if c.why else ''}" for c in checks)]
    has_other_weights = False
    if settings.replay:
        again = values["replay"] = replay(settings.image, origin, settings.output, settings.model, settings.device)
        lines += _replayed(again, origin)
        has_other_weights = again["same_weights"] is False
    code = int(has_other_weights or any(check.outcome == DIFFERS for check in checks))
    return Result(values, "\n".join(lines), code)


def _replayed(told: dict[str, Any], origin: Origin) -> list[str]:
    same = "bit for bit the same" if told["identical"] else f"pixels differ by {told['mean_difference']:.4f} (0 to 1)"
    lines = [f"{'replay':10} {told['image']}: {same}"]
    if told["same_weights"] is False:
        found, recorded = told["model_hash"], origin.sampling["model_hash"]
        lines.append(f"{'weights':10} differ: painted again with {found}, the picture was made with {recorded}")
    return lines


def _shown(origin: Origin) -> list[str]:
    wrote = (
        f"{origin.policy} ({origin.policy_licence or 'licence not told'})" if origin.policy else "nobody but the user"
    )
    settings = ", ".join(f"{name} {value}" for name, value in origin.sampling.items())
    lines = {
        "host": f"{origin.host} {', '.join(f'{name} {value}' for name, value in origin.versions.items())}",
        "prompt": origin.prompt,
        "positive": origin.df_positive,
        "negative": origin.df_negative or "(none)",
        "written by": wrote,
        "sampling": settings,
        "scores": ", ".join(f"{name} {value:.3f}" for name, value in origin.scores.items()) or "(none)",
    }
    return [f"{name:10} {value}" for name, value in lines.items()]


COMMANDS = (Command("", "", Settings, run),)
