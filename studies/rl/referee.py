"""What the judge that training saw and one that it did not see say of the same pictures, and the pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from negopt_core.lab.compare.study import Design
from negopt_core.lab.train.samples import written
from negopt_core.measure.draw import Card, draw_cards, to_file
from negopt_core.measure.statistics import mean_interval
from negopt_core.text.prompt import PromptPair
from studies.document import table
from studies.policies.tables import Results
from studies.world.arms import NONE
from studies.world.runner import Runner

SHOWN = 24
"""Prompts on a sheet."""


def referee_table(judge: Results, referee: Results, names: Mapping[str, str]) -> str:
    """Gains over none by both; the prompts that the referee finds worse; `names`: row -> arm."""
    rows = []
    for name, arm in names.items():
        gains = referee.values(arm) - referee.values(NONE)
        cells = [judge.gain(arm, NONE), referee.gain(arm, NONE)]
        cells += [referee.gain(arm, NONE, measure) for measure in ("mean_quality", "alignment")]
        worse = mean_interval((gains < 0).double())
        rows.append([name, *map(str, cells), str(worse), f"{referee.inception(arm):.1f}"])
    head = ("", "R by the judge", "R by the referee", "quality", "alignment", "worse prompts", "Inception Score")
    return table(head, rows)


def sheets(
    runner: Runner, design: Design, arm: str, pairs: Sequence[PromptPair], judge: Results, referee: Results
) -> tuple[bytes, bytes]:
    """JPEGs of the prompts with the referee's largest and smallest gain: the plain picture above the arm's."""
    gains, believed = (results.values(arm) - results.values(NONE) for results in (referee, judge))
    order = gains.argsort(descending=True).tolist()
    made = []
    for title, places in (("largest", order[:SHOWN]), ("smallest", order[: -SHOWN - 1 : -1])):
        plain, painted = (runner.pictures(design, name, places) for name in (NONE, arm))
        cards = [
            Card(image, design.items[place].prompt, _added(pairs[place]), _told(gains, believed, place))
            for image, place in zip(torch.cat([plain, painted], dim=2), places, strict=True)
        ]
        heading = f"{arm}: the referee's {title} gains of {len(gains)}; plain above, with the policy's words below"
        made.append(to_file(draw_cards(heading, cards), "JPEG", quality=60))
    return made[0], made[1]


def _added(pair: PromptPair) -> str:
    polarity = "negative" if pair.negative.text else "modifiers"
    return ("negative: " if polarity == "negative" else "") + written(pair, polarity)


def _told(gains: Tensor, believed: Tensor, place: int) -> str:
    return f"R {float(gains[place]):+.2f} by the referee, {float(believed[place]):+.2f} by the judge"
