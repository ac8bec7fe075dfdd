"""The tables of docs/generated/results.md: arms side by side, and what the policies write, when and how strongly.

A row of several training seeds is their mean; differences are paired by prompt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from negopt_core.measure.statistics import Interval, mean_interval
from negopt_core.policy.phrases import phrase_spans, without_prefix
from negopt_core.scorers.fidelity import divergence, inception_score
from negopt_core.text.prompt import PromptPair, Span, Window
from studies.document import table
from studies.world.arms import NONE
from studies.world.scores import Scores

_HEAD = ("", "quality", "to none", "alignment", "to none", "fidelity", "Inception Score", "R to none", "R to {}")
_MEASURES = {"R": "reward", "quality": "mean_quality", "alignment": "alignment", "fidelity": "fidelity"}
_MOST_FREQUENT = 15


@dataclass(frozen=True)
class Results:
    """Scores by the name of the arm. A name without a seed stands for the mean of `name-0`, `name-1`, ..."""

    arms: dict[str, Scores]
    seeds: int

    def of_seeds(self, name: str) -> list[Scores]:
        """What a row is made of."""
        if name in self.arms:
            return [self.arms[name]]
        return [self.arms[f"{name}-{seed}"] for seed in range(self.seeds)]

    @cached_property
    def _marginal(self) -> Tensor:
        """p_ref of fidelity: how often each class comes in pictures without a negative."""
        return self.arms[NONE].posteriors.flatten(0, 1).mean(dim=0)

    def values(self, name: str, measure: str = "reward") -> Tensor:
        """[P] reward, mean_quality, alignment or fidelity, KL(p(y|x) || p_ref), averaged over noises and seeds."""
        if measure == "fidelity":
            parts = [divergence(one.posteriors, self._marginal).mean(dim=1) for one in self.of_seeds(name)]
        else:
            parts = [getattr(one, measure) for one in self.of_seeds(name)]
        return torch.stack(parts).mean(dim=0)

    def reward(self, name: str) -> float:
        """Mean R."""
        return float(self.values(name).mean())

    def inception(self, name: str) -> float:
        """Inception Score over all pictures of a training seed, averaged over seeds."""
        parts = [inception_score(one.posteriors.flatten(0, 1))[0] for one in self.of_seeds(name)]
        return sum(parts) / len(parts)

    def gain(self, name: str, other: str, measure: str = "reward") -> Interval:
        """Paired difference of a measure."""
        return mean_interval(self.values(name, measure) - self.values(other, measure))

    def table(self, names: Sequence[str], reference: str) -> str:
        """One row for each name; the last column is against `reference`, if that is not none."""
        columns = len(_HEAD) - (reference == NONE)
        head = [column.format(reference) for column in _HEAD]
        return table(head[:columns], [self._row(name, reference)[:columns] for name in names])

    def _row(self, name: str, reference: str) -> list[str]:
        cells = [name]
        for measure in ("mean_quality", "alignment"):
            cells.append(str(mean_interval(self.values(name, measure))))
            cells.append(str(self.gain(name, NONE, measure)) if name != NONE else "")
        cells += [str(mean_interval(self.values(name, "fidelity"))), f"{self.inception(name):.2f}"]
        return cells + [str(self.gain(name, other)) if name != other else "" for other in (NONE, reference)]

    def gap_closed(self, name: str, floor: str, ceiling: str) -> str:
        """How much of the way from the best fixed negative to the searched one a policy goes."""
        room = self.reward(ceiling) - self.reward(floor)
        share = f"{(self.reward(name) - self.reward(floor)) / room:.0%}" if room > 0 else "no"
        return (
            f"The best fixed negative is `{floor}`; the searched negatives are {self.gain(ceiling, floor)} above it. "
            f"`{name}` is {self.gain(name, floor)} above it: {share} of the room."
        )

    def differences(self, pairs: Sequence[tuple[str, str]]) -> str:
        """Paired differences of R, quality, alignment and fidelity."""
        rows = [
            [f"{name} - {other}", *(str(self.gain(name, other, measure)) for measure in _MEASURES.values())]
            for name, other in pairs
        ]
        return table(["", *_MEASURES], rows)

    def by_seed(self, names: Sequence[str], reference: str) -> str:
        """R over a reference for each training seed: what the intervals over prompts do not hold."""
        seeds = range(self.seeds)
        rows = [[name, *(str(self.gain(f"{name}-{seed}", reference)) for seed in seeds)] for name in names]
        return table([f"R over {reference}", *(f"seed {seed}" for seed in seeds)], rows)

    def wins(self, name: str, others: Sequence[str]) -> str:
        """Share of prompts on which R is higher, ties half."""
        rows = []
        for other in others:
            difference = self.values(name) - self.values(other)
            share = mean_interval((difference > 0).double() + 0.5 * (difference == 0).double())
            rows.append([f"{name} against {other}", str(share)])
        return table(["", "win rate"], rows)

    def figures(self) -> dict[str, dict[str, float]]:
        """Means of every single arm."""
        return {name: {**one.means, "R": round(float(one.reward.mean()), 4)} for name, one in self.arms.items()}


def added_spans(prompts: Sequence[str], pairs: Sequence[PromptPair]) -> list[Span]:
    """Every phrase behind the prompts, with its window and weight."""
    return [
        span
        for prompt, pair in zip(prompts, pairs, strict=True)
        for span in phrase_spans(without_prefix(pair.positive, prompt) or ())
    ]


def phrase_tables(spans: Sequence[Span], windows: Mapping[str, Window], weights: Sequence[float]) -> list[str]:
    """The most frequent modifiers with the shares of their windows and weights; the most frequent pairs of both."""
    names = {window: name for name, window in windows.items()}
    timed = Counter((span.text, names.get(span.window, "other")) for span in spans)
    weighted = Counter((span.text, span.weight) for span in spans)
    rows = []
    for phrase, count in Counter(span.text for span in spans).most_common(_MOST_FREQUENT):
        counts = [*(timed[phrase, name] for name in windows), *(weighted[phrase, weight] for weight in weights)]
        rows.append([phrase, str(count), *(f"{one / count:.2f}" for one in counts)])
    head = ["modifier", "times", *windows, *(f"x {weight:g}" for weight in weights)]
    return [table(head, rows), settings_table(spans, windows)]


def settings_table(spans: Sequence[Span], windows: Mapping[str, Window]) -> str:
    """The most frequent pairs of window and weight."""
    names = {window: name for name, window in windows.items()}
    counts = Counter((names.get(span.window, "other"), span.weight) for span in spans).most_common(_MOST_FREQUENT)
    rows = [[window, f"{weight:g}", f"{count / len(spans):.2f}"] for (window, weight), count in counts]
    return table(["window", "weight", "share"], rows)


def agreement_table(spans: Sequence[Span], windows: Mapping[str, Window], best: Mapping[str, str]) -> str:
    """For each modifier whose best window is known, by name: how often a policy gives it that window."""
    rows = []
    for word, name in best.items():
        used = [span.window for span in spans if span.text == word]
        share = f"{sum(window == windows[name] for window in used) / len(used):.2f}" if used else "-"
        rows.append([word, name, str(len(used)), share])
    return table(["modifier", "best window", "times", "in that window"], rows)
