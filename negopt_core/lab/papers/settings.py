"""What the two papers ask for, in two budgets, and what a run of one is told. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from pathlib import Path

from ...errors import TrainingError
from ...flags import flag
from ...paint.choice import MODEL_HELP
from ...scorers.table import REWARD_HELP, Sources

BUDGETS = ("paper", "small")


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is done. A training step of PPO paints `prompts * group * pictures` pictures."""

    sft_steps: int
    sft_batch: int
    ppo_steps: int
    prompts: int
    """Prompts of a PPO step."""
    group: int
    """Responses to each of them."""
    pictures: int
    """Pictures of each response."""
    epochs: int
    """Passes over the responses of a step."""
    check_every: int
    """PPO steps between two checkpoints, each with its reward on held-out prompts."""
    held_out: int
    """Prompts of that."""
    test: int
    """Prompts of the report."""
    filter_pairs: int = 0
    """Most pairs of SFT that the confidence filter scores; those that it does not score are left out. 0: no filter."""

    def __post_init__(self) -> None:
        least = min(getattr(self, name) for name in Budget.__dataclass_fields__ if name != "filter_pairs")
        if least < 1 or self.filter_pairs < 0:
            raise TrainingError(f"every number of a budget is at least 1, and filter_pairs at least 0; got {self}")

    @property
    def step_pictures(self) -> int:
        """Pictures that a PPO step paints."""
        return self.prompts * self.group * self.pictures

    @property
    def checks(self) -> int:
        """How often the held-out reward is measured: before the first step and at each checkpoint."""
        return 1 + -(-self.ppo_steps // self.check_every)


@dataclass(frozen=True, slots=True)
class Paper:
    """What makes a run one paper's. Numbers that a paper does not give are ours (docs/sd15.md says which)."""

    key: str
    title: str
    polarity: str
    """Which side of the prompt the policy writes."""
    kind: str
    """seq2seq (T5) or df (GPT-2 and other decoders)."""
    is_scheduled: bool
    """Whether phrases get windows and weights."""
    is_safe: bool
    """Whether sexual prompts are left out of the data."""
    reward: str
    metrics: tuple[str, ...]
    world_reward: str
    """The same on the demo world, for a rehearsal without any weights."""
    world_metrics: tuple[str, ...]
    paint_steps: int
    cfg: float
    sampler: str
    sft_rate: float
    ppo_rate: float
    augment: float
    seed: int
    """First seed of the report's pictures."""
    same_noise: bool
    budgets: Mapping[str, Budget]


NEGOPT = Paper(
    key="negopt",
    title="NegOpt (arXiv 2403.07605)",
    polarity="negative",
    kind="seq2seq",
    is_scheduled=False,
    is_safe=False,
    reward="aesthetic:5,clip:1,fidelity:1",
    metrics=("is", "clip", "aesthetic"),
    world_reward="world-quality:5,world-alignment:1,world-fidelity:1",
    world_metrics=("world-is", "world-alignment", "world-quality"),
    paint_steps=25,
    cfg=7.5,
    sampler="model",
    sft_rate=1e-4,
    ppo_rate=5e-5,
    augment=0.0,
    seed=0,
    same_noise=False,
    budgets={
        "paper": Budget(10_000, 32, 1000, 16, 2, 1, 4, 50, 64, 1000),
        "small": Budget(2000, 16, 100, 16, 2, 1, 4, 20, 24, 200),
    },
)
PAE = Paper(
    key="pae",
    title="PAE (arXiv 2404.04095)",
    polarity="modifiers",
    kind="df",
    is_scheduled=True,
    is_safe=True,
    reward="aesthetic:1,clip:20:0.28,pickscore:1:18",
    metrics=("aesthetic", "clip", "pickscore", "cmmd"),
    world_reward="world-quality:1,world-alignment:20:0.28",
    world_metrics=("world-quality", "world-alignment", "world-is"),
    paint_steps=10,
    cfg=7.5,
    sampler="unipc",
    sft_rate=5e-5,
    ppo_rate=5e-5,
    augment=0.5,
    seed=42,
    same_noise=True,
    budgets={
        "paper": Budget(50_000, 64, 3000, 16, 2, 2, 1, 250, 64, 1000, 450_000),
        "small": Budget(3000, 16, 300, 8, 2, 2, 1, 50, 32, 200),
    },
)
_BUDGETS_OWN = "the budget's"


@dataclass(frozen=True, kw_only=True)
class PaperRun(Sources):
    """`train negopt` and `train pae`. A number that is None is the budget's or the paper's."""

    model: str = flag(MISSING, f"painter: {MODEL_HELP}")
    pairs: Path = flag(MISSING, "pairs: JSON Lines, the Negative Prompts DB (.parquet), or a folder of pictures")
    start: Path = flag(MISSING, "T5 (negopt) or GPT-2 (pae) as transformers folder, or a policy", metavar="DIR")
    folder: Path = flag(MISSING, "run folder; the same command goes on in it", "run", metavar="DIR")
    output: Path | None = flag(
        None, "policy folder", "o", "output", metavar="DIR", shown="policy in the run", is_recorded=False
    )
    name: str | None = flag(None, "name of the policy", shown="paper and model", is_recorded=False)
    reference: Path | None = flag(None, "real pictures for cmmd and fid", metavar="DIR", is_recorded=False)
    budget: str = flag("paper", "paper, or small: one night on a GPU of 12 GB", choices=BUDGETS)
    yes: bool = flag(False, "start without asking", is_recorded=False)
    plan: bool = flag(False, "show plan and cost, start nothing", is_recorded=False)
    reward: str | None = flag(None, REWARD_HELP, shown="the paper's")
    metrics: str | None = flag(None, "metrics of the report, with commas between", metavar="LIST", shown="the paper's")
    filter_pairs: int | None = flag(
        None, "most pairs that PAE's confidence filter scores for SFT; 0: no filter", shown=_BUDGETS_OWN
    )
    sft_steps: int | None = flag(None, "training steps of SFT", shown=_BUDGETS_OWN)
    sft_batch: int | None = flag(None, "pairs in each of them", shown=_BUDGETS_OWN)
    sft_rate: float | None = flag(None, "learning rate of SFT", shown="1e-4; pae 5e-5")
    ppo_steps: int | None = flag(None, "training steps of PPO", shown=_BUDGETS_OWN)
    prompts: int | None = flag(None, "prompts in each of them", "prompts-per-step", shown=_BUDGETS_OWN)
    ppo_rate: float | None = flag(None, "learning rate of PPO", shown="5e-5")
    check_every: int | None = flag(None, "PPO steps between checkpoints", shown=_BUDGETS_OWN)
    held_out: int | None = flag(
        None, "prompts of the reward at each checkpoint", "held-out-prompts", shown=_BUDGETS_OWN
    )
    test: int | None = flag(None, "prompts of the report", "test-prompts", shown=_BUDGETS_OWN)
    paint_steps: int | None = flag(None, "sampler steps", shown="the paper's")
    cfg: float | None = flag(None, "guidance scale", shown="the paper's")
    size: str | None = flag(None, "pixels", metavar="WxH", shown="the model's own")
    paint_dtype: str | None = flag(None, "precision of the painter", metavar="DTYPE", shown="float16 on a GPU")
    batch: int = flag(8, "pictures painted at the same time", is_recorded=False)
    device: str | None = flag(None, "where the painter runs", shown="the GPU if there is one", is_recorded=False)
    policy_device: str | None = flag(
        None, "where the policy learns", metavar="DEVICE", shown="the GPU if there is one", is_recorded=False
    )
    scorer_device: str | None = flag(
        None, "where the rewards run", metavar="DEVICE", shown="the GPU if there is one", is_recorded=False
    )
    threads: int | None = flag(None, "CPU threads", shown="torch's own choice", is_recorded=False)
    seed: int = flag(0, "seed of the trainings")
