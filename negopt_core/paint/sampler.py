"""Samplers by name, and how often each calls the model: which sampler step every call of a run belongs to."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import diffusers

from ..errors import ModelError, PromptError
from .base import Sampler

_CLASSES: dict[Sampler, str] = {
    "unipc": "UniPCMultistepScheduler",
    "dpm++2m": "DPMSolverMultistepScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler-a": "EulerAncestralDiscreteScheduler",
    "ddim": "DDIMScheduler",
    "heun": "HeunDiscreteScheduler",
}

_NOISE_SCHEDULE = (
    "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "prediction_type",
)  # fmt: skip

_RUNGE_KUTTA_CALLS = 12  # PNDM's opening: three steps of four calls


def sampler_for(pipeline: Any, name: Sampler) -> Any:
    """A diffusers scheduler of that name with the noise schedule of the pipeline's own; `model` is its own itself."""
    if name == "model":
        return pipeline.scheduler
    config = pipeline.scheduler.config
    # named one by one, because `from_config` lets the new class put its own defaults where the old one had defaults
    kept = {field: config[field] for field in _NOISE_SCHEDULE if field in config}
    if name == "ddim":
        kept["clip_sample"] = False  # latents are no pixels; a pipeline would set it too, but complain
    return getattr(diffusers, _CLASSES[name]).from_config(config, **kept)


@dataclass(frozen=True, slots=True)
class StepPlan:
    """The steps that a run really takes, and the step that each model call belongs to."""

    steps: int
    step_of_call: tuple[int, ...]


def plan_steps(scheduler: Any, steps: int, strength: float | None = None) -> StepPlan:
    """What a pipeline will do with this scheduler; `strength` below 1 leaves out the first steps (image to image).

    The scheduler is not changed. Raises PromptError if it cannot run so many steps, or none would remain, and
    ModelError if the order of its model calls is not known.
    """
    probe = copy.deepcopy(scheduler)
    try:
        probe.set_timesteps(steps)
    except (ValueError, IndexError, RuntimeError) as error:
        raise PromptError(f"{type(scheduler).__name__} cannot run {steps} steps: {error}") from error
    calls = len(probe.timesteps)
    steps = min(steps, calls)  # some schedulers drop steps that would fall on the same timestep
    if strength is not None:
        kept = min(int(steps * strength), steps)
        if kept < 1:
            raise PromptError(f"{steps} steps at strength {strength:g} leave no step to run; raise one of them")
        calls -= (steps - kept) * probe.order
        steps = kept
    return StepPlan(steps, _step_of_call(probe, calls, steps))


def _step_of_call(scheduler: Any, calls: int, steps: int) -> tuple[int, ...]:
    if calls == steps:
        return tuple(range(steps))
    if scheduler.order == 2 and calls in (2 * steps - 1, 2 * steps):  # a call at each end of a step; the last needs one
        return tuple(call // 2 for call in range(calls))
    if isinstance(scheduler, diffusers.PNDMScheduler):
        if calls == steps + 1:  # the first step is done twice
            return tuple(max(0, call - 1) for call in range(calls))
        if calls == steps + _RUNGE_KUTTA_CALLS - 3:
            opening = tuple(call // 4 for call in range(min(calls, _RUNGE_KUTTA_CALLS)))
            return opening + tuple(range(3, steps))
    raise ModelError(
        f"{type(scheduler).__name__} calls the model {calls} times for {steps} steps, in an order that negopt does not "
        f"know; choose another sampler"
    )
