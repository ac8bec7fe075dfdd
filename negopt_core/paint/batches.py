"""What one call of a pipeline paints: jobs, grouped so that no picture depends on its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..encode.conditioning import Conditioner, Encoded, Text
from ..text.prompt import DFPrompt, PromptPair
from ..text.schedule import Schedule, compile_schedule, segment_at


@dataclass(frozen=True, slots=True)
class Job:
    """One picture: its place in the order, seed, and the schedules of both sides."""

    place: int
    seed: int
    positive: Schedule
    negative: Schedule
    is_plain: bool
    """Nothing is scheduled or weighted and both sides fit one row: the pipeline can take the strings themselves."""
    chunks: int
    """Rows of tokens of the longest segment of either side."""


def plan_job(place: int, pair: PromptPair, seed: int, steps: int, conditioner: Conditioner, is_guided: bool) -> Job:
    """Compile a pair for a run of `steps`; without guidance the negative is left out, because nothing would read it."""
    positive = compile_schedule(pair.positive, steps)
    negative = compile_schedule(pair.negative if is_guided else DFPrompt(), steps)
    segments = positive + negative
    chunks = max(conditioner.chunk_count(segment.parts) for segment in segments)
    is_weighted = conditioner.rule != "none" and any(w != 1.0 for segment in segments for _, w in segment.parts)
    is_plain = len(segments) == 2 and chunks == 1 and not is_weighted and conditioner.is_like_pipeline
    return Job(place, seed, positive, negative, is_plain, chunks)


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs for one call of the pipeline: all plain, or all encoded at the same number of rows."""

    jobs: tuple[Job, ...]

    @property
    def is_plain(self) -> bool:
        """True if the pipeline takes the strings themselves."""
        return self.jobs[0].is_plain

    def as_strings(self) -> dict[str, Any]:
        """The text arguments of a plain batch; no negative at all is what the pipelines call None."""
        negatives = [job.negative[0].text for job in self.jobs]
        return {
            "prompt": [job.positive[0].text for job in self.jobs],
            "negative_prompt": negatives if any(negatives) else None,
        }

    def encode(self, conditioner: Conditioner, device: torch.device, is_guided: bool) -> Conditioning:
        """Encode every segment of every job, in one call of each text encoder."""
        texts = [Text(segment.parts) for job in self.jobs for segment in job.positive]
        if is_guided:
            texts += [Text(segment.parts, True) for job in self.jobs for segment in job.negative]
        return Conditioning(self.jobs, conditioner.encode(texts, device), is_guided)


@dataclass(frozen=True, slots=True, eq=False)
class Conditioning:
    """What the model is given at each step, for all jobs of a batch."""

    jobs: tuple[Job, ...]
    encoded: dict[Text, Encoded]
    is_guided: bool

    def at_start(self) -> dict[str, torch.Tensor]:
        """The pipeline's arguments for the first step."""
        sides = {"": self._side(0, False)} | ({"negative_": self._side(0, True)} if self.is_guided else {})
        given = {}
        for prefix, encoded in sides.items():
            given[f"{prefix}prompt_embeds"] = _states(encoded)
            if encoded[0].pooled is not None:
                given[f"{prefix}pooled_prompt_embeds"] = _pooled(encoded)
        return given

    def entering(self, step: int) -> dict[str, torch.Tensor]:
        """What the step-end callback returns when `step` comes next: nothing unless a segment begins there."""
        if not any(segment.first == step for job in self.jobs for segment in job.positive + job.negative):
            return {}
        # inside their loop the pipelines hold the negatives and the positives in one batch, in this order
        encoded = (self._side(step, True) if self.is_guided else []) + self._side(step, False)
        if encoded[0].pooled is None:
            return {"prompt_embeds": _states(encoded)}
        return {"prompt_embeds": _states(encoded), "add_text_embeds": _pooled(encoded)}

    def _side(self, step: int, is_negative: bool) -> list[Encoded]:
        schedules = [job.negative if is_negative else job.positive for job in self.jobs]
        return [self.encoded[Text(segment_at(schedule, step).parts, is_negative)] for schedule in schedules]


def _states(encoded: Sequence[Encoded]) -> torch.Tensor:
    return torch.stack([one.states for one in encoded])


def _pooled(encoded: Sequence[Encoded]) -> torch.Tensor:
    return torch.stack([one.pooled for one in encoded if one.pooled is not None])


def as_batches(jobs: Sequence[Job], size: int) -> list[Batch]:
    """Group jobs into batches of at most `size`.

    Jobs that would change each other do not meet: plain ones go to the pipeline as strings, with or without a negative,
    and scheduled ones only meet others of the same token length.
    """
    groups: dict[tuple[bool, int], list[Job]] = {}
    for job in jobs:
        kind = bool(job.negative[0].text) if job.is_plain else job.chunks
        groups.setdefault((job.is_plain, int(kind)), []).append(job)
    return [Batch(tuple(group[at : at + size])) for group in groups.values() for at in range(0, len(group), size)]
