"""A world of numbers instead of pictures: rewards of sets with known effects, for plans and journals."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from negopt_core.policy.tuned.effects import Option, Stock
from negopt_core.text.prompt import Span
from negopt_core.tune.audit import AuditPlan
from negopt_core.tune.evidence import Source
from negopt_core.tune.journal import Journal
from negopt_core.tune.rounds import Ask, Reader
from negopt_core.tune.tune import TunePlan

EFFECTS = {"blurry": 0.8, "watermark": 0.5, "hdr": 0.0, "grainy": -0.6, "artstation": 0.0, "low quality": 0.4}
STOCK = Stock(tuple(Option("negative", Span(word)) for word in EFFECTS))
SOURCE = Source("sd15", "abc", "tables", "20 steps")
_THINGS = ("house", "dog", "tree", "car")
PROMPTS = tuple(f"a {medium} of a {thing}" for medium in ("photo", "painting") for thing in _THINGS)
WEIGHTS = {"score": 1.0}


def reward_of(ask: Ask, stock: Stock, effects: Mapping[str, float] = EFFECTS, noise: float = 0.5) -> float:
    """Depends on nothing but the picture: prompt and noise, what the words do, chance."""
    base = np.random.default_rng([ask.seed, len(ask.prompt)]).standard_normal()
    rest = np.random.default_rng([ask.seed, *ask.options, 7]).standard_normal()
    said = {stock.options[one].span.text for one in ask.options}
    return float(base + noise * rest + sum(effects.get(word, 0.0) for word in said))


def judge(journal: Journal, effects: Mapping[str, float] = EFFECTS) -> None:
    """Tell everything that waits."""
    row = journal.rounds[-1]
    waiting = journal.waiting
    journal.tell(waiting, [{"score": reward_of(one, row.stock, effects)} for one in waiting])


def run(plan: AuditPlan | TunePlan, journal: Journal, effects: Mapping[str, float] = EFFECTS) -> None:
    """To the end."""
    while (row := plan.next(journal)) is not None:
        journal.ask(row)
        judge(journal, effects)


def audit_plan(pictures: int = 256, seed: int = 0) -> AuditPlan:
    return AuditPlan(Reader(STOCK, "sd15", is_free=True), PROMPTS, SOURCE, WEIGHTS, pictures, seed=seed)


def tune_plan(pictures: int = 160, seed: int = 0, check: int = 24, **more: object) -> TunePlan:
    rivals = {"before": dict.fromkeys(PROMPTS[:4], (2,))}
    reader = Reader(STOCK, "sd15")
    settings: dict[str, Any] = {"pictures": pictures, "check": check, "seed": seed, **more}
    return TunePlan(reader, PROMPTS[4:], PROMPTS[:4], SOURCE, WEIGHTS, rivals, STOCK, **settings)


def journal_in(folder: Path) -> Journal:
    return Journal.open(folder, {"kind": "test"})
