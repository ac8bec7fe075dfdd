"""PPO learns what is rewarded, through the whole chain from words to pictures to updates."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from toys import Brightness, CodePainter, actors, phrases

from negopt_core.errors import TrainingError
from negopt_core.lab.train.ppo import PPO
from negopt_core.lab.train.run_ppo import filled_in, watched
from negopt_core.lab.train.settings import PPORun, PPOSettings
from negopt_core.policy.language.actions import CHANNELS, Sampling
from negopt_core.scorers.base import Reward, RewardTerm
from negopt_core.text.prompt import FULL

pytestmark = pytest.mark.slow

PROMPTS = ["a photo of a ball", "a sketch of a star", "a cartoon of a cube", "a painting"]
FAST = PPOSettings(prompts=8, group=2, epochs=2, minibatch=16, learning_rate=3e-3, kl=0.0, seed=3)


def late_share(pair: object) -> float:
    """1 if every phrase acts in the second half."""
    spans = phrases(pair)  # type: ignore[arg-type]
    return sum(span.window.start == 0.5 for span in spans) / len(spans) if spans else 0.0


def heavy_share(pair: object) -> float:
    spans = phrases(pair)  # type: ignore[arg-type]
    return sum(span.weight == 1.5 for span in spans) / len(spans) if spans else 0.0


def says_watermark(pair: object) -> float:
    return float(any("watermark" in span.text for span in pair.negative.spans))  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["seq2seq", "df"])
@pytest.mark.parametrize(("code", "channel"), [(late_share, "windows"), (heavy_share, "weights")])
def test_the_rewarded_bin_is_chosen_more_often(kind: str, code: object, channel: str) -> None:
    """P18: fails where log-probabilities are gathered at other bins than the sampled ones. Phrases are certain here."""
    ppo = PPO(actors(kind, code), PROMPTS, FAST)  # type: ignore[arg-type]
    rewards = [ppo.step()[0]["reward"] for _ in range(15)]
    assert sum(rewards[-3:]) / 3 > max(0.8, rewards[0] + 0.25), (channel, rewards)


@pytest.mark.parametrize("advantage", ["group", "grpo"])
def test_a_rewarded_word_is_said_more_often(advantage: str) -> None:
    """N4, with each kind of advantage."""
    ppo = PPO(
        actors("seq2seq", says_watermark, windows=(replace_full(),), weights=(1.0,)),
        PROMPTS,
        replace(FAST, advantage=advantage),
    )
    rewards = [ppo.step()[0]["reward"] for _ in range(25)]
    assert sum(rewards[-3:]) / 3 > sum(rewards[:3]) / 3 + 0.25, rewards


def replace_full() -> object:

    return FULL


def test_before_the_first_update_every_ratio_is_one() -> None:
    ppo = PPO(actors("df", late_share), PROMPTS, FAST)
    rollout = ppo._roll_out()
    again = ppo.actors.policy.analyze(rollout.prompts, rollout.responses, ppo.sampling)
    for channel in CHANNELS:
        assert torch.equal(again.logprobs[channel].detach(), rollout.old[channel])
        assert torch.equal(rollout.old[channel], rollout.reference[channel])


def test_each_reward_belongs_to_its_own_response() -> None:
    """P16: a painter that tells pairs apart, a scorer that must agree with them row by row."""
    ppo = PPO(actors("df", late_share), PROMPTS, replace(FAST, pictures=3))
    rollout = ppo._roll_out()
    assert rollout.rewards.tolist() == pytest.approx([late_share(pair) for pair in rollout.pairs])
    assert len(rollout.images) == 3 * len(rollout)


def test_responses_to_one_prompt_share_their_noise() -> None:
    seen: list[int] = []

    class Remembering(CodePainter):
        def paint(self, pairs: object, seeds: object) -> torch.Tensor:
            seen.extend(seeds)  # type: ignore[call-overload]
            return super().paint(pairs, seeds)  # type: ignore[arg-type]

    everybody = replace(actors("df", late_share), painter=Remembering(late_share))
    PPO(everybody, PROMPTS, FAST)._roll_out()
    assert all(a == b for a, b in zip(seen[::2], seen[1::2], strict=True)) and len(set(seen)) == FAST.prompts


def test_a_price_on_divergence_holds_the_policy_back() -> None:
    free, held = (PPO(actors("df", late_share), PROMPTS, replace(FAST, kl=price)) for price in (0.0, 3.0))
    for _ in range(12):
        free_kl, held_kl = free.step()[0]["kl"], held.step()[0]["kl"]
    assert abs(held_kl) < 0.5 * free_kl


def test_a_reward_that_is_no_number_stops_the_run() -> None:
    everybody = actors("df", lambda pair: float("nan"))
    with pytest.raises(Exception, match="not a finite number"):
        PPO(everybody, PROMPTS, FAST).step()


def test_the_reference_stays_as_it_was() -> None:
    everybody = actors("df", late_share)
    before = {name: value.clone() for name, value in everybody.reference.state_dict().items()}
    ppo = PPO(everybody, PROMPTS, FAST)
    ppo.step()
    assert all(torch.equal(before[name], value) for name, value in everybody.reference.state_dict().items())
    moved = [name for name, value in everybody.policy.state_dict().items() if not torch.equal(before[name], value)]
    assert any(name.startswith("model.") for name in moved) and any(name.startswith("heads.") for name in moved)


def test_settings_without_meaning_are_refused() -> None:
    for wrong, told in (
        ({"advantage": "best"}, "one of group, grpo, not 'best'"),
        ({"advantage": "gae"}, "one of group, grpo, not 'gae'; the value head is gone"),
        ({"group": 1}, "group >= 2, got 1"),
        ({"epochs": 0}, "epochs need to be at least 1"),
    ):
        with pytest.raises(TrainingError, match=told):
            PPOSettings(**wrong)
    with pytest.raises(TrainingError, match="KL target of 5 needs a coefficient"):
        PPOSettings(kl=0.0, kl_target=5.0)
    with pytest.raises(TrainingError, match="PPO draws from every word, got top_k 5"):
        PPOSettings(sampling=Sampling(top_k=5))
    with pytest.raises(TrainingError, match="no prompts"):
        PPO(actors("df", late_share), [], FAST)
    assert Reward((RewardTerm(Brightness()),)).terms


@pytest.mark.parametrize(
    ("model", "usual"),
    [("world", (12, 2.5, 3e-4)), ("comfy:http://a:1", (12, 2.5, 3e-4)), ("hf:owner/name", (25, 7.5, 5e-5))],
)
def test_the_demo_worlds_settings_reach_no_other_model(model: str, usual: tuple[int, float, float]) -> None:
    """P17: what is not said is PAE's rate and NegOpt's sampling, unless the demo world paints."""
    run = PPORun(folder=Path("r"), policy=Path("p"), prompts="world", model=model)
    found = filled_in(run)
    assert (found.paint_steps, found.cfg, found.ppo.learning_rate) == usual
    told = filled_in(replace(run, paint_steps=3, cfg=1.5, rate=0.1))
    assert (told.paint_steps, told.cfg, told.ppo.learning_rate) == (3, 1.5, 0.1)


def test_twins_share_their_words_and_are_credited_apart_for_windows() -> None:
    """Windows are compared under the same words; words by the mean of their twins."""
    settings = replace(FAST, prompts=32, group=4, twins=2, is_standardised=False)
    ppo = PPO(actors("seq2seq", late_share), PROMPTS, settings)
    rollout = ppo._roll_out()
    words, windows = rollout.responses.words, rollout.responses.windows
    assert torch.equal(words[0::2], words[1::2])
    assert not torch.equal(windows[0::2], windows[1::2])
    parts = ppo.advantages(rollout)
    assert torch.equal(parts["words"][0::2], parts["words"][1::2])
    ends = rollout.responses.is_phrase_end
    assert not parts["windows"][~ends].any()
    first = parts["windows"].sum(dim=1) / ends.sum(dim=1).clamp(min=1)
    better = (rollout.rewards[0::2] - rollout.rewards[1::2]).sign()
    assert torch.equal((first[0::2] - first[1::2]).sign(), better), "the twin with the better picture is preferred"


def test_where_all_of_a_group_are_twins_words_learn_nothing() -> None:
    """Means of equal numbers differ by rounding, which whitening must not blow up."""
    ppo = PPO(actors("seq2seq", late_share), PROMPTS, replace(FAST, prompts=32, group=4, twins=4))
    rollout = ppo._roll_out()
    ppo.moments.update(torch.tensor([0.1, 0.7, 0.3]))
    parts = ppo.advantages(rollout)
    assert float(parts["words"].abs().max()) < 0.01 < 0.5 < float(parts["windows"].abs().max())


@pytest.mark.parametrize("twins", [3, 0])
def test_twins_that_do_not_divide_a_group_are_refused(twins: int) -> None:
    with pytest.raises(TrainingError, match="twins"):
        PPOSettings(group=4, twins=twins)


def test_entropy_of_the_schedule_holds_its_windows_open() -> None:
    def entropy(coefficient: float) -> float:
        ppo = PPO(actors("df", late_share), PROMPTS, replace(FAST, schedule_entropy=coefficient))
        steps = [ppo.step()[0] for _ in range(12)]
        return steps[-1]["entropy/windows"] + steps[-1]["entropy/weights"]

    assert entropy(0.5) > entropy(0.0) + 0.2


def test_a_channel_that_becomes_certain_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """A channel that never had a choice (one weight) is not told."""
    steps = iter([(2.0, 0.5, 0.0), (1.0, 0.01, 0.0), (0.5, 0.01, 0.0), (0.01, 0.5, 0.0), (0.01, 0.001, 0.0)])
    step = watched(lambda: {f"entropy/{name}": nats for name, nats in zip(CHANNELS, next(steps), strict=True)})
    for _ in range(5):
        step()
    told = [one.message for one in caplog.records]
    assert len(told) == 2 and "windows have collapsed: 0.01 nats" in told[0] and "words have collapsed" in told[1]
    assert "--schedule-entropy" in told[0] and "--entropy" in told[1]
    everybody = PPO(actors("df", late_share), PROMPTS, FAST)
    assert set(CHANNELS) == {name.removeprefix("entropy/") for name in everybody.step()[0] if "entropy/" in name}
