"""The posterior against textbook linear algebra, its draws against its moments, clicks, and hopeless data."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from negopt_core.errors import ModelError
from negopt_core.policy.tuned.effects import Room, best_set
from negopt_core.tune.data import Data, set_of
from negopt_core.tune.posterior import BELIEF, Posterior, fit


def make_data(pictures: int = 40, texts: int = 4, seed: int = 0, clicks: bool = False) -> tuple[Data, np.ndarray]:
    """Pairs of the same prompt and noise, rewards from known effects."""
    rng = np.random.default_rng(seed)
    true = np.linspace(-1.0, 1.0, texts)
    options = rng.integers(0, 2, (pictures, texts)).astype(float)
    groups = np.repeat(np.arange(pictures // 2), 2)
    concepts = np.repeat(rng.integers(0, 2, (pictures // 2, 2)).astype(float), 2, axis=0)
    gains = options @ true
    rewards = gains + 2.0 * rng.standard_normal(pictures // 2)[groups] + 0.3 * rng.standard_normal(pictures)
    pairs = np.arange(pictures).reshape(-1, 2)
    wins = np.where((gains[pairs[:, 0]] >= gains[pairs[:, 1]])[:, None], pairs, pairs[:, ::-1])
    differ = gains[pairs[:, 0]] != gains[pairs[:, 1]]
    return (
        Data(
            options,
            np.arange(texts),
            concepts,
            rng.random((pictures, texts)),
            groups,
            np.full(pictures, np.nan) if clicks else rewards,
            wins[differ] if clicks else np.zeros((0, 2), np.int64),
        ),
        true,
    )


def features(data: Data) -> tuple[np.ndarray, np.ndarray]:
    """The same model written out with one column a coefficient, and how often each part has columns."""
    texts = data.texts
    count = texts.shape[1]
    columns = [
        texts,
        np.einsum("nt,nc->ntc", texts, data.concepts).reshape(len(texts), -1),
        data.options,
        texts.sum(1, keepdims=True),
        np.einsum("nj,nk->njk", texts, texts).reshape(len(texts), -1),
        np.eye(int(data.groups.max()) + 1)[data.groups],
        data.concepts,
        (texts * data.before).sum(1, keepdims=True),
        np.ones((len(texts), 1)),
    ]
    assert count == data.before.shape[1]
    return np.concatenate(columns, 1), np.array([part.shape[1] for part in columns])


def test_moments_are_those_of_a_linear_model_with_every_coefficient_written_out() -> None:
    data, _ = make_data()
    found = fit(data)
    columns, widths = features(data)
    sd = found.deviations
    each = [sd[0], sd[1], sd[2], sd[3], sd[4], sd[5], sd[6], BELIEF, 1.0]
    prior = np.repeat(np.square(each), widths)
    noise = sd[7] ** 2 + 1e-6
    precision = np.diag(1 / prior) + columns.T @ columns / noise
    mean = np.linalg.solve(precision, columns.T @ found.target / noise)
    covariance = np.linalg.inv(precision)
    for place in range(4):
        options = np.eye(4)[place]
        what = set_of(options, data.text_of, np.array([1.0, 0.0]), np.array([0.1, 0.2, 0.3, 0.4]))
        row = np.concatenate(
            [
                what.phrase,
                what.concept.ravel(),
                what.option,
                [what.size],
                what.pairs.ravel(),
                np.zeros(widths[5]),
                np.zeros(2),
                [what.belief],
                [0.0],
            ]
        )
        value, deviation = found.moments(what)
        assert value == pytest.approx(found.spread * row @ mean, rel=1e-4, abs=1e-6)
        assert deviation == pytest.approx(found.spread * np.sqrt(row @ covariance @ row), rel=1e-4)


def value_of(found: Posterior, what: object, effects: object) -> float:
    parts = ("phrase", "concept", "option", "pairs")
    total = sum(float((getattr(what, name) * getattr(effects, name)).sum()) for name in parts)
    return total + what.belief * effects.belief + what.size * effects.size  # type: ignore[attr-defined]


def test_draws_scatter_as_the_moments_say() -> None:
    data, _ = make_data()
    found, rng = fit(data), np.random.default_rng(1)
    what = set_of(np.array([1.0, 0.0, 1.0, 0.0]), data.text_of, np.array([1.0, 1.0]), np.full(4, 0.5))
    drawn = [value_of(found, what, found.draw(rng)) for _ in range(3000)]
    mean, deviation = found.moments(what)
    assert value_of(found, what, found.mean()) == pytest.approx(mean)
    assert np.mean(drawn) == pytest.approx(mean, abs=4 * deviation / np.sqrt(3000))
    assert np.std(drawn) == pytest.approx(deviation, rel=0.08)


def effects_of(found: Posterior) -> list[float]:
    """The mean effect of each text alone, over the prompts."""
    data = found.data
    concepts, before = data.concepts.mean(0), np.zeros(4)
    return [found.moments(set_of(np.eye(4)[one], data.text_of, concepts, before))[0] for one in range(4)]


def test_prompt_and_noise_do_not_blur_what_phrases_do() -> None:
    data, true = make_data(200)
    gains = [
        fit(data).moments(set_of(np.eye(4)[one], data.text_of, data.concepts.mean(0), np.zeros(4)))[0]
        for one in range(4)
    ]
    assert np.abs(np.array(gains) - true).max() < 0.25  # noise of 2 between prompts, 0.3 within


def test_clicks_alone_tell_the_order() -> None:
    data, true = make_data(240, clicks=True)
    found = fit(data)
    gains = [
        found.moments(set_of(np.eye(4)[one], data.text_of, data.concepts.mean(0), np.zeros(4)))[0] for one in range(4)
    ]
    assert list(np.argsort(gains)) == list(np.argsort(true))


def test_clicks_and_rewards_agree_on_one_scale() -> None:
    rewards, _ = make_data(120)
    clicks, _ = make_data(120, clicks=True)
    both = Data(
        rewards.options,
        rewards.text_of,
        rewards.concepts,
        rewards.before,
        rewards.groups,
        rewards.rewards,
        clicks.clicks,
    )
    what = set_of(np.eye(4)[3], rewards.text_of, rewards.concepts.mean(0), np.zeros(4))
    alone, together = fit(rewards).moments(what), fit(both).moments(what)
    assert together[1] < alone[1]
    assert abs(together[0] - alone[0]) < 3 * alone[1]


def test_equal_rewards_say_that_nothing_acts() -> None:
    data, _ = make_data()
    flat = replace(data, rewards=np.ones(40))
    value, deviation = fit(flat).moments(set_of(np.eye(4)[0], data.text_of, np.zeros(2), np.zeros(4)))
    assert value == pytest.approx(0.0, abs=1e-9) and np.isfinite(deviation)


@pytest.mark.parametrize(("reward", "says"), [(np.nan, "nothing to learn from"), (np.inf, "not a finite number")])
def test_rewards_that_are_no_numbers_are_refused(reward: float, says: str) -> None:
    data, _ = make_data()
    broken = replace(data, rewards=np.full(40, reward))
    with pytest.raises(ModelError, match=says):
        fit(broken)


TEXT_OF = np.array([0, 1, 2, 3, 4, 5, 5])
"""The last two are options of one text."""
ROOM = Room(np.array([1, 2, 1, 3, 1, 2, 2.0]), np.array([0, 0, 0, 1, 1, 0, 0]), (4.0, 4.0), (3, 2))


def set_value(chosen: tuple[int, ...], gains: np.ndarray, pairs: np.ndarray) -> float:
    texts = TEXT_OF[list(chosen)]
    return float(gains[list(chosen)].sum() + pairs[np.ix_(texts, texts)].sum())


def fits(chosen: tuple[int, ...]) -> bool:
    sides = [[one for one in chosen if ROOM.sides[one] == side] for side in (0, 1)]
    is_short = all(
        sum(ROOM.costs[one] for one in mine) <= ROOM.tokens[side] and len(mine) <= ROOM.most[side]
        for side, mine in enumerate(sides)
    )
    return is_short and len(set(TEXT_OF[list(chosen)])) == len(chosen)


def test_the_best_set_is_as_good_as_the_best_of_all_sets() -> None:
    rng = np.random.default_rng(3)
    every = [c for n in range(6) for c in itertools.combinations(range(7), n) if fits(c)]
    shares = []
    for _ in range(100):
        gains, half = rng.standard_normal(7), rng.standard_normal((6, 6)) * 0.2
        pairs = (half + half.T) / 2
        best = max(set_value(one, gains, pairs) for one in every)
        found = tuple(best_set(gains, pairs, TEXT_OF, ROOM))
        assert fits(found)
        shares.append(set_value(found, gains, pairs) / best if best > 0 else 1.0)
    assert np.mean(shares) > 0.97  # a climb finds nearly always the very best
