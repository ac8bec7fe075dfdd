"""What pictures and clicks say about phrases: one Gaussian posterior over all effects, by what the prompt is about.

The reward of a picture with the options S under a prompt is modelled as

    prompt and noise + topic z + gain(S, z) + rest

where `gain` is that of `Effects`, with independent Gaussian priors on its parts, on what prompt and noise give, on what
concepts give by themselves, and on the rest. Their variances are those under which the rewards are likeliest (empirical
Bayes). Everything follows from an [M, M] covariance that is solved once (Rasmussen and Williams, Gaussian Processes for
Machine Learning, 2006, chapter 2); draws are by Matheron's rule. A click "this one of two pictures" is a row of the
same model with a logistic likelihood (Bradley and Terry, 1952) in Laplace's approximation (chapter 3 there).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..errors import ModelError
from ..policy.tuned.effects import Array, Effects
from .data import Data, rows_of, to_pictures, values_of

PARTS = ("phrase", "concept", "option", "size", "pairs", "group", "topic", "rest")
_START = (0.3, 0.2, 0.15, 0.2, 0.1, 0.7, 0.5, 0.7)
"""Standard deviations where the search begins, in spreads of the rewards."""
_DOUBT = 1.0
"""Spread of the logarithm of each around there: a weak belief that keeps a few rewards from deciding it."""
_WIDE = 1.0
"""Spreads of the rewards: a prior of phrases that says next to nothing."""
BELIEF = 0.5
"""Standard deviation of what a unit of earlier knowledge is worth, in spreads of the rewards."""
CLICK = 2.0
"""Log odds that a picture is preferred which is better by one spread of the rewards."""
_ROUNDS, _STEPS, _JITTER = 3, 25, 1e-6
_ENOUGH = 1e-2
"""Nats: the search for the standard deviations ends where it gains less."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """The data, the standard deviations of the parts, and what is solved once."""

    data: Data
    deviations: Array
    """As PARTS has them, in spreads of the rewards."""
    inverse: Array
    """[M, M] inverse covariance of rewards, then clicks."""
    target: Array
    """[M] rewards and what clicks stand for, centred and in spreads."""
    noise: Array
    """[M] variance of what clicks stand for; 0 for rewards."""
    spread: float
    """Of the rewards; 1 where there are only clicks."""

    def mean(self) -> Effects:
        """The expected effects, in the unit of the rewards."""
        return self._scaled(self._update(self.inverse @ self.target))

    def draw(self, rng: np.random.Generator) -> Effects:
        """A draw of all effects: one of the prior, corrected by what it misses of the data."""
        data, sd = self.data, self.deviations
        texts, width = data.before.shape[1], data.concepts.shape[1]
        half = np.triu(rng.standard_normal((texts, texts)), 1)
        pairs = (half + half.T) / math.sqrt(2.0) + np.diag(rng.standard_normal(texts))
        prior = Effects(
            sd[0] * rng.standard_normal(texts),
            sd[1] * rng.standard_normal((texts, width)),
            sd[2] * rng.standard_normal(data.options.shape[1]),
            BELIEF * float(rng.standard_normal()),
            sd[3] * float(rng.standard_normal()),
            sd[4] * pairs,
        )
        other = sd[5] * rng.standard_normal(int(data.groups.max()) + 1)[data.groups]
        other = other + sd[6] * data.concepts @ rng.standard_normal(width) + rng.standard_normal()
        pictures = values_of(data, prior) + other
        drawn = rows_of(data, pictures)
        noise = np.where(self.noise > 0, np.sqrt(self.noise), sd[7])
        missed = self.target - drawn - noise * rng.standard_normal(len(drawn))
        more = self._update(self.inverse @ missed)
        return self._scaled(_plus(prior, more))

    def moments(self, what: Effects) -> tuple[float, float]:
        """Mean and standard deviation of <what, effects>, in the unit of the rewards."""
        cross = rows_of(self.data, self._cross(what))
        value = float(cross @ self.inverse @ self.target)
        variance = self._own(what) - float(cross @ self.inverse @ cross)
        return self.spread * value, self.spread * math.sqrt(max(variance, 0.0))

    def unshrunk(self) -> Posterior:
        """With next to no belief that a phrase does little.

        Intervals of single phrases then hold what is true as often as they say; shrunk ones are nearer on average.
        """
        deviations = self.deviations.copy()
        deviations[0] = max(deviations[0], _WIDE)
        rewards = int(np.isfinite(self.data.rewards).sum())
        covariance = _covariance(_row_kernels(self.data), self.noise, rewards, torch.from_numpy(deviations))
        return replace(self, deviations=deviations, inverse=np.linalg.inv(covariance.numpy()))

    def _update(self, alpha: Array) -> Effects:
        """Prior covariance of the effects with the rows, times alpha [M]."""
        data, sd = self.data, self.deviations
        each = to_pictures(data, alpha)
        texts = data.texts
        weighted = texts * each[:, None]
        return Effects(
            sd[0] ** 2 * weighted.sum(0),
            sd[1] ** 2 * weighted.T @ data.concepts,
            sd[2] ** 2 * (data.options * each[:, None]).sum(0),
            BELIEF**2 * float((weighted * data.before).sum()),
            sd[3] ** 2 * float(weighted.sum()),
            sd[4] ** 2 * weighted.T @ texts,
        )

    def _cross(self, what: Effects) -> Array:
        """[N] prior covariance of <what, effects> with the gains of the pictures."""
        sd = self.deviations
        weighted = Effects(
            sd[0] ** 2 * what.phrase,
            sd[1] ** 2 * what.concept,
            sd[2] ** 2 * what.option,
            BELIEF**2 * what.belief,
            sd[3] ** 2 * what.size,
            sd[4] ** 2 * what.pairs,
        )
        return values_of(self.data, weighted)

    def _own(self, what: Effects) -> float:
        sd = self.deviations
        squares = [np.square(part).sum() for part in (what.phrase, what.concept, what.option, what.size, what.pairs)]
        return float(sum(sd[part] ** 2 * one for part, one in enumerate(squares))) + BELIEF**2 * what.belief**2

    def _scaled(self, effects: Effects) -> Effects:
        k = self.spread
        return Effects(
            k * effects.phrase,
            k * effects.concept,
            k * effects.option,
            k * effects.belief,
            k * effects.size,
            k * effects.pairs,
        )


def _plus(one: Effects, two: Effects) -> Effects:
    return Effects(
        one.phrase + two.phrase,
        one.concept + two.concept,
        one.option + two.option,
        one.belief + two.belief,
        one.size + two.size,
        one.pairs + two.pairs,
    )


def fit(data: Data, known: Sequence[float] | None = None) -> Posterior:
    """The posterior. `known` are standard deviations that are taken as they are, such as those of some pictures ago.

    Raises ModelError without any reward or click, and for rewards that are infinite.
    """
    seen = data.rewards[~np.isnan(data.rewards)]
    if not len(seen) and not len(data.clicks):
        raise ModelError("there is nothing to learn from: no picture has a reward and no two were compared")
    if not np.isfinite(seen).all():
        raise ModelError("a reward is not a finite number; look at the pictures and the scorer's weights")
    spread = float(seen.std()) if len(seen) > 1 and seen.std() > 0 else 1.0
    centre = float(seen.mean()) if len(seen) else 0.0
    parts = _row_kernels(data)
    fixed = (seen - centre) / spread
    gaps = np.zeros(len(data.clicks))
    logs = torch.tensor(np.log(_START if known is None else known))
    for _ in range(_ROUNDS if len(gaps) else 1):
        sites = [_site(gap) for gap in gaps]
        target = np.concatenate([fixed, np.array([one[0] for one in sites])])
        noise = np.concatenate([np.zeros(len(fixed)), np.array([one[1] for one in sites])])
        if known is None:
            logs = _search(parts, target, noise, len(fixed), logs)
        inverse = np.linalg.inv(_covariance(parts, noise, len(fixed), logs.exp()).numpy())
        found = Posterior(data, logs.exp().numpy(), inverse, target, noise, spread)
        if len(gaps):
            pictures = values_of(data, found._update(inverse @ target))
            gaps = pictures[data.clicks[:, 0]] - pictures[data.clicks[:, 1]]
    return found


def _site(gap: float) -> tuple[float, float]:
    """What a click stands for, in spreads of the rewards, where the gap is thought to be `gap`: value and variance."""
    chance = 1.0 / (1.0 + math.exp(-CLICK * gap))
    slope = max(chance * (1.0 - chance), 1e-4)
    return gap + (1.0 - chance) / (CLICK * slope), 1.0 / (CLICK**2 * slope)


def _search(
    parts: Sequence[torch.Tensor], target: Array, noise: Array, rewards: int, begin: torch.Tensor
) -> torch.Tensor:
    """Logarithms of the likeliest standard deviations."""
    y, centre = torch.from_numpy(target), torch.tensor(_START, dtype=torch.float64).log()
    logs = begin.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS(
        [logs], max_iter=_STEPS, tolerance_change=_ENOUGH, tolerance_grad=_ENOUGH, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        factor = torch.linalg.cholesky(_covariance(parts, noise, rewards, logs.exp()))
        alpha = torch.cholesky_solve(y[:, None], factor)[:, 0]
        doubt = 0.5 * ((logs - centre) / _DOUBT).square().sum()
        value: torch.Tensor = 0.5 * y @ alpha + factor.diagonal().log().sum() + doubt
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return logs.detach()


def _row_kernels(data: Data) -> list[torch.Tensor]:
    """[M, M] for each of PARTS but the last, then what does not depend on a variance."""
    texts = data.texts
    shared, topic = texts @ texts.T, data.concepts @ data.concepts.T
    sizes, known = texts.sum(1), (texts * data.before).sum(1)
    same = (data.groups[:, None] == data.groups[None]).astype(float)
    plain = data.options @ data.options.T
    kernels = [shared, shared * topic, plain, np.outer(sizes, sizes), shared**2, same, topic]
    kernels.append(BELIEF**2 * np.outer(known, known) + 1.0)  # nor is the mean of the rewards known exactly
    lift = np.array([rows_of(data, row) for row in np.eye(len(texts))]).T if len(data.clicks) else None
    if lift is None and np.isfinite(data.rewards).all():
        return [torch.from_numpy(kernel) for kernel in kernels]
    if lift is None:
        lift = np.eye(len(texts))[np.isfinite(data.rewards)]
    return [torch.from_numpy(lift @ kernel @ lift.T) for kernel in kernels]


def _covariance(parts: Sequence[torch.Tensor], noise: Array, rewards: int, deviations: torch.Tensor) -> torch.Tensor:
    total = parts[-1]
    for part, deviation in zip(parts[:-1], deviations[:-1], strict=True):
        total = total + deviation**2 * part
    is_reward = torch.arange(len(noise)) < rewards
    return total + torch.diag(torch.from_numpy(noise) + is_reward * deviations[-1] ** 2 + _JITTER)
