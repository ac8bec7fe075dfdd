"""Every training run behind docs/results.md, as the command lines that they are."""

from __future__ import annotations

from dataclasses import dataclass

from negopt_core.flags import flag, given_in
from negopt_core.lab.train.settings import PPORun, SFTRun
from negopt_core.paint.choice import WORLD_CFG

MAIN_REWARD = "world-quality:1,world-alignment:3"
ISOLATED = {"quality": "world-quality:1", "alignment": "world-alignment:3", "both": MAIN_REWARD}
"""PAE's question of which reward does what."""
BALANCES = {"5:1:1": (5, 1, 1), "1:1:1": (1, 1, 1), "1:5:1": (1, 5, 1), "1:1:5": (1, 1, 5)}
"""NegOpt's open question: aesthetics to alignment to fidelity."""
_UNITS = (1.0, 8.0, 2.0)
"""What one share of quality, alignment and fidelity stands for: about one over their spread in plain pictures."""
PROMPTS, GROUP = 8, 4
"""Prompts a step of PPO, and answers to each."""
_ROUND = ("--prompts-per-step", str(PROMPTS), "--group", str(GROUP))
"""Eight prompts, four answers to each from the same noise."""
GROUP_MEAN = ("--advantage", "group")
"""Each answer against the mean of its four."""
DATA_SIZES = {"10 %": 400, "30 %": 1200}
"""Of the 4,000 pairs of the full set."""


@dataclass(frozen=True, slots=True)
class Training:
    """One run: `negopt train ...` with its own run folder and output."""

    name: str
    arguments: tuple[str, ...]
    """After `train`, without --run, -o, --threads."""
    needs: str = ""
    """Name of the run that makes the policy this one starts from."""

    def settings(self) -> dict[str, str]:
        """The flags with their values, named as in a run's config.json; without the policy, whose place may change."""
        run = {"sft": SFTRun, "ppo": PPORun}[self.arguments[0]]
        flags = given_in(run, self.arguments[1:])
        return {name: str(value) for name, value in flags.items() if name != "policy"}

    @property
    def pictures_a_step(self) -> int:
        """How many pictures a step of PPO has painted; 0 for SFT."""
        return PROMPTS * GROUP if self.arguments[0] == "ppo" else 0


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long everything is trained."""

    seeds: int = flag(3, "training seeds of the headline rows", "training-seeds", old=("seeds",))
    sft_steps: int = flag(800, "training steps on pairs")
    ppo_steps: int = flag(200, "training steps on rewards; reward balances and single rewards take half of it")
    train_paint_steps: int = 6
    """Sampler steps of a picture that is only rewarded; the tables are painted with `paint_steps`."""
    paint_steps: int = 10
    cfg: float = WORLD_CFG
    paint_dtype: str = "float32"
    """Precision of every picture; `reproduce` takes what `paint.precision` measures to be faster."""

    def trainings(self) -> list[Training]:
        """Every run; what a run needs stands before it."""
        runs: list[Training] = []
        for seed in range(self.seeds):
            runs += [self.sft("negative", seed), self.ppo("negative", seed)]
            runs += [self.sft("modifiers", seed, scheduled=True), self.ppo("modifiers", seed)]
            runs += [self.sft("scheduled", seed, scheduled=True), self.ppo("scheduled", seed)]
        untrained = (
            "sft",
            "--pairs",
            "world",
            "--stock",
            "world",
            "--train-steps",
            "1",
            "--rate",
            "1e-09",
            "--seed",
            "0",
        )
        runs += [Training("untrained", untrained), self.ppo("untrained", 0, start="untrained", name="rl-only")]
        for count in DATA_SIZES.values():  # beside the full set of the headline rows, so as long as those
            runs += [self.sft("negative", 0, pairs=count), self.ppo(f"negative-{count}", 0)]
        half = self.ppo_steps // 2
        for name, shares in BALANCES.items():
            label = f"balance-{name.replace(':', '-')}"
            runs.append(self.ppo("negative", 0, name=label, reward=balanced(shares), steps=half))
        for label, reward in ISOLATED.items():
            runs.append(self.ppo("modifiers", 0, name=f"modifiers-{label}", reward=reward, steps=half))
        return runs

    def sft(self, kind: str, seed: int, scheduled: bool = False, pairs: int = 0) -> Training:
        """Supervised training of a new policy; `kind` is negative, modifiers or scheduled."""
        name = f"{kind}-{pairs}" if pairs else kind
        line = ["sft", "--pairs", f"world:{pairs}" if pairs else "world", "--stock", "world"]
        line += ["--polarity", "modifiers" if kind == "modifiers" else "negative"]
        line += ["--scheduled"] * scheduled
        return Training(f"{name}-sft-{seed}", (*line, "--train-steps", str(self.sft_steps), "--seed", str(seed)))

    def ppo(
        self,
        kind: str,
        seed: int,
        start: str = "",
        name: str = "",
        reward: str = MAIN_REWARD,
        steps: int = 0,
        how: tuple[str, ...] = GROUP_MEAN,
    ) -> Training:
        """PPO from the supervised policy of a kind and seed, or from `start`; `how` are further flags."""
        needs, steps = start or f"{kind}-sft-{seed}", steps or self.ppo_steps
        line = ["ppo", "--policy", needs, "--prompts", "world", "--reward", reward, "--train-steps", str(steps)]
        line += [*_ROUND, *how, "--paint-steps", str(self.train_paint_steps), "--cfg", f"{self.cfg:g}"]
        line += ["--paint-dtype", self.paint_dtype, "--seed", str(seed)]
        return Training(name or f"{kind}-rl-{seed}", tuple(line), needs)


def balanced(shares: tuple[int, int, int]) -> str:
    """A reward line for shares of quality, alignment and fidelity."""
    names = ("world-quality", "world-alignment", "world-fidelity")
    terms = [f"{name}:{share * unit:g}" for name, share, unit in zip(names, shares, _UNITS, strict=True)]
    return ",".join(terms)
