"""Samples of a run in its folder, written with each checkpoint: what the policy writes by now, and how it looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from ...files import write_bytes, write_text
from ...measure.draw import Card, draw_cards, to_file
from ...policy.language import LanguagePolicy, Sampling
from ...policy.language.render import pair_of
from ...text.df_text import format_prompt
from ...text.prompt import PromptPair
from ..data.pairs import Pair
from .ppo import PPO
from .rollout import Rollout

SAMPLES = "samples"
_SHOWN = 8


class PPOSamples:
    """Takes the steps of a PPO and keeps the last round, so that a sheet of its pictures costs nothing to make."""

    def __init__(self, ppo: PPO, folder: Path) -> None:
        self.ppo, self.folder = ppo, folder
        self.last: Rollout | None = None

    def step(self) -> dict[str, float]:
        """One step; its metrics."""
        metrics, self.last = self.ppo.step()
        return metrics

    def write(self, done: int) -> None:
        """`samples/step-000050.jpg`: pictures of the last round, each with prompt, response and reward."""
        if self.last is None:
            return
        polarity, rollout = self.ppo.actors.policy.card.polarity, self.last
        each = len(rollout.images) // len(rollout)
        cards = [
            Card(
                rollout.images[row * each],
                rollout.prompts[row],
                written(rollout.pairs[row], polarity),
                f"reward {float(rollout.rewards[row]):.3f}",
            )
            for row in range(min(_SHOWN, len(rollout)))
        ]
        mean = float(rollout.rewards.mean())
        title = f"step {done}: {len(cards)} of {len(rollout)} responses, mean reward {mean:.3f}"
        write_bytes(_path(self.folder, done, "jpg"), to_file(draw_cards(title, cards), "JPEG"))


def sft_samples(policy: LanguagePolicy, pairs: Sequence[Pair], folder: Path) -> Callable[[int], None]:
    """What writes `samples/step-000050.txt`: for some prompts what people wrote and the policy's likeliest answer."""
    first: dict[str, Pair] = {}
    for pair in pairs:
        first.setdefault(pair.prompt, pair)
    shown = list(first.values())[:_SHOWN]

    @torch.no_grad()
    def write(done: int) -> None:
        policy.eval()  # each step of training switches back
        prompts = [pair.prompt for pair in shown]
        responses = policy.respond(prompts, [0] * len(prompts), Sampling(is_greedy=True))
        answers = policy.spans(responses)
        lines = [f"step {done}"]
        for pair, spans in zip(shown, answers, strict=True):
            for name, one in (("people", pair.spans), ("policy", spans)):
                text = written(pair_of(pair.prompt, one, policy.card.polarity), policy.card.polarity)
                lines += [f"\n{pair.prompt}"] * (name == "people") + [f"  {name}: {text or '(nothing)'}"]
        write_text(_path(folder, done, "txt"), "\n".join(lines) + "\n")

    return write


def written(pair: PromptPair, polarity: str) -> str:
    """The side that a policy writes, as DF-Prompt text."""
    return format_prompt(pair.negative if polarity == "negative" else pair.positive)


def _path(folder: Path, done: int, ending: str) -> Path:
    return folder / SAMPLES / f"step-{done:06d}.{ending}"
