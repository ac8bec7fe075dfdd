"""How often an audit is right: simulated rewards with known effects, in place of pictures."""

from __future__ import annotations

import numpy as np

from negopt_core.policy.tuned.effects import Array, Option, Stock
from negopt_core.text.prompt import Span
from negopt_core.tune.audit import HELPS, HURTS, phrase_effects
from negopt_core.tune.data import Data
from negopt_core.tune.posterior import fit

PHRASES, LEAST = 16, 0.3
"""Of an audit; the smallest effect of those that have one, where a picture's own chance is 1."""


def simulated_audit(rng: np.random.Generator, pictures: int, phrases: int = PHRASES) -> tuple[Array, Stock, Data]:
    """True effects [J], half of them 0 and the others 0.3 to 1 to either side, and a fold-over design's rewards.

    Prompt and noise have a spread of 1, and so has chance; four concepts change each effect by 0.1.
    """
    signs = rng.choice([-1.0, 1.0], phrases)
    true = np.where(rng.random(phrases) < 0.5, 0.0, signs * rng.uniform(LEAST, 1.0, phrases))
    pairs = pictures // 2
    coins = rng.integers(0, 2, (pairs, phrases)).astype(float)
    options = np.stack([coins, 1.0 - coins], 1).reshape(2 * pairs, phrases)
    groups = np.repeat(np.arange(pairs), 2)
    concepts = rng.integers(0, 2, (pairs, 4)).astype(float)[groups]
    by_concept = 0.1 * rng.standard_normal((phrases, 4)) * (true != 0)[:, None]
    rewards = options @ true + ((options @ by_concept) * (concepts - 0.5)).sum(1)
    rewards = rewards + rng.standard_normal(pairs)[groups] + rng.standard_normal(2 * pairs)
    stock = Stock(tuple(Option("negative", Span(f"word {place}")) for place in range(phrases)))
    nothing, none = np.zeros((2 * pairs, phrases)), np.zeros((0, 2), np.int64)
    return true, stock, Data(options, np.arange(phrases), concepts, nothing, groups, rewards, none)


def audit_figures(runs: int, pictures: int, seed: int = 0) -> dict[str, float]:
    """Shares: 95 % intervals that hold the truth; useless phrases not called anything else; others decided right."""
    held, useless, strong = [], [], []
    for run in range(runs):
        true, stock, data = simulated_audit(np.random.default_rng((seed, run)), pictures)
        for row, value in zip(phrase_effects(fit(data).unshrunk(), stock), true, strict=True):
            held.append(row.effect.low <= value <= row.effect.high)
            if value == 0:
                useless.append(row.verdict not in (HELPS, HURTS))
            else:
                strong.append(row.verdict == (HELPS if value > 0 else HURTS))
    return {"held": float(np.mean(held)), "useless": float(np.mean(useless)), "strong": float(np.mean(strong))}
