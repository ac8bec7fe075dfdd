"""Running mean and spread of rewards, so that a learning rate and a price of divergence mean the same on any scale."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(slots=True)
class RunningMoments:
    """Mean and variance over everything seen so far (Chan's pairwise update)."""

    count: float = 0.0
    mean: float = 0.0
    squares: float = 0.0
    """Sum of squared distances from the mean."""

    def update(self, values: Tensor) -> None:
        """Take in a batch."""
        values = values.double()
        size, mean = len(values), float(values.mean())
        squares = float((values - mean).square().sum())
        total, shift = self.count + size, mean - self.mean
        self.squares += squares + shift**2 * self.count * size / total
        self.mean += shift * size / total
        self.count = total

    @property
    def spread(self) -> float:
        """Standard deviation; 1 while nothing has varied."""
        return (self.squares / self.count) ** 0.5 if self.count and self.squares > 0 else 1.0

    def standardise(self, values: Tensor) -> Tensor:
        """Values as distances from the mean in units of the spread."""
        return (values - self.mean) / self.spread
