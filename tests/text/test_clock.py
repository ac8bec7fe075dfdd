"""The clock: sampler loops written out by hand are the truth it is held against."""

from collections.abc import Iterator

import pytest

from negopt_core.text.clock import CALLS_LEFT, LoopClock, NoiseScale, loop_clock

CALL, REPORT = "call", "report"


def loop(calls: list[int]) -> Iterator[tuple[str, int]]:
    """A sampler that calls the model `calls[i]` times in step i and reports the step after its first call."""
    for step, count in enumerate(calls):
        yield CALL, step
        yield REPORT, step
        for _ in range(count - 1):
            yield CALL, step


@pytest.mark.parametrize(
    ("sampler", "calls"),
    [
        ("euler", [1, 1, 1, 1]),
        ("sample_dpmpp_2m", [1, 1, 1, 1]),
        ("sample_unipc", [1, 1, 1, 1]),
        ("heun", [2, 2, 2, 1]),  # runs to zero noise: no correction in the last step
        ("heun", [2, 2, 2, 2]),  # a slice that stops at some noise
        ("sample_seeds_3", [3, 3, 3, 1]),
        ("heunpp2", [3, 3, 2, 1]),
        ("heunpp2", [2, 1]),
        ("heunpp2", [1]),
        ("sa_solver_pece", [1, 2, 2, 2]),
        ("dpmpp_2s_ancestral", [2]),
    ],
)
def test_every_call_is_put_in_the_step_that_made_it(sampler: str, calls: list[int]) -> None:
    clock = loop_clock(sampler, [1.0] * (len(calls) + 1))
    assert clock is not None
    for event, step in loop(calls):
        if event == REPORT:
            clock.on_report()
        else:
            assert clock.on_call() == step


def test_a_clock_never_leaves_the_run() -> None:
    clock = LoopClock(2, CALLS_LEFT["euler"])
    for _ in range(5):
        clock.on_report()
    assert clock.on_call() == 1


@pytest.mark.parametrize("sampler", ["dpm_fast", "dpm_adaptive", "sample_something_new", ""])
def test_samplers_without_a_known_loop_have_no_counting_clock(sampler: str) -> None:
    assert loop_clock(sampler, [1.0, 0.0]) is None


@pytest.mark.parametrize("sigmas", [[], [1.0]])
def test_a_run_without_steps_has_no_counting_clock(sigmas: list[float]) -> None:
    assert loop_clock("euler", sigmas) is None


@pytest.mark.parametrize(
    ("sigma", "step"),
    [(99.0, 0), (14.6, 0), (10.0, 0), (7.0, 1), (7.0003, 1), (6.9997, 1), (1.0, 2), (0.4, 2), (0.0, 2)],
)
def test_noise_falls_in_the_interval_it_lies_in(sigma: float, step: int) -> None:
    assert NoiseScale((14.6, 7.0, 1.0, 0.0)).step_of(sigma) == step


@pytest.mark.parametrize(("sigma", "step"), [(0.0, 0), (0.5, 0), (1.0, 1), (6.0, 1), (7.0, 2), (20.0, 2)])
def test_unsampling_reads_the_list_upwards(sigma: float, step: int) -> None:
    assert NoiseScale((0.0, 1.0, 7.0, 14.6)).step_of(sigma) == step


def test_a_list_of_one_sigma_is_one_step() -> None:
    scale = NoiseScale((1.0,))
    assert (scale.steps, scale.step_of(0.3)) == (1, 0)
