"""What the page is told of a run: each step in ComfyUI's own percent."""

from __future__ import annotations

import stage
import torch


def check_a_range_that_begins_at_a_told_percent_holds_exactly_the_steps_from_there() -> None:
    import comfy.model_sampling
    import comfy.samplers

    step_percents = stage.module("nodes.run_state").step_percents
    sampling = comfy.model_sampling.ModelSamplingDiscrete()
    for scheduler in ("normal", "karras", "exponential", "sgm_uniform", "simple"):
        sigmas = tuple(float(one) for one in comfy.samplers.calculate_sigmas(sampling, scheduler, 20))
        percents = step_percents(sigmas, sampling.percent_to_sigma)
        assert len(percents) == len(sigmas), scheduler
        assert percents == sorted(percents) and percents[-1] == 1.0, (scheduler, percents)
        for first in range(1, 20):
            start = sampling.percent_to_sigma(percents[first])
            held = [step for step, sigma in enumerate(sigmas[:-1]) if torch.tensor(sigma) <= start]
            assert held == list(range(first, 20)), (scheduler, first, held)
