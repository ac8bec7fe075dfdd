"""docs/generated/learning.md and its plot, from the scores of `run_learning`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from negopt_core.files import write_bytes, write_text
from negopt_core.measure.statistics import Interval, mean_interval
from studies.learning.run import Scores
from studies.learning.settings import LearningSettings
from studies.learning.simulate import LEAST, PHRASES
from studies.policies.curves import draw_curves

_NAMES = {
    "tune": "tune (drawn sets)",
    "random": "random sets, the same posterior",
    "regression": "random sets beside none, ridge regression",
    "ppo": "PPO from SFT",
}


def write_learning(
    settings: LearningSettings, scores: Scores, audits: Mapping[int, Mapping[str, float]]
) -> dict[str, Any]:
    """Write the table and the plot; returns the figures."""
    rows = {name: {int(n): _row(each) for n, each in by_n.items()} for name, by_n in scores.items()}
    lines = [
        "# Pictures painted, and what was learned from them",
        "",
        f"Command: `python -m negopt_core world learning`. {settings.seeds} training seeds,",
        f"{settings.prompts} held-out prompts x 1 noise, the same for all.",
        f"Learned on pictures of {settings.train_steps} steps with the `reward` judge, measured on",
        f"pictures of {settings.paint_steps} steps with the `eval` judge, in {settings.paint_dtype}.",
        "R over no negative, R = quality + 3 alignment. ± is half of a 95 % interval over",
        "prompts of the mean of the seeds; then each seed. Pictures count everything that was painted to learn.",
        "",
        "| learner | pictures | R over none | seeds |",
        "| --- | --- | --- | --- |",
    ]
    for name, by_n in rows.items():
        for n, (interval, each) in sorted(by_n.items()):
            told = ", ".join(f"{value:.2f}" for value in each)
            lines.append(
                f"| {_NAMES[name]} | {n:,} | {interval.value:.2f} ± {interval.value - interval.low:.2f} | {told} |"
            )
    lines += ["", "![Pictures against R over none](learning.png)", ""]
    lines += _audit_lines(settings, audits)
    write_text(settings.document, "\n".join(lines))
    curves = {
        _NAMES[name]: [(float(n), row[0].value) for n, row in sorted(by_n.items())] for name, by_n in rows.items()
    }
    write_bytes(settings.document.with_suffix(".png"), draw_curves("R over none on held-out prompts", curves))
    return {name: {n: row[0].plain() for n, row in by_n.items()} for name, by_n in rows.items()}


def _audit_lines(settings: LearningSettings, audits: Mapping[int, Mapping[str, float]]) -> list[str]:
    lines = [
        "## How often an audit is right",
        "",
        f"{settings.audits} simulated audits of {PHRASES} phrases (`studies/learning/simulate.py`): half do nothing,",
        f"the others {LEAST:g} to 1 to either side, where a picture's own chance has a spread of 1. `held`: 95 %",
        "intervals that hold the truth; `useless`: useless phrases not called helpful or harmful; `decided`: others",
        "decided right.",
        "",
        "| pictures | held | useless | decided |",
        "| --- | --- | --- | --- |",
    ]
    rows = [f"| {n} | {one['held']:.3f} | {one['useless']:.3f} | {one['strong']:.3f} |" for n, one in audits.items()]
    return [*lines, *rows, ""]


def _row(by_seed: Mapping[str, list[float]]) -> tuple[Interval, list[float]]:
    """Over prompts, of the mean of the seeds; and the mean of each seed."""
    values = np.array([by_seed[seed] for seed in sorted(by_seed)])
    return mean_interval(values.mean(0)), values.mean(1).tolist()
