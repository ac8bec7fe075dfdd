"""The formulas of PPO against numbers worked by hand."""

import pytest
import torch

from negopt_core.lab.train.formulas import (
    KLController,
    RunningMoments,
    clip_fraction,
    gae,
    group_advantages,
    masked_mean,
    place_rewards,
    policy_loss,
    value_loss,
    whiten,
)

MASK = torch.tensor([[True, True, True], [True, False, False]])


def test_policy_loss_at_ratio_one_is_minus_the_mean_advantage() -> None:
    zeros = torch.zeros(1, 2)
    assert float(policy_loss(zeros, zeros, torch.tensor([[1.0, -2.0]]), torch.ones(1, 2).bool(), 0.2)) == 0.5


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss"), [(1.5, 1.0, -1.2), (1.5, -1.0, 1.5), (0.5, 1.0, -0.5), (0.5, -1.0, 0.8)]
)
def test_the_clip_takes_away_what_there_is_to_gain(ratio: float, advantage: float, loss: float) -> None:
    one = torch.ones(1, 1)
    found = policy_loss(one * torch.tensor(ratio).log(), 0 * one, one * advantage, one.bool(), 0.2)
    assert float(found) == pytest.approx(loss)


def test_places_outside_of_the_mask_count_for_nothing() -> None:
    values = torch.tensor([[1.0, 2.0, 3.0], [4.0, 100.0, float("nan")]])
    assert float(masked_mean(values, MASK)) == 2.5
    assert float(masked_mean(values, torch.zeros_like(MASK))) == 0.0


def test_value_loss_takes_the_larger_error() -> None:
    new, old, returns = torch.tensor([[2.0]]), torch.tensor([[0.0]]), torch.tensor([[3.0]])
    assert float(value_loss(new, old, returns, torch.tensor([[True]]), 0.4)) == pytest.approx(0.5 * 2.6**2)
    assert float(value_loss(new, old, returns, torch.tensor([[True]]), 9.0)) == pytest.approx(0.5)


def test_the_reward_comes_with_the_last_action_and_penalties_with_each() -> None:
    penalties = torch.tensor([[0.1, 0.2, 0.3], [0.4, 9.0, 9.0]])
    found = place_rewards(torch.tensor([1.0, 2.0]), penalties, MASK)
    torch.testing.assert_close(found, torch.tensor([[-0.1, -0.2, 0.7], [1.6, 0.0, 0.0]]))


def test_generalised_advantages_by_hand() -> None:
    rewards = torch.tensor([[0.0, 0.0, 1.0], [2.0, 0.0, 0.0]])
    values = torch.tensor([[0.5, 0.6, 0.7], [1.0, 9.0, 9.0]])
    advantages, returns = gae(rewards, values, MASK, 1.0, 0.5)
    third = 1.0 - 0.7
    second = (0.7 - 0.6) + 0.5 * third
    first = (0.6 - 0.5) + 0.5 * second
    torch.testing.assert_close(advantages, torch.tensor([[first, second, third], [1.0, 0.0, 0.0]]))
    torch.testing.assert_close(returns, torch.where(MASK, advantages + values, 0.0))


def test_without_smoothing_loss_of_the_future_is_the_one_step_error() -> None:
    rewards, values = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[0.0, 1.0, 2.0]])
    advantages, _ = gae(rewards, values, torch.ones(1, 3).bool(), 0.9, 0.0)
    torch.testing.assert_close(advantages, torch.tensor([[1 + 0.9, 2 + 1.8 - 1, 3.0 - 2.0]]))


def test_a_group_is_compared_with_itself() -> None:
    rewards = torch.tensor([[0.0, 1.0], [0.0, 3.0], [5.0, 0.0], [5.0, 0.0]])
    mask = torch.tensor([[True, True], [True, True], [True, False], [True, True]])
    torch.testing.assert_close(
        group_advantages(rewards, mask, 2, False), torch.tensor([[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    )
    assert float(group_advantages(rewards, mask, 2, True)[1, 0]) == pytest.approx(1.0, abs=1e-4)


def test_whitening_looks_at_actions_only() -> None:
    values = torch.tensor([[1.0, 2.0, 3.0], [4.0, 1e6, 1e6]])
    found = whiten(values, MASK)
    assert float(found[MASK].mean()) == pytest.approx(0.0, abs=1e-6)
    assert float(found[MASK].std(unbiased=False)) == pytest.approx(1.0, abs=1e-5)
    assert not found[~MASK].any() and not whiten(torch.full_like(values, 7.0), MASK).any()


def test_the_price_of_divergence_follows_its_target() -> None:
    price = KLController(0.1, target=2.0)
    price.update(20.0)
    assert price.coefficient == pytest.approx(0.102)
    price.update(1.8)
    assert price.coefficient == pytest.approx(0.102 * 0.99)
    fixed = KLController(0.1)
    fixed.update(50.0)
    assert fixed.coefficient == 0.1


def test_clip_fraction_counts_ratios_outside() -> None:
    new = torch.tensor([[0.0, 0.3, -0.3, 0.1]])
    assert float(clip_fraction(new, torch.zeros(1, 4), torch.ones(1, 4).bool(), 0.2)) == 0.5


def test_running_moments_are_those_of_everything_seen() -> None:
    values = torch.randn(50, generator=torch.Generator().manual_seed(1)) * 3 + 7
    moments = RunningMoments()
    assert moments.spread == 1.0
    for part in values.split(7):
        moments.update(part)
    assert moments.mean == pytest.approx(float(values.mean()), rel=1e-5)
    assert moments.spread == pytest.approx(float(values.std(unbiased=False)), rel=1e-5)
    assert float(moments.standardise(values).std(unbiased=False)) == pytest.approx(1.0, rel=1e-4)


def test_twins_count_with_their_mean() -> None:
    mask = torch.ones(4, 1, dtype=torch.bool)
    rewards = torch.tensor([[1.0], [3.0], [5.0], [7.0]])
    told = group_advantages(rewards, mask, 4, is_scaled=False, twins=2)
    assert told[:, 0].tolist() == [-2.0, -2.0, 2.0, 2.0]
