"""Which sampler step each call of the model belongs to."""

from __future__ import annotations

import diffusers
import pytest

from negopt_core import ModelError, PromptError
from negopt_core.paint.base import SAMPLERS
from negopt_core.paint.sampler import plan_steps, sampler_for

# some schedulers of diffusers meet numpy 2 with a warning of their own
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")]


@pytest.mark.parametrize(
    ("name", "options", "steps", "strength", "expected"),
    [
        ("DDIMScheduler", {}, 4, None, (0, 1, 2, 3)),
        ("UniPCMultistepScheduler", {}, 3, None, (0, 1, 2)),
        ("EulerAncestralDiscreteScheduler", {}, 3, None, (0, 1, 2)),
        ("DPMSolverSinglestepScheduler", {}, 4, None, (0, 1, 2, 3)),
        ("HeunDiscreteScheduler", {}, 4, None, (0, 0, 1, 1, 2, 2, 3)),
        ("HeunDiscreteScheduler", {}, 1, None, (0,)),
        ("PNDMScheduler", {"skip_prk_steps": True}, 4, None, (0, 0, 1, 2, 3)),
        ("PNDMScheduler", {}, 5, None, (0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 4)),
        ("DDIMScheduler", {}, 10, 0.35, (0, 1, 2)),
        ("DDIMScheduler", {}, 10, 1.0, tuple(range(10))),
        ("HeunDiscreteScheduler", {}, 10, 0.35, (0, 0, 1, 1, 2)),
        ("PNDMScheduler", {"skip_prk_steps": True}, 10, 0.35, (0, 0, 1, 2)),
    ],
)
def test_each_call_belongs_to_a_step(name, options, steps, strength, expected):
    run = plan_steps(getattr(diffusers, name)(**options), steps, strength)
    assert run.step_of_call == expected
    assert run.steps == expected[-1] + 1


def test_a_second_order_sampler_stands_at_the_sigma_of_the_step_we_name():
    betas = {"beta_start": 0.00085, "beta_end": 0.012}
    scheduler = diffusers.HeunDiscreteScheduler(**betas)
    run = plan_steps(scheduler, 4)
    scheduler.set_timesteps(4)
    starts = [scheduler.sigmas[call] for call in range(0, len(run.step_of_call), 2)]
    fresh = diffusers.EulerDiscreteScheduler(**betas)
    fresh.set_timesteps(4)
    assert [float(sigma) for sigma in starts] == pytest.approx([float(sigma) for sigma in fresh.sigmas[:4]], rel=1e-3)


def test_planning_leaves_the_scheduler_as_it_was():
    scheduler = diffusers.DDIMScheduler()
    scheduler.set_timesteps(7)
    plan_steps(scheduler, 3)
    assert len(scheduler.timesteps) == 7


def test_no_step_left_and_too_many_steps_are_refused():
    with pytest.raises(PromptError, match=r"3 steps at strength 0.2 leave no step"):
        plan_steps(diffusers.DDIMScheduler(), 3, 0.2)
    with pytest.raises(PromptError, match="DDIMScheduler cannot run 2000 steps"):
        plan_steps(diffusers.DDIMScheduler(), 2000)


def test_a_sampler_with_an_unknown_order_of_calls_is_refused():
    class Odd:
        order = 1

        def set_timesteps(self, steps):
            self.timesteps = list(range(3 * steps))

    with pytest.raises(ModelError, match="Odd calls the model 12 times for 4 steps"):
        plan_steps(Odd(), 4)


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_named_sampler_keeps_the_models_noise_schedule(sd1, name):
    found = sampler_for(sd1, name)
    assert (found is sd1.scheduler) == (name == "model")
    assert (found.config.beta_start, found.config.beta_end, found.config.beta_schedule) == (
        0.00085,
        0.012,
        "scaled_linear",
    )


def test_a_noise_schedule_that_was_left_at_its_defaults_is_kept_too():
    class Pipeline:
        scheduler = diffusers.DDPMScheduler()  # beta_end 0.02, where others have 0.012 by default

    assert sampler_for(Pipeline(), "heun").config.beta_end == 0.02
