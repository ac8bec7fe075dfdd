"""P15 with beta > 0: terms measured against the picture of the plain prompt, painted from the same noise."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from toys import Brightness, CodePainter, actors, phrases

from negopt_core.lab.train.ppo import PPO
from negopt_core.lab.train.rollout import Actors, roll_out
from negopt_core.lab.train.settings import PPOSettings
from negopt_core.paint.base import PaintSettings
from negopt_core.paint.diffusers_painter import load_painter
from negopt_core.policy.language import Sampling
from negopt_core.scorers.base import Reward, RewardTerm
from negopt_core.scorers.table import load_named
from negopt_core.text.prompt import PromptPair
from negopt_core.world import world_dir

pytestmark = pytest.mark.slow

PROMPTS = ["a photo of a red ball", "a sketch of a star"]
ROUND = PPOSettings(prompts=3, group=2, pictures=2, seed=5)
needs_world = pytest.mark.skipif(
    not (world_dir() / "model_index.json").is_file(),
    reason="the demo world's weights are not in negopt_core/assets/world",
)


class Noting(CodePainter):
    """Notes what was painted from which noise."""

    def __init__(self) -> None:
        super().__init__(lambda pair: 5.0 + len(phrases(pair)))
        self.painted: list[tuple[PromptPair, int]] = []

    def paint(self, pairs: Sequence[PromptPair], seeds: Sequence[int]) -> torch.Tensor:
        self.painted += zip(pairs, seeds, strict=True)
        return super().paint(pairs, seeds)


def with_reward(painter: object, *terms: RewardTerm) -> Actors:
    return replace(actors("seq2seq", lambda pair: 0.0), painter=painter, reward=Reward(terms))


def test_the_plain_picture_comes_from_the_same_noise_and_is_painted_once() -> None:
    painter = Noting()
    rollout = PPO(with_reward(painter, RewardTerm(Brightness(), baseline=1.0)), PROMPTS, ROUND)._roll_out()
    answers, plain = painter.painted[: len(rollout) * 2], painter.painted[len(rollout) * 2 :]
    assert len(plain) == len(set(plain)) <= ROUND.prompts * ROUND.pictures
    assert {(PromptPair(pair.positive), seed) for pair, seed in answers} == set(plain)
    assert rollout.rewards.tolist() == [float(len(phrases(pair))) for pair in rollout.pairs]


def test_without_a_term_that_needs_it_no_plain_picture_is_painted() -> None:
    painter = Noting()
    rollout = PPO(with_reward(painter, RewardTerm(Brightness())), PROMPTS, ROUND)._roll_out()
    assert len(painter.painted) == len(rollout) * ROUND.pictures


@needs_world
def test_on_the_demo_world_the_reward_is_the_difference_of_two_pictures() -> None:
    """Against pictures painted one by one, outside training."""
    painter = load_painter(str(world_dir()), PaintSettings(2, 4.0, batch_size=4))
    judge = load_named("world-quality", {}, "reward")
    everybody = with_reward(painter, RewardTerm(judge, 2.0, baseline=1.0))
    rollout = roll_out(everybody, PROMPTS * 2, [1, 2, 3, 4], [[7], [8], [7], [8]], Sampling())
    for row, (prompt, seed) in enumerate(zip(PROMPTS * 2, (7, 8, 7, 8), strict=True)):
        pictures = [painter.paint([pair], [seed]) for pair in (rollout.pairs[row], PromptPair.plain(prompt))]
        better, plain = (float(judge(picture, [prompt])) for picture in pictures)
        assert float(rollout.rewards[row]) == pytest.approx(2 * (better - plain), abs=1e-3)
