"""How much of the study is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from negopt_core.flags import flag


@dataclass(frozen=True, kw_only=True)
class LearningSettings:
    """What `world learning` takes."""

    folder: Path = flag(Path("runs/learning"), "folder of the runs; the same command goes on", "run", metavar="DIR")
    document: Path = flag(Path("docs/generated/learning.md"), "document to write")
    seeds: int = flag(3, "training seeds", "training-seeds")
    prompts: int = flag(256, "held-out prompts", "prompt-count")
    paint_dtype: str = flag("auto", "precision of pictures; auto: bfloat16 where it is measured to be faster")
    only: str = flag("", "one learner: tune, random, regression or ppo; or audit", shown="all")
    budgets: tuple[int, ...] = field(default=(128, 256, 512, 1024, 1536))
    """Pictures that tune learns from."""
    ppo_steps: tuple[int, ...] = field(default=(25, 50, 100, 200))
    """Steps of 32 pictures."""
    train_steps: int = field(default=6)
    """Sampler steps of a picture that is only rewarded."""
    paint_steps: int = field(default=10)
    audits: int = flag(60, "simulated audits", "audit-runs")
    audit_pictures: tuple[int, ...] = field(default=(256, 512))
