"""Swapping what the network is conditioned on, step by step: prepared before a pass, done at each call of the network.

The run is cut wherever words start or stop. For each slice the whole prompt is rendered with the words that are live
in it and encoded by the host; where no word of ours is live, the host's own conditioning stays.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from negopt_core.errors import NegOptError
from negopt_core.provenance.plan import Plan
from negopt_core.text.planner import active_index, plan_pieces
from negopt_core.text.prompt import DFPrompt

from .host import EncodeCache, Host, is_hires
from .native import add_words, write_words

ATTRIBUTE = "_negopt"
"""Where a job hangs on the webui's processing object; nowhere else is any state of a job."""


@dataclass(frozen=True, slots=True)
class Slice:
    """From `start` (progress) on, these words follow each prompt of a batch; empty where nothing does."""

    start: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of the guidance in one pass: slices in order, and for each what the host encoded (None: its own)."""

    starts: tuple[float, ...]
    conds: tuple[Any, ...]

    @property
    def acts(self) -> bool:
        """True if anything of ours is in it."""
        return any(cond is not None for cond in self.conds)

    def at(self, step: int, steps: int) -> Any:
        """The conditioning of the slice that holds `step`; adaptive samplers run past the end, into the last slice."""
        last = max(1, steps)
        return self.conds[active_index(self.starts, max(0, min(step, last - 1)), last)]


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """One run of the sampler, ready to swap; `model` is the checkpoint that encoded it."""

    positive: Side
    negative: Side
    model: Any

    @property
    def acts(self) -> bool:
        """True if anything of ours is in it."""
        return self.positive.acts or self.negative.acts


class Job:
    """What one processing object was asked for: a plan for each of its pictures, and the pass that is running."""

    def __init__(self, p: Any, plans: Sequence[Plan]) -> None:
        self.plans = tuple(plans)
        self.current: Pass | None = None
        self.calls = 0
        """Calls of the network that were seen since the pass was prepared."""
        self.missed_negative = False
        """True if the host computed no negative where we had words for it: CFG 1."""
        self.has_failed = False
        self._owner = weakref.ref(p)

    def is_of(self, p: Any) -> bool:
        """False for a copy of the processing object: an inner job must not inherit our plan."""
        return self._owner() is p


def job_of(p: Any) -> Job | None:
    """The job that belongs to this processing object, if it has one."""
    job = getattr(p, ATTRIBUTE, None)
    return job if isinstance(job, Job) and job.is_of(p) else None


def slice_side(prompts: Sequence[DFPrompt]) -> tuple[Slice, ...]:
    """Cut a batch's run wherever any picture's words change; DialectError for words that the host reserves."""
    rows = [plan_pieces(prompt) for prompt in prompts]
    slices: list[Slice] = []
    for start in sorted({piece.window.start for row in rows for piece in row}):
        live = [next(piece for piece in reversed(row) if piece.window.start <= start) for row in rows]
        slices.append(Slice(start, tuple(write_words(piece.parts) for piece in live)))
    return tuple(slices)


def prepare(job: Job, p: Any, host: Host, cache: EncodeCache) -> None:
    """Encode what the next pass needs. Called before every pass, on some hosts twice: the second time costs nothing."""
    job.current = None
    job.calls = 0
    hires = is_hires(p)
    prompts, negatives = (p.hr_prompts, p.hr_negative_prompts) if hires else (p.prompts, p.negative_prompts)
    plans = _batch_plans(job, p, len(prompts))
    if not any(plan.acts_in(hires) for plan in plans):
        return
    positive = _encode_side(prompts, [plan.positive for plan in plans], False, p, host, cache)
    negative = _encode_side(negatives, [plan.negative for plan in plans], True, p, host, cache)
    job.current = Pass(positive, negative, host.model())


def swap(job: Job, params: Any, host: Host, cache: EncodeCache) -> None:
    """Put the words of this call's slice in place of the host's prompts; leaves everything else as it is."""
    ready, denoiser = job.current, params.denoiser
    if ready is None:
        return
    job.calls += 1
    if ready.model is not host.model():  # the refiner has taken over, with another text encoder
        prepare(job, denoiser.p, host, cache)
        ready = job.current
        job.calls += 1
        if ready is None:
            return
    step, steps = denoiser.step, denoiser.total_steps or params.total_sampling_steps
    positive, negative = ready.positive.at(step, steps), ready.negative.at(step, steps)
    if positive is not None:
        params.text_cond = _same_rows(host.at_step(positive, step, False), params.text_cond)
    if negative is not None and params.text_uncond is None:
        job.missed_negative = True
    elif negative is not None:
        params.text_uncond = _same_rows(host.at_step(negative, step, True), params.text_uncond)


def _batch_plans(job: Job, p: Any, count: int) -> tuple[Plan, ...]:
    """The plans of the pictures that are made together now."""
    first = getattr(p, "iteration", 0) * p.batch_size
    plans = job.plans[first : first + count]
    if len(plans) != count:
        raise NegOptError(
            f"the webui makes pictures {first + 1} to {first + count} of {len(job.plans)} that were planned; another "
            "extension has changed the batch: switch one of the two off"
        )
    return plans


def _encode_side(
    texts: Sequence[str], added: Sequence[DFPrompt], is_negative: bool, p: Any, host: Host, cache: EncodeCache
) -> Side:
    slices = slice_side(added)
    conds: list[Any] = []
    for part in slices:
        if not any(part.words):
            conds.append(None)
            continue
        full = tuple(add_words(text, words, is_negative) for text, words in zip(texts, part.words, strict=True))
        conds.append(host.encode(p, full, is_negative, cache.slot((is_negative, is_hires(p), full))))
    return Side(tuple(part.start for part in slices), tuple(conds))


def _same_rows(new: Any, old: Any) -> Any:
    """`new`, if it has as many rows as what it replaces."""
    if new.shape[0] != old.shape[0]:
        raise NegOptError(
            f"the webui asks for {old.shape[0]} rows of conditioning and our words make {new.shape[0]}; another "
            "extension has changed the prompts after they were encoded: switch one of the two off"
        )
    return new
