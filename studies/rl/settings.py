"""How much of the study is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from negopt_core.flags import flag

PARTS = ("algorithms", "windows", "stock", "referee")


@dataclass(frozen=True, kw_only=True)
class RLSettings:
    """What `world rl` takes."""

    folder: Path = flag(Path("runs/results"), "folder of the runs, as `reproduce`", "run", metavar="DIR")
    document: Path = flag(Path("docs/generated/rl.md"), "document to write")
    cache: Path = flag(Path("runs/world-report"), "painted arms, as `world report`")
    jobs: int = flag(2, "runs at the same time, one thread each")
    seeds: int = flag(3, "training seeds", "training-seeds")
    prompts: int = flag(128, "held-out prompts", "prompt-count")
    steps: int = flag(100, "training steps of 32 pictures for windows; half of it for algorithms", "ppo-steps")
    paint_dtype: str = flag("auto", "precision of pictures; auto: bfloat16 where it is measured to be faster")
    only: tuple[str, ...] = flag(
        (), "a part of it, again for more; the page then has no other", choices=PARTS, shown="all"
    )
    noises: int = field(default=2)
    """Pictures of each held-out prompt in an arm."""

    @property
    def short(self) -> int:
        """Training steps of algorithms."""
        return self.steps // 2

    @property
    def brief(self) -> int:
        """Training steps of the shorter runs on the large stock."""
        return self.steps // 4

    @property
    def long(self) -> int:
        """Training steps of the longer runs on the large stock: four times the shorter ones."""
        return 4 * self.brief
