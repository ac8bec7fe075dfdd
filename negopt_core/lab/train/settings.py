"""What a training is told: one frozen dataclass each, from which flags, run folders and cards come. Loads no torch."""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import TrainingError
from ...flags import flag, nested, word
from ...paint.choice import REAL_CFG, REAL_STEPS, WORLD, WORLD_CFG
from ...scorers.table import REWARD_HELP, WORLD_REWARD, Sources
from ..data.settings import POLARITIES

if TYPE_CHECKING:
    from ...policy.language import Sampling

ADVANTAGES = ("group", "grpo")
PRECISIONS = ("auto", "float32", "bfloat16")
AUTO = "auto"
WORLD_RATE, WORLD_PAINT_STEPS = 3e-4, 12
"""PPO on the demo world, whose policies are small and made from nothing: as the shipped ones were trained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    """A run that is stopped and resumed; none of this changes what comes out."""

    folder: Path = flag(MISSING, "run folder", "run", metavar="DIR", is_recorded=False)
    output: Path | None = flag(
        None, "policy folder", "o", "output", metavar="DIR", shown="export in the run", is_recorded=False
    )
    save_every: int = flag(50, "training steps between checkpoints", is_recorded=False)
    threads: int | None = flag(None, "CPU threads", shown="torch's own choice", is_recorded=False)

    @property
    def export(self) -> Path:
        """The policy folder."""
        return self.output or self.folder / "export"


@dataclass(frozen=True, slots=True)
class Size:
    """Shape of a model made from nothing."""

    width: int = 96
    layers: int = 2
    heads: int = 4


_NEW = Size()
PUBLISHED_RATE = 5e-5
"""Of supervised training that starts from somebody else's language model: PAE's."""
_THE_GPU = "the GPU if there is one"


@dataclass(frozen=True, slots=True)
class SFTSettings:
    """Neither paper's values transfer to a small model trained from nothing; PAE's code has Adam 5e-5 and batch 64."""

    steps: int = flag(1000, "training steps", "train-steps", old=("steps",), key="steps")
    batch_size: int = flag(32, "pairs in a training step", "pairs-per-step", old=("batch",), key="batch")
    learning_rate: float = 1e-3
    warmup_steps: int = 50
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    learns_schedule: bool = flag(
        False, "the pairs say windows and weights: learn them", "learn-schedule", key="learn_schedule"
    )
    augment: float = flag(
        0.0,
        "vary case and commas of prompts, anew each epoch, with this probability (PAE has 0.5, which is meant if no "
        "number is given)",
        nargs="?",
        const=0.5,
        metavar="P",
    )
    at_once: int = flag(
        0,
        "pairs that the policy reads at once: less takes less memory, more time, and gives the same",
        "minibatch",
        shown="all of a training step",
        is_recorded=False,
    )
    seed: int = flag(0, "seed of the training")

    def __post_init__(self) -> None:
        if min(self.steps, self.batch_size) < 1 or not self.learning_rate > 0:
            raise TrainingError("steps and batch_size need to be at least 1, and the learning rate above 0")
        _check_at_once(self.at_once)
        if not 0.0 <= self.augment <= 1.0:
            raise TrainingError(f"augment is a probability from 0 to 1, got {self.augment}")


@dataclass(frozen=True, slots=True)
class PPOSettings:
    """Defaults follow PAE's code where it has a number (papers.md, section 1B, stage 2); what differs says why."""

    prompts: int = flag(8, "prompts in a training step", "prompts-per-step", old=("batch",), key="batch")
    group: int = flag(4, "responses to each prompt, from the same noise; PAE has one")
    twins: int = flag(
        1,
        "responses of a group that share their words and differ in windows and weights, which are then judged by "
        "nothing else; divides the group",
    )
    pictures: int = flag(1, "pictures of each response; PAE has 2")
    epochs: int = flag(4, "passes over the responses of a step; PAE's code makes one, so that its clip never acts")
    minibatch: int = 0
    """Responses of a gradient step; 0 for all of a training step."""
    at_once: int = flag(
        0,
        "responses that the policy reads at once: less takes less memory, more time, and gives the same",
        "minibatch",
        shown="all of a training step",
        is_recorded=False,
    )
    learning_rate: float = 5e-5
    """Of the policy: PAE's."""
    clip: float = 0.2
    max_grad_norm: float = 1.0
    kl: float = flag(0.02, "KL coefficient, against the policy it starts from")
    kl_target: float = flag(0.0, "target of the KL divergence, in nats a response; 0 keeps the coefficient fixed")
    entropy: float = flag(0.0, "entropy coefficient")
    schedule_entropy: float = flag(0.0, "more of it for windows and weights")
    is_flat: bool = flag(False, "begin with all windows and weights equally likely", "flat-schedule")
    advantage: str = flag(
        "group",
        "a response against the mean of its group; grpo: in units of the group's spread too",
        metavar="{group,grpo}",
    )
    """PAE has a value head instead, which gained less on the demo world (docs/dev/decisions.md)."""
    is_standardised: bool = True
    """Rewards in units of their running spread, around their running mean. PAE uses them raw."""
    sampling: Sampling | None = None
    """How responses are drawn; None: from every word. PAE draws words from the 50 likeliest and scores them against
    all; here both see one distribution."""
    seed: int = flag(0, "seed of the training")

    def __post_init__(self) -> None:
        if self.advantage not in ADVANTAGES:
            gone = "; the value head is gone: it learned less than group" if self.advantage == "gae" else ""
            raise TrainingError(f"advantage is one of {', '.join(ADVANTAGES)}, not {self.advantage!r}{gone}")
        if self.group < 2:
            raise TrainingError(f"responses to a prompt are compared with each other: group >= 2, got {self.group}")
        if self.twins < 1 or self.group % self.twins:
            raise TrainingError(f"{self.twins} twins in a group of {self.group}: twins divide the group")
        if min(self.prompts, self.group, self.pictures, self.epochs) < 1 or self.minibatch < 0:
            raise TrainingError("prompts, group, pictures and epochs need to be at least 1, and minibatch at least 0")
        _check_at_once(self.at_once)
        if self.kl_target > 0 and not self.kl > 0:
            raise TrainingError(
                f"a KL target of {self.kl_target:g} needs a coefficient to start from, got {self.kl:g}: give --kl "
                "above 0, or no --kl-target"
            )
        if self.sampling and self.sampling.top_k:
            raise TrainingError(
                f"PPO draws from every word, got top_k {self.sampling.top_k}: a word outside the "
                "reference's own likeliest would be infinitely far from it. Set top_k to 0"
            )

    @property
    def responses(self) -> int:
        """Responses in a training step."""
        return self.prompts * self.group


