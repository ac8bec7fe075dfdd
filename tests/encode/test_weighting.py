"""Weighting rules against numbers worked by hand."""

from __future__ import annotations

import pytest
import torch

from negopt_core import PromptError
from negopt_core.encode.weighting import RULES, check_rule, weigh

STATES = torch.tensor([[1.0, 3.0], [2.0, 2.0], [4.0, 0.0]])  # mean 2
EMPTY = torch.tensor([[1.0, 3.0], [1.0, 1.0], [0.0, 2.0]])


@pytest.mark.parametrize(
    ("rule", "weights", "expected"),
    [
        # [1,3] [4,4] [4,0]: mean 16/6, so everything is scaled by 2 / (16/6) = 0.75
        ("pae", [1, 2, 1], [[0.75, 2.25], [3.0, 3.0], [3.0, 0.0]]),
        ("pae-raw", [1, 2, 1], [[1, 3], [4, 4], [4, 0]]),
        ("pae-raw", [1, 1, 0.25], [[1, 3], [2, 2], [1, 0]]),
        ("comfy", [1, 2, 1], [[1, 3], [3, 3], [4, 0]]),  # 1 + 2 * (2 - 1)
        ("comfy", [1, 1, 0], [[1, 3], [2, 2], [0, 2]]),  # weight 0 is the empty prompt
        ("comfy", [1, 1, 0.5], [[1, 3], [2, 2], [2, 1]]),
        ("compel", [1, 2, 1], [[1, 3], [3, 3], [4, 0]]),  # above 1 the same as comfy
        ("none", [1, 2, 0], [[1, 3], [2, 2], [4, 0]]),
    ],
)
def test_rules_give_the_numbers_worked_by_hand(rule, weights, expected):
    found = weigh(rule, STATES, weights, EMPTY)
    assert torch.allclose(found, torch.tensor(expected, dtype=torch.float32), atol=1e-6)


def test_compel_at_one_half_lies_midway_between_the_row_with_and_without_the_phrase():
    without = torch.tensor([[1.0, 3.0], [6.0, 2.0], [9.0, 9.0]])
    found = weigh("compel", STATES, [1, 1, 0.5], EMPTY, [(0.5, without)])
    # third token: both rows are first moved halfway to empty, (2, 1) and (4.5, 5.5); then averaged
    assert torch.allclose(found, torch.tensor([[1.0, 3.0], [4.0, 2.0], [3.25, 3.25]]), atol=1e-5)


def test_compel_at_zero_is_the_row_without_the_phrase():
    without = torch.tensor([[1.0, 3.0], [6.0, 2.0], [0.0, 2.0]])
    found = weigh("compel", STATES, [1, 1, 0], EMPTY, [(0.0, without)])
    assert torch.allclose(found, without, atol=1e-3)


@pytest.mark.parametrize("rule", RULES)
def test_weight_one_returns_the_very_same_tensor(rule):
    assert weigh(rule, STATES, [1.0, 1.0, 1.0], EMPTY) is STATES


@pytest.mark.parametrize("rule", ["pae-raw", "comfy", "compel"])
def test_tokens_of_weight_one_keep_every_bit(rule):
    torch.manual_seed(0)
    states, empty = torch.randn(3, 5), torch.randn(3, 5)
    found = weigh(rule, states, [1.0, 1.3, 1.0], empty)
    assert torch.equal(found[[0, 2]], states[[0, 2]])
    assert not torch.equal(found[1], states[1])


@pytest.mark.parametrize(
    "states",
    [
        [[1.0, -1.0], [2.0, -2.0]],  # mean exactly 0
        [[1.0, -1.0], [-1e-7, 0.0]],  # mean nearly 0 before
        [[-1.0, -1.0], [1.5, 1.5]],  # the mean changes sign
    ],
)
def test_pae_does_not_restore_a_mean_that_carries_no_scale(states):
    found = weigh("pae", torch.tensor(states), [1.0, 0.5])
    assert torch.allclose(found, torch.tensor([states[0], [value * 0.5 for value in states[1]]]))


def test_half_precision_comes_back_as_half_precision():
    found = weigh("pae", STATES.half(), [1, 2, 1])
    assert found.dtype == torch.float16
    assert torch.allclose(found.float(), torch.tensor([[0.75, 2.25], [3.0, 3.0], [3.0, 0.0]]), atol=2e-3)


def test_an_unknown_rule_is_named_with_the_known_ones():
    with pytest.raises(PromptError, match=r"'a1111'; use one of pae, pae-raw, comfy, compel, none"):
        check_rule("a1111")
