"""The value head: what reward to expect from here on, read from the policy's own states without moving them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Critic(nn.Module):
    """V(state) for states [B, T, D] -> [B, T]; a hidden layer, zero at the start."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU())
        self.out = nn.Linear(width, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """States are detached: the critic learns from the policy's states, not the other way round."""
        values: Tensor = self.out(self.body(hidden.detach()))[..., 0]
        return values


def new_critic(width: int, seed: int) -> Critic:
    """A critic whose weights depend on the seed only, and no random state but its own is touched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Critic(width)
