"""What people wrote moves the tables where enough of them from enough sources agree, and nowhere else."""

import numpy as np
import pytest

from negopt_core.errors import TrainingError
from negopt_core.lab.train.people import SHARPNESS, Said, Support, fit, map_effects
from negopt_core.policy.loglinear.knowledge import Knowledge
from negopt_core.policy.loglinear.lexicon import Lexicon

LEXICON = Lexicon(Knowledge.read())
SUPPORT = Support(prior_sd=0.3)


def rows(prompt: str, phrase: str, count: int, sources: int = 3) -> list[Said]:
    said = frozenset([phrase]) if phrase else frozenset()
    return [Said(f"{prompt} {number}", said, 1.0, f"source {number % sources}") for number in range(count)]


def test_effects_are_found_again_in_drawn_data() -> None:
    rng = np.random.default_rng(0)
    features = (rng.random((4000, 3)) < 0.4).astype(float)
    true = np.array([0.5, -0.4, 0.0])
    chance = 1 / (1 + np.exp(-(-1.0 + SHARPNESS * features @ true)))
    said = (rng.random(4000) < chance).astype(float)
    means, sds = map_effects(features, said, np.zeros(4000), np.ones(4000), prior_sd=1.0)
    assert np.all(np.abs(means - true) < 3 * sds) and sds.max() < 0.05


def test_the_tables_own_gain_is_not_learned_again() -> None:
    rng = np.random.default_rng(1)
    features = (rng.random((4000, 1)) < 0.5).astype(float)
    prior = 0.6 * features[:, 0]
    said = (rng.random(4000) < 1 / (1 + np.exp(-(-1.0 + SHARPNESS * prior)))).astype(float)
    means, sds = map_effects(features, said, prior, np.ones(4000), prior_sd=1.0)
    assert abs(means[0]) < 3 * sds[0]


def test_what_many_say_of_a_concept_is_learned() -> None:
    said = rows("a dragon", "noisy", 40) + rows("a spoon", "", 200)
    learned = fit("negative", said, LEXICON, SUPPORT).effects["negative"]["dragon"]["noisy"]
    assert learned.mean > 2 * learned.sd and learned.count == 40


@pytest.mark.parametrize(
    "said",
    [
        rows("a dragon", "noisy", 40, sources=1) + rows("a spoon", "", 200),
        rows("a dragon", "noisy", 3) + rows("a spoon", "noisy", 20) + rows("a spoon", "", 180),
        rows("a dragon", "no phrase of the stock", 40) + rows("a spoon", "", 200),
        rows("the sky", "extra legs", 40) + rows("a spoon", "", 200),
    ],
    ids=["one source", "few rows", "no phrase of the stock", "limbs of a sky"],
)
def test_what_has_too_little_behind_it_is_not_learned(said: list[Said]) -> None:
    effects = fit("negative", said, LEXICON, SUPPORT).effects["negative"]
    assert not [phrase for name in ("dragon", "sky") for phrase in effects.get(name, {})]


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(TrainingError, match="no rows"):
        fit("negative", [], LEXICON)