def _check_at_once(count: int) -> None:
    if count < 0:
        raise TrainingError(f"examples at once (--minibatch) are at least 1, or 0 for all of a step; got {count}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """How a policy is computed while it learns: what makes a large one fit."""

    precision: str = flag(
        "auto",
        "of the policy's arithmetic; its weights stay float32. auto: bfloat16 for a pretrained model on a GPU",
        choices=PRECISIONS,
        is_recorded=False,
    )
    checkpointing: bool = flag(
        False, "compute activations again on the way back: half the memory, a third more time", is_recorded=False
    )
    lora: int = flag(0, "learn adapters of this rank (peft) in place of the whole model", metavar="RANK")

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise TrainingError(f"precision is one of {', '.join(PRECISIONS)}, not {self.precision!r}")
        if self.lora < 0:
            raise TrainingError(f"the rank of LoRA is at least 1, or 0 for none; got {self.lora}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRun(RunFolder):
    """A run whose policy has a name of its own, and may be watched."""

    name: str | None = flag(None, "name of the policy", shown="the policy folder's", is_recorded=False)
    tensorboard: bool = flag(False, "also write event files, if tensorboard is there", is_recorded=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SFTRun(PolicyRun):
    """`train sft`. What only a new policy is told has no value until it is known that the policy is new."""

    pairs: str = flag(MISSING, "JSON Lines; `world[:COUNT]` draws the demo world's people", metavar="FILE")
    held_out: str | None = flag(None, "pairs to measure on; `world[:COUNT]` draws others", metavar="FILE")
    polarity: str | None = flag(
        None, "which side a new policy writes", choices=POLARITIES, shown="negative, or what the old policy writes"
    )
    kind: str | None = flag(None, "T5 or GPT-2", choices=("seq2seq", "df"), shown="T5 for negatives")
    policy: Path | None = flag(
        None, "start from this policy (or its name) or transformers folder", metavar="DIR", shown="a new policy"
    )
    tokenizer: str | None = flag(None, "tokenizer of a new policy", metavar="DIR", shown="world")
    stock: str | None = flag(None, "phrases a new policy may write, one a line; `world`, or none", metavar="FILE")
    scheduled: bool = flag(
        False, "also choose windows and weights: a new policy, or one that had none (a plain T5, GPT-2, Llama)"
    )
    width: int | None = flag(None, "of a new policy", shown=_NEW.width)
    layers: int | None = flag(None, "of a new policy", shown=_NEW.layers)
    rate: float | None = flag(
        None,
        "learning rate",
        shown=f"{SFTSettings().learning_rate:g}; from a published model {PUBLISHED_RATE:g}, PAE's",
    )
    device: str = flag(AUTO, "where the policy learns: cpu, cuda, mps", shown=_THE_GPU, is_recorded=False)
    sft: SFTSettings = nested(SFTSettings)
    compute: Compute = nested(Compute)


@dataclass(frozen=True, kw_only=True)
class PPORun(Sources, PolicyRun):
    """`train ppo`."""

    policy: Path = flag(MISSING, "where to start (folder or name); also the reference", metavar="DIR")
    prompts: str = flag(MISSING, "text or JSON Lines; `world` draws them", metavar="FILE")
    reward: str = flag(WORLD_REWARD, REWARD_HELP)
    model: str = flag(WORLD, "painter: as in `paint --model`")
    size: str | None = flag(None, "pixels", metavar="WxH", shown="the model's own; 512x512 on a ComfyUI server")
    paint_steps: int | None = flag(None, "sampler steps", shown=f"{REAL_STEPS}; the demo world {WORLD_PAINT_STEPS}")
    cfg: float | None = flag(None, "guidance scale", shown=f"{REAL_CFG:g}; the demo world {WORLD_CFG:g}")
    paint_dtype: str | None = flag(
        None,
        "precision of the painter: float32, bfloat16 (faster on newer CPUs) or float16",
        metavar="DTYPE",
        shown="float32; float16 on a GPU",
    )
    steps: int = flag(200, "training steps", "train-steps", old=("steps",), key="steps")
    rate: float | None = flag(
        None, "learning rate", shown=f"{PPOSettings().learning_rate:g}, PAE's; the demo world {WORLD_RATE:g}"
    )
    policy_device: str = flag(AUTO, "where the policy learns", metavar="DEVICE", shown=_THE_GPU, is_recorded=False)
    scorer_device: str = flag(
        AUTO,
        "where scorers built on CLIP or Inception run; the demo world's judges stay on the CPU",
        metavar="DEVICE",
        shown=_THE_GPU,
        is_recorded=False,
    )
    ppo: PPOSettings = nested(PPOSettings)
    compute: Compute = nested(Compute)


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniRun(RunFolder):
    """`train mini`."""

    recipe: str = word(MISSING, "negopt-mini, negopt-sched-mini, pae-mini, or a JSON file")
    data: Path = flag(MISSING, "corpus: pairs/ and modifiers/", metavar="DIR")
    save_every: int = flag(100, "training steps between checkpoints", is_recorded=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalRun:
    """`train retrieval`."""

    pairs: Path = flag(MISSING, "prompts with people's negatives", metavar="FILE")
    output: Path = flag(MISSING, "policy folder", "o", "output", metavar="DIR")
    notice: Path | None = flag(None, "notices of the data's sources, kept in the folder", metavar="FILE")
    name: str | None = flag(None, "name of the policy", shown="the policy folder's")
    least_examples: int = flag(3, "leave out terms in fewer prompts")
    least_phrases: int = flag(1, "leave out phrases in fewer negatives")
    scheduled: bool = flag(False, "phrases act when their kind usually does (a prior)")
    threshold: float = flag(0.15, "share of the vote that a phrase needs")
