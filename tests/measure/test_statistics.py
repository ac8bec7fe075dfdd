"""Intervals cover what they promise, pairs are pairs, and what is no number is left out and counted."""

import math

import numpy
import pytest
import torch

from negopt_core.measure.statistics import (
    compare,
    effect_size,
    holm,
    mean_interval,
    prompt_means,
    sign_flip_p,
    student_quantile,
)

NAN = float("nan")


def test_a_prompt_counts_once_however_many_seeds_it_has() -> None:
    scores = numpy.array([[1.0, 3.0], [NAN, 5.0], [NAN, NAN]])
    assert prompt_means(scores).tolist() == [2.0, 5.0]


@pytest.mark.parametrize("count", [3, 8, 40])
def test_intervals_cover_the_mean_about_as_often_as_they_say(count: int) -> None:
    rng = numpy.random.default_rng(1)
    hits = 0
    for _ in range(400):
        found = mean_interval(rng.normal(2.0, 1.0, count))
        hits += found.low <= 2.0 <= found.high
    assert 0.92 <= hits / 400 <= 0.98


def test_an_interval_is_students_whatever_holds_the_values() -> None:
    for values in ([1.0, 2.0, 3.0], numpy.array([1.0, 2.0, 3.0]), torch.tensor([1.0, 2.0, 3.0])):
        found = mean_interval(values)
        assert found.value == 2.0 and found.high - 2.0 == pytest.approx(4.303 / math.sqrt(3), abs=1e-3)
        assert found.high - 2.0 == pytest.approx(2.0 - found.low) and str(found) == "2.00 ± 2.48"


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(1, 12.706), (2, 4.303), (7, 2.365), (30, 2.042), (255, 1.969), (4000, 1.961)]
)
def test_quantiles_are_those_of_the_printed_tables(freedom: int, quantile: float) -> None:
    assert student_quantile(freedom) == pytest.approx(quantile, abs=6e-4)


def test_an_interval_of_a_share_ends_at_nothing_and_at_all() -> None:
    assert mean_interval([0.0, 1.0, 1.0], is_share=True).high == 1.0
    assert mean_interval([0.0, 1.0, 0.0], is_share=True).low == 0.0
    assert mean_interval([0.0, 1.0, 1.0]).high > 1.0


def test_the_same_seed_draws_the_same_interval_and_order_of_arms_only_turns_the_sign() -> None:
    rng = numpy.random.default_rng(2)
    one, other = rng.normal(0, 1, (12, 2)), rng.normal(0.3, 1, (12, 2))
    forth, back = compare(one, other, seed=3), compare(other, one, seed=3)
    assert forth == compare(one, other, seed=3)
    assert forth.difference.value == pytest.approx(-back.difference.value)
    assert forth.win_rate.value == pytest.approx(1 - back.win_rate.value)
    assert forth.effect == pytest.approx(-back.effect) and forth.p == pytest.approx(back.p, abs=0.02)


def test_numbers_by_hand() -> None:
    arm, reference = numpy.array([[2.0], [4.0], [3.0], [1.0]]), numpy.array([[1.0], [2.0], [3.0], [2.0]])
    found = compare(arm, reference)
    assert found.difference.value == 0.5  # of 1, 2, 0, -1
    assert found.win_rate.value == pytest.approx(0.625)  # two wins, one tie, one loss
    assert found.effect == pytest.approx(0.5 / math.sqrt(5 / 3))
    assert compare(arm, reference, higher_is_better=False).win_rate.value == pytest.approx(0.375)


def test_a_score_that_is_no_number_takes_its_partner_with_it() -> None:
    arm, reference = numpy.array([[1.0, NAN], [2.0, 3.0]]), numpy.array([[0.0, 0.0], [NAN, 1.0]])
    found = compare(arm, reference)
    assert (found.pairs, found.excluded, found.prompts) == (2, 2, 2)
    assert found.difference.value == 1.5


def test_where_there_is_too_little_nothing_is_claimed() -> None:
    nothing = compare(numpy.full((3, 1), NAN), numpy.zeros((3, 1)))
    assert nothing.prompts == 0 and math.isnan(nothing.difference.value) and math.isnan(nothing.p)
    one = compare(numpy.array([[2.0]]), numpy.array([[1.0]]))
    assert one.difference.value == 1.0 and math.isnan(one.difference.low) and math.isnan(one.p)


def test_arms_that_are_equal_and_arms_that_differ_by_a_constant() -> None:
    assert effect_size(numpy.zeros(5)) == 0.0 and math.isnan(effect_size(numpy.ones(5)))
    assert sign_flip_p(numpy.zeros(5)) == 1.0
    assert sign_flip_p(numpy.ones(20)) < 0.001


def test_the_sign_flip_test_is_right_under_no_difference() -> None:
    rng = numpy.random.default_rng(5)
    small = sum(sign_flip_p(rng.normal(0, 1, 15), seed=n, draws=400) < 0.05 for n in range(300))
    assert 0.02 <= small / 300 <= 0.09


def test_holm_by_hand() -> None:
    found = holm([0.01, 0.04, 0.03, NAN])
    assert found[:3] == pytest.approx([0.03, 0.06, 0.06]) and math.isnan(found[3])
    assert holm([0.9, 0.8]) == [1.0, 1.0] and holm([]) == []


def test_intervals_agree_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats", reason="NOT COMPARED WITH SCIPY: it is not installed")
    values = numpy.random.default_rng(7).gamma(2.0, 1.0, 60)
    found = mean_interval(values)
    low, high = stats.t.interval(0.95, 59, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)
    exact = stats.permutation_test(
        (values - 1.8,), numpy.mean, permutation_type="samples", n_resamples=20_000, rng=1
    ).pvalue
    assert sign_flip_p(values - 1.8, draws=20_000) == pytest.approx(exact, abs=0.02)
