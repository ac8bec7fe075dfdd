"""`policies panel`: write a blind reading sheet, and count the verdicts of those who read it."""

from __future__ import annotations

from dataclasses import MISSING, asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..flags import flag, word
from ..lab.compare.arms import HELP as ARMS
from ..lab.compare.panel import KEY, SHEET, VERDICTS, beats, read_votes, standings, write_panel
from ..lab.compare.panel_arms import ask
from ..lab.data.settings import POLARITIES, POLARITY_HELP
from ..policy.store import default_policy
from . import Command, Result
from .shared import Folders

if TYPE_CHECKING:
    from ..measure.statistics import Interval

_FIGURES = ("first or tied", "first alone", "mean rank", "keep", "edit", "reject")
_HEAD = f"{'arm':24}{'prompts':>8}  " + "  ".join(f"{name:17}" for name in _FIGURES)


@dataclass(frozen=True, kw_only=True)
class Write(Folders):
    """What `policies panel write` takes."""

    prompts: Path = word(MISSING, "a prompt a line, or JSON Lines with `prompt` and perhaps `family`, `negative`")
    arm: tuple[str, ...] = flag((f"policy:{default_policy()}", "policy:rules"), ARMS, metavar="ARM")
    polarity: str = flag("negative", POLARITY_HELP, choices=POLARITIES, old=("mode",))
    seed: int = flag(0, "seed of the shuffling")
    output: Path = flag(MISSING, "folder to write", "o", "output", metavar="DIR")


@dataclass(frozen=True, kw_only=True)
class Read:
    """What `policies panel read` takes."""

    verdicts: tuple[Path, ...] = word(MISSING, f"filled-in copies of {VERDICTS}, one for each reader", nargs="+")
    key: Path = flag(MISSING, f"the {KEY} of the sheet", metavar="FILE")


def run_write(settings: Write) -> Result:
    """Ask every arm for every prompt."""
    entries = ask(settings.arm, settings.prompts, settings.polarity, settings.policies)
    write_panel(entries, settings.polarity, settings.seed, settings.output)
    places = (settings.output / SHEET, settings.output / VERDICTS, settings.output / "key" / KEY)
    values = {"folder": str(settings.output), "prompts": len(entries), "arms": list(settings.arm)}
    return Result(values, f"wrote {len(entries)} prompts: {', '.join(map(str, places))}")


def run_read(settings: Read) -> Result:
    """Count, and say of every pair who is before whom."""
    votes = read_votes(settings.verdicts, settings.key)
    found = standings(votes)
    lines = [_HEAD] + [
        f"{one.arm[-24:]:24}{one.prompts:8d}  "
        + "  ".join(_shown(value) for value in (one.first, one.alone, one.mean_rank, one.keep, one.edit, one.reject))
        for one in found
    ]
    pairs = {}
    for other in found[1:]:
        wins, ties = beats(votes, found[0].arm, other.arm)
        pairs[other.arm] = {"before": asdict(wins), "before_or_beside": asdict(ties)}
        lines.append(f"{found[0].arm} before {other.arm}: {_shown(wins)}; before it or beside it: {_shown(ties)}")
    values = {"readings": len(settings.verdicts), "arms": [asdict(one) for one in found], "first_arm_against": pairs}
    return Result(values, "\n".join(lines))


def _shown(value: Interval) -> str:
    return f"{value.value:.2f} [{value.low:.2f}, {value.high:.2f}]"


COMMANDS = (
    Command("panel write", f"write {SHEET}, a form for verdicts, and the key apart", Write, run_write),
    Command("panel read", "first places, mean rank, keep, edit and reject rates with intervals", Read, run_read),
)
