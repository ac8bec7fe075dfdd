"""What one sampling run knows about where it is. Made when the run starts, kept in the run's own options, then gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ..negopt_core.text.clock import LoopClock, NoiseScale, loop_clock
from ..negopt_core.text.planner import active_index, active_index_by_sigma
from .acted import Acted
from .gate import PercentToSigma, PickActive

STEPS, NOISE, PERCENT = "sampler steps", "noise level", "ComfyUI percent"
UNITS = (STEPS, NOISE, PERCENT)


@dataclass(frozen=True, slots=True)
class HookSettings:
    """What the node was told. `total_steps` 0 means: this run is the whole run."""

    unit: str = STEPS
    step_offset: int = 0
    total_steps: int = 0
    node_id: str | None = None


@dataclass(slots=True)
class Run:
    """One run of one sampler."""

    settings: HookSettings
    scale: NoiseScale
    clock: LoopClock | None = None
    model_calls: int = 0
    batched_calls: int = 0
    acted: Acted | None = None
    """What is seen of the negative; None for a call outside of a sampler."""
    start_sigmas: dict[float, float] = field(default_factory=dict)

    @classmethod
    def begin(cls, settings: HookSettings, sampler: str, sigmas: Any, acted: Acted | None = None) -> Run:
        """`sigmas`: the run's own, a tensor; read to the CPU once, here."""
        levels = tuple(float(sigma) for sigma in sigmas.flatten().tolist())
        clock = loop_clock(sampler, levels) if settings.unit == STEPS else None
        return cls(settings, NoiseScale(levels), clock, acted=acted)

    @property
    def total_steps(self) -> int:
        """Steps of the whole chain of samplers this run belongs to."""
        return self.settings.total_steps or self.settings.step_offset + self.scale.steps

    def on_model_call(self) -> None:
        """The sampler is about to evaluate the model."""
        self.model_calls += 1
        if self.clock:
            self.clock.on_call()

    def on_batched_call(self) -> None:
        """ComfyUI's batched model call came by, so the gate is in place."""
        self.batched_calls += 1

    def on_report(self) -> None:
        """The sampler has reported a step."""
        if self.clock:
            self.clock.on_report()

    def picker(self, timestep: Any, percent_to_sigma: PercentToSigma) -> PickActive:
        """How to pick the active piece at this call; `timestep` is the current sigma, a tensor."""
        if self.settings.unit == PERCENT:
            sigma = float(timestep.flatten()[0])
            return lambda starts: active_index_by_sigma(self._sigmas_of(starts, percent_to_sigma), sigma)
        step = self.settings.step_offset + self._local_step(timestep)
        return lambda starts: active_index(starts, step, self.total_steps)

    def _local_step(self, timestep: Any) -> int:
        if self.clock and self.model_calls:
            return self.clock.step
        return self.scale.step_of(float(timestep.flatten()[0]))

    def _sigmas_of(self, starts: tuple[float, ...], percent_to_sigma: PercentToSigma) -> list[float]:
        for start in starts:
            if start not in self.start_sigmas:
                self.start_sigmas[start] = float(percent_to_sigma(start))
        return [self.start_sigmas[start] for start in starts]


_HALVINGS = 20  # a millionth of the run; training timesteps are a thousandth apart


def step_percents(sigmas: tuple[float, ...], percent_to_sigma: PercentToSigma) -> list[float]:
    """ComfyUI's percent at the beginning of each step of a falling run and at its end: one more than there are steps.

    Between two steps it is the percent whose sigma lies half-way (geometric mean), found by bisection: a range that
    begins there holds exactly the steps from there on.
    """
    cuts = [(before * after) ** 0.5 for before, after in pairwise(sigmas[:-1])]
    return [round(_percent_of(sigma, percent_to_sigma), 4) for sigma in (sigmas[0], *cuts, sigmas[-1])]


def _percent_of(sigma: float, percent_to_sigma: PercentToSigma) -> float:
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if float(percent_to_sigma(middle)) > sigma else (low, middle)
    return high
