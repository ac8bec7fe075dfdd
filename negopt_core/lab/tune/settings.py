"""What `audit` and `tune` are told. Loads no torch."""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from pathlib import Path

from ...errors import PromptError
from ...flags import flag
from ...paint.choice import MODEL_HELP, WORLD, Painted, paints_world
from ...scorers.table import WORLD_REWARD, Sources, refuse_toys, reward_names

REWARD_HELP = "what a picture is worth, scorer:weight,...; none: only clicks count"
NO_REWARD = "none"


@dataclass(frozen=True, kw_only=True)
class Judged(Painted, Sources):
    """Painter, prompts and reward of both commands."""

    folder: Path
    model: str = flag(WORLD, MODEL_HELP)
    prompts: str = flag("world", "NAME[:COUNT] of a set, a file, or world[:COUNT]", metavar="SET")
    prompt_folder: tuple[Path, ...] = flag((), "folder to look for sets in", metavar="DIR")
    reward: str = flag("", REWARD_HELP, shown=f"the demo world {WORLD_REWARD}; other models need one")
    referee: str = flag("", "the same for the last check, by scorers that nothing learned from", shown="--reward")
    minutes: float | None = flag(None, "time for painting, instead of --pictures")
    seed: int = flag(0, "decides sets and noise")
    batch: int = flag(8, "pictures painted at the same time", is_recorded=False)
    offload: bool = flag(False, "keep only the part at work on the GPU, for small ones", is_recorded=False)
    paint_dtype: str | None = flag(None, "float32, bfloat16 or float16", metavar="DTYPE", shown="float16 on a GPU")
    clicks: tuple[Path, ...] = flag((), "clicks that the page exported", metavar="FILE", is_recorded=False)
    plan: bool = flag(False, "say what it costs, and stop", is_recorded=False)

    @property
    def reward_line(self) -> str:
        """As given, or the demo world's for the demo world. PromptError where a real model has none."""
        if self.reward == NO_REWARD:
            return ""
        line = self.reward or (WORLD_REWARD if paints_world(self.model) else "")
        if not line:
            raise PromptError(
                "name what a picture is worth, for instance --reward pickscore:1 --source pickscore=hf:yuvalkirstain/"
                "PickScore_v1, or --reward none to judge by clicks on the page"
            )
        for each in (line, self.referee):
            if each:
                refuse_toys(self.model, reward_names(each), "--reward")
        return line


@dataclass(frozen=True, kw_only=True)
class AuditRun(Judged):
    """What `audit` takes."""

    negative: str = flag("", "the negative that you use, DF-Prompt text", metavar="TEXT")
    modifiers: str = flag("", "the modifiers that you add to prompts", metavar="TEXT")
    pictures: int = flag(256, "the most pictures; fewer if all is decided sooner")
    folder: Path = flag(Path("out/audit"), "folder of the run; the same command goes on", "o", "output", metavar="DIR")


@dataclass(frozen=True, kw_only=True)
class TuneRun(Judged):
    """What `tune` takes."""

    negative: str = flag("", "your own negative: its phrases are tried too, and it is a rival", metavar="TEXT")
    modifiers: str = flag("", "your own modifiers, likewise", metavar="TEXT")
    policy: str = flag("", "whose phrases are tried, and a rival", shown="negopt for the model's family")
    mode: str = flag("negative", "what to learn: negative, modifiers, or negative,modifiers")
    stock: int = flag(60, "the most phrases that are tried")
    pictures: int = flag(512, "pictures to learn from")
    refined: float = flag(0.25, "share of them for weights and windows")
    check: int = flag(48, "pictures of each text in the last check")
    folder: Path = flag(MISSING, "folder of the run; the same command goes on", "run", metavar="DIR")
    output: Path | None = flag(None, "policy folder", "o", "output", metavar="DIR", shown="policy in the run's folder")
