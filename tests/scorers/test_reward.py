"""Rewards: the papers' forms, exact on the worked vectors, each picture with its own prompt."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch

from negopt_core.errors import ModelError
from negopt_core.scorers.base import Reward, RewardTerm


@dataclass
class Fixed:
    name: str
    values: Sequence[float]

    def __call__(self, images: torch.Tensor, prompts: Sequence[str]) -> torch.Tensor:
        return torch.tensor(self.values)


@dataclass
class Length:
    """Scores the length of the prompt plus the brightness of the picture: shows a wrong pairing at once."""

    name: str = "length"

    def __call__(self, images: torch.Tensor, prompts: Sequence[str]) -> torch.Tensor:
        return torch.tensor([float(len(prompt)) for prompt in prompts]) + images.mean(dim=(1, 2, 3))


def pae(aesthetic: float, clip: float, pick: float) -> float:
    terms = (
        RewardTerm(Fixed("aesthetic", [aesthetic])),
        RewardTerm(Fixed("clip", [clip]), 20.0, floor=0.28),
        RewardTerm(Fixed("pickscore", [pick]), 1.0, floor=18.0),
    )
    return float(Reward(terms)(torch.zeros(1, 3, 4, 4), ["a"]).total)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [((6.0, 0.25, 17.5), 4.9), ((6.0, 0.30, 20.0), 6.0), ((5.0, 0.28, 18.0), 5.0), ((5.0, 0.18, 16.0), 1.0)],
)
def test_pae_hinges_match_the_worked_vectors(scores: tuple[float, float, float], expected: float) -> None:
    assert pae(*scores) == pytest.approx(expected, abs=1e-5)


@dataclass
class Paired(Fixed):
    """Scores the pictures of the plain prompt, which are black, from a second list."""

    plain: Sequence[float] = ()

    def __call__(self, images: torch.Tensor, prompts: Sequence[str]) -> torch.Tensor:
        return torch.tensor(self.plain if not images.any() else self.values)


@pytest.mark.parametrize(("beta", "expected"), [(0.0, 4.9), (0.5, 2.4), (1.0, -0.1)])
def test_pae_with_beta_takes_the_plain_pictures_beauty_off(beta: float, expected: float) -> None:
    """P15, equation 4 on papers.md's vector (aes 6.0, clip 0.25, pick 17.5); the plain picture has 5.0."""
    terms = (
        RewardTerm(Paired("aesthetic", [6.0], [5.0]), baseline=beta),
        RewardTerm(Paired("clip", [0.25], [0.1]), 20.0, floor=0.28),
        RewardTerm(Paired("pickscore", [17.5], [1.0]), 1.0, floor=18.0),
    )
    reward, image = Reward(terms), torch.ones(1, 3, 1, 1)
    assert reward.needs_plain == bool(beta)
    assert float(reward(image, ["p"], torch.zeros(1, 3, 1, 1)).total) == pytest.approx(expected, abs=1e-5)
    if beta:
        with pytest.raises(ModelError, match="plain prompt's picture"):
            reward(image, ["p"])


def test_a_hinge_can_be_measured_from_the_plain_picture_and_each_from_its_own() -> None:
    """No worse than 0.01 below the plain picture: 20 * min(0, s - s0 + 0.01)."""
    term = RewardTerm(Paired("clip", [0.25, 0.30, 0.295], [0.30, 0.20, 0.30]), 20.0, floor=-0.01, baseline=1.0)
    scored = Reward((term,))(torch.ones(3, 3, 1, 1), ["a", "b", "c"], torch.zeros(3, 3, 1, 1))
    assert scored.total.tolist() == pytest.approx([-0.8, 0.0, 0.0], abs=1e-5)
    with pytest.raises(ModelError, match="plain picture needs its own prompt"):
        Reward((term,))(torch.ones(3, 3, 1, 1), ["a", "b", "c"], torch.zeros(2, 3, 1, 1))
    for wrong in (-1.0, float("nan")):
        with pytest.raises(ModelError):
            RewardTerm(Length(), baseline=wrong)


def test_negopt_weighs_five_one_one_and_terms_add_up() -> None:
    terms = (
        RewardTerm(Fixed("a", [6.0, 5.0]), 5.0),
        RewardTerm(Fixed("b", [0.3, 0.2])),
        RewardTerm(Fixed("c", [1.0, 2.0])),
    )
    scored = Reward(terms)(torch.zeros(2, 3, 4, 4), ["x", "y"])
    assert scored.total.tolist() == pytest.approx([31.3, 27.2])
    assert scored.terms["a"].tolist() == pytest.approx([30.0, 25.0])
    assert torch.stack(list(scored.terms.values())).sum(0).tolist() == pytest.approx(scored.total.tolist())


def test_permuting_pictures_and_prompts_together_permutes_the_reward_and_apart_changes_it() -> None:
    images, prompts = torch.rand(4, 3, 4, 4, generator=torch.Generator().manual_seed(1)), ["a", "bb", "ccc", "dddd"]
    reward, order = Reward((RewardTerm(Length()),)), [2, 0, 3, 1]
    total = reward(images, prompts).total
    assert torch.equal(reward(images[order], [prompts[i] for i in order]).total, total[order])
    assert not torch.allclose(reward(images[order], prompts).total, total[order])


@pytest.mark.parametrize("values", [[1.0], [float("nan"), 1.0], [float("inf"), 1.0]])
def test_scores_of_the_wrong_number_or_not_finite_are_refused(values: list[float]) -> None:
    with pytest.raises(ModelError):
        Reward((RewardTerm(Fixed("a", values)),))(torch.zeros(2, 3, 4, 4), ["x", "y"])


def test_a_reward_needs_terms_distinct_names_and_as_many_prompts_as_pictures() -> None:
    term = RewardTerm(Fixed("a", [1.0]))
    for terms in ((), (term, term)):
        with pytest.raises(ModelError):
            Reward(terms)
    with pytest.raises(ModelError, match="its own prompt"):
        Reward((term,))(torch.zeros(1, 3, 4, 4), [])
    with pytest.raises(ModelError, match="finite"):
        RewardTerm(Fixed("a", [1.0]), float("nan"))
