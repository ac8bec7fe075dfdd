"""Which step a sampler is in at each call of the model: counted where the sampler is known, else read off the noise.

A sampler calls the model once or several times a step and reports each step once, right after its first call. So after
report number `c` the next few calls still belong to step `c - 1`; how many is a fact of each sampler, tabled here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_ONE_CALL = """
ddim ddpm deis dpmpp_2m dpmpp_2m_cfg_pp dpmpp_2m_sde dpmpp_2m_sde_gpu dpmpp_2m_sde_heun dpmpp_2m_sde_heun_gpu
dpmpp_3m_sde dpmpp_3m_sde_gpu er_sde euler euler_ancestral euler_ancestral_cfg_pp euler_cfg_pp gradient_estimation
gradient_estimation_cfg_pp ipndm ipndm_v lcm lms res_multistep res_multistep_ancestral res_multistep_ancestral_cfg_pp
res_multistep_cfg_pp sa_solver uni_pc uni_pc_bh2 unipc unipc_bh2
"""
_TWO_CALLS = """
dpm_2 dpm_2_ancestral dpmpp_2s_ancestral dpmpp_2s_ancestral_cfg_pp dpmpp_sde dpmpp_sde_gpu exp_heun_2_x0
exp_heun_2_x0_sde heun seeds_2
"""

SIGMA_TOLERANCE = 1e-4
"""Two sigmas closer than this, relatively, are the same noise level (samplers recompute them in float32)."""

CallsLeft = Callable[[int, int], int]
"""(step, steps) -> how many more calls belong to that step after the sampler has reported it."""


def _heunpp2(step: int, steps: int) -> int:
    return max(0, min(2, steps - 1 - step))  # a shorter formula in each of the last two steps


CALLS_LEFT: dict[str, CallsLeft] = {
    **dict.fromkeys(_ONE_CALL.split(), lambda step, steps: 0),
    **dict.fromkeys(_TWO_CALLS.split(), lambda step, steps: 1),
    "seeds_3": lambda step, steps: 2,
    "heunpp2": _heunpp2,
    "sa_solver_pece": lambda step, steps: min(step, 1),  # its first step has nothing to correct
}
"""Samplers whose loop is known, by k-diffusion name. Adaptive ones and `dpm_fast` keep no fixed step: left out."""


@dataclass(slots=True)
class LoopClock:
    """Counts calls and reports of one run; exact for every sampler in `CALLS_LEFT`."""

    steps: int
    calls_left: CallsLeft
    reported: int = 0
    calls_since: int = 0
    step: int = 0

    def on_call(self) -> int:
        """The model is about to be called: the 0-based step this call belongs to."""
        step = self.reported
        if self.reported and self.calls_since < self.calls_left(self.reported - 1, self.steps):
            step -= 1
        self.calls_since += 1
        self.step = max(0, min(step, self.steps - 1))
        return self.step

    def on_report(self) -> None:
        """The sampler has reported a step."""
        self.reported += 1
        self.calls_since = 0


@dataclass(frozen=True, slots=True)
class NoiseScale:
    """Finds the step by noise level: the interval of the run's sigmas that holds the current one."""

    sigmas: tuple[float, ...]
    is_rising: bool = field(init=False)

    def __post_init__(self) -> None:
        # unsampling runs the list backwards, from picture to noise
        object.__setattr__(self, "is_rising", len(self.sigmas) > 1 and self.sigmas[-1] > self.sigmas[0])

    @property
    def steps(self) -> int:
        """How many steps the run has; at least 1, so that progress always means something."""
        return max(1, len(self.sigmas) - 1)

    def step_of(self, sigma: float) -> int:
        """The last step whose starting noise has been reached; 0 before the run, the last step after it."""
        scale = 1.0 + SIGMA_TOLERANCE if self.is_rising else 1.0 - SIGMA_TOLERANCE
        wanted = sigma * scale
        reached = [
            step
            for step, start in enumerate(self.sigmas[: self.steps])
            if (start <= wanted if self.is_rising else start >= wanted)
        ]
        return reached[-1] if reached else 0


def loop_clock(sampler: str, sigmas: Sequence[float]) -> LoopClock | None:
    """A counting clock for a run of a known sampler (with or without `sample_` in front); None for any other."""
    calls_left = CALLS_LEFT.get(sampler.removeprefix("sample_"))
    steps = len(sigmas) - 1
    return LoopClock(steps, calls_left) if calls_left and steps > 0 else None
