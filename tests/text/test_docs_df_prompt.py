"""The examples in the DF-Prompt reference give the outputs that it shows."""

import doctest
from pathlib import Path

import numpy as np

PAGE = Path(__file__).parents[2] / "docs" / "df-prompt.md"


def test_every_example_of_the_reference_gives_what_it_shows() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted >= 15
    assert result.failed == 0


def test_the_first_half_in_percent_holds_as_many_steps_as_the_page_says() -> None:
    betas = np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2  # Stable Diffusion 1
    sigmas = np.sqrt(1 / np.cumprod(1 - betas) - 1)
    high, low, ramp = sigmas[-1], sigmas[0], np.linspace(0, 1, 20)
    steps = {
        "normal": np.exp(np.interp(np.linspace(999, 0, 20), np.arange(1000), np.log(sigmas))),
        "karras": (high ** (1 / 7) + ramp * (low ** (1 / 7) - high ** (1 / 7))) ** 7,
        "exponential": np.exp(np.log(high) + ramp * (np.log(low) - np.log(high))),
    }
    half = np.exp(np.interp(999 * 0.5, np.arange(1000), np.log(sigmas)))
    counts = {name: int((run >= half).sum()) for name, run in steps.items()}
    assert counts == {"normal": 10, "karras": 9, "exponential": 7}
    assert "holds 10 steps with `normal`, 9\nwith `karras` and 7 with `exponential`" in PAGE.read_text(encoding="utf-8")
