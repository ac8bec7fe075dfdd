"""How much better than expected each action was: pure functions, each tested against numbers worked by hand."""

from __future__ import annotations

import torch
from torch import Tensor


def whiten(values: Tensor, mask: Tensor) -> Tensor:
    """Mean 0 and variance 1 over the places of the mask; 0 outside. A constant becomes 0."""
    kept = values[mask]
    mean, spread = kept.mean(), kept.std(unbiased=False)
    return torch.where(mask, (values - mean) / (spread + 1e-8), 0.0)


def place_rewards(reward: Tensor, penalties: Tensor, is_action: Tensor) -> Tensor:
    """[B, T] reward of each place: minus its penalty, plus the picture's reward [B] at the last action."""
    last = is_action.long().cumsum(dim=1).eq(is_action.sum(dim=1, keepdim=True)) & is_action
    return torch.where(is_action, -penalties, 0.0) + last * reward[:, None]


def gae(rewards: Tensor, values: Tensor, is_action: Tensor, discount: float, smoothing: float) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation (arXiv 1506.02438): advantages and returns, both [B, T].

    delta_t = r_t + discount V_(t+1) - V_t and A_t = delta_t + discount * smoothing * A_(t+1); V after the end is 0.
    """
    values = torch.where(is_action, values, 0.0)
    advantages = torch.zeros_like(rewards)
    following = torch.zeros_like(rewards[:, 0])
    for place in reversed(range(rewards.shape[1])):
        next_value = values[:, place + 1] if place + 1 < rewards.shape[1] else torch.zeros_like(following)
        delta = rewards[:, place] + discount * next_value - values[:, place]
        following = torch.where(is_action[:, place], delta + discount * smoothing * following, 0.0)
        advantages[:, place] = following
    return advantages, torch.where(is_action, advantages + values, 0.0)


def group_advantages(rewards: Tensor, is_action: Tensor, group: int, is_scaled: bool) -> Tensor:
    """[B, T] total reward of a response minus the mean over the `group` responses to the same prompt, at every action.

    `is_scaled` divides by the group's standard deviation, as GRPO does (arXiv 2402.03300).
    """
    totals = torch.where(is_action, rewards, 0.0).sum(dim=1).view(-1, group)
    centred = totals - totals.mean(dim=1, keepdim=True)
    if is_scaled:
        centred = centred / (totals.std(dim=1, unbiased=False, keepdim=True) + 1e-6)
    return torch.where(is_action, centred.flatten()[:, None], 0.0)
