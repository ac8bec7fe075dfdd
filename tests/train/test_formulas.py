"""The formulas of PPO against numbers worked by hand."""

import pytest
import torch

from negopt_core.lab.train.formulas import (
    KLController,
    RunningMoments,
    clip_fraction,
    group_advantages,
    masked_mean,
    policy_loss,
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


def test_a_group_is_compared_with_itself() -> None:
    rewards = torch.tensor([1.0, 3.0, 5.0, 5.0])
    torch.testing.assert_close(group_advantages(rewards, 2, False), torch.tensor([-1.0, 1.0, 0.0, 0.0]))
    torch.testing.assert_close(group_advantages(rewards, 2, True), torch.tensor([-1.0, 1.0, 0.0, 0.0]))
    torch.testing.assert_close(group_advantages(rewards, 4, False, twins=2), torch.tensor([-1.5, -1.5, 1.5, 1.5]))


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
