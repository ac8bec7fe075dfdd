"""Window, Span, DFPrompt, PromptPair: what they accept, refuse and mean."""

import dataclasses
import math

import pytest

from negopt_core import DFPrompt, PromptError, PromptPair, Span, Window
from negopt_core.text.prompt import MAX_PROMPT_CHARS, MAX_WEIGHT, check_length, step_at


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (-0.1, 0.5),
        (0.0, 1.1),
        (0.5, 0.5),
        (0.6, 0.4),
        (math.nan, 1.0),
        (0.0, math.nan),
        (0.0, math.inf),
        (0.5, 0.5 + 1e-12),
    ],
)
def test_window_refuses_what_is_no_slice_of_the_run(start: float, end: float) -> None:
    with pytest.raises(PromptError, match=r"a window needs 0 <= start < end <= 1, got"):
        Window(start, end)


@pytest.mark.parametrize("weight", [-0.01, MAX_WEIGHT + 0.01, math.nan, math.inf, -math.inf])
def test_span_refuses_a_weight_out_of_range_and_names_it(weight: float) -> None:
    with pytest.raises(PromptError, match=r"0 <= weight <= 10, got") as caught:
        Span("grain", weight)
    assert str(weight) in str(caught.value)
    assert "'grain'" in str(caught.value)


def test_span_refuses_an_empty_text() -> None:
    with pytest.raises(PromptError, match="a span needs text"):
        Span("")


def test_values_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Span("a").text = "b"  # type: ignore[misc]


def test_minus_zero_is_zero() -> None:
    assert math.copysign(1.0, Span("a", -0.0).weight) == 1.0
    assert math.copysign(1.0, Window(-0.0, 1.0).start) == 1.0


@pytest.mark.parametrize(
    ("low", "high", "start", "end"),
    [(0.0, 0.5, 0.5, 1.0), (0.5, 1.0, 0.0, 0.5), (0.0, 1.0, 0.0, 1.0), (0.85, 1.0, 0.0, 0.15), (0.1, 0.3, 0.7, 0.9)],
)
def test_window_from_noise_flips_direction_and_back(low: float, high: float, start: float, end: float) -> None:
    window = Window.from_noise(low, high)
    assert (window.start, window.end) == (start, end)
    assert window.to_noise() == (low, high)


def _reference_steps(low: float, high: float, steps: int) -> range:
    """The active steps by the PAE paper's code: k in [N - int(high N), N - int(low N))."""
    return range(steps - int(high * steps), steps - int(low * steps))


@pytest.mark.parametrize(
    ("low", "high", "steps", "first", "last"),
    [
        (0.0, 0.5, 10, 5, 9),
        (0.5, 1.0, 10, 0, 4),
        (0.0, 1.0, 10, 0, 9),
        (0.85, 1.0, 10, 0, 1),  # 20 % of the run, though the range says 15 %
        (0.0, 0.5, 25, 13, 24),
        (0.5, 1.0, 25, 0, 12),
        (0.0, 0.5, 7, 4, 6),
        (0.5, 1.0, 7, 0, 3),
        (0.0, 0.5, 50, 25, 49),
        (0.5, 1.0, 50, 0, 24),
    ],
)
def test_noise_range_acts_in_the_steps_of_the_paper(low: float, high: float, steps: int, first: int, last: int) -> None:
    live = Window.from_noise(low, high).steps(steps)
    assert (live.start, live.stop - 1) == (first, last)
    assert live == _reference_steps(low, high, steps)


@pytest.mark.parametrize("steps", [7, 10, 25, 50])
def test_every_twentieth_of_noise_agrees_with_the_papers_formula(steps: int) -> None:
    grid = [tick / 20 for tick in range(21)]
    for low in grid:
        for high in grid:
            # int() loses a step where the product falls a hair short of a whole number; exact arithmetic does not
            exact = range(steps - round(high * 20) * steps // 20, steps - round(low * 20) * steps // 20)
            if low < high:
                live = Window.from_noise(low, high).steps(steps)
                assert (live.start, live.stop) == (exact.start, exact.stop), (low, high)


@pytest.mark.parametrize("steps", [1, 2, 7, 10, 25, 50, 999])
def test_halves_share_every_step_between_them(steps: int) -> None:
    early, late = Window(0.0, 0.5).steps(steps), Window(0.5, 1.0).steps(steps)
    assert [*early, *late] == list(range(steps))


def test_window_narrower_than_a_step_is_live_nowhere() -> None:
    assert not Window(0.11, 0.19).steps(10)
    assert list(Window(0.11, 0.19).steps(20)) == [3]


@pytest.mark.parametrize("steps", [0, -1])
def test_a_run_needs_a_step(steps: int) -> None:
    with pytest.raises(PromptError, match=f"at least 1 step, got {steps}"):
        step_at(0.5, steps)


def test_boundary_step_is_not_moved_by_float_noise() -> None:
    assert 1 - 0.85 != 0.15
    assert step_at(1 - 0.85, 20) == step_at(0.15, 20) == 3
    assert step_at(0.1 + 0.2, 10) == 3


def test_a_plain_prompt_is_one_span_however_it_was_put_together() -> None:
    apart = DFPrompt((Span("a "), Span("cat"), Span(", dog")))
    assert apart == DFPrompt.plain("a cat, dog")
    assert len(apart.spans) == 1
    assert apart.is_plain
    assert DFPrompt.plain("") == DFPrompt()
    assert DFPrompt().text == ""


def test_joining_keeps_weighted_and_scheduled_spans_apart() -> None:
    prompt = DFPrompt((Span("a"), Span("b", 1.1), Span("c"), Span("d", 1.0, Window(0.0, 0.5)), Span("e"), Span("f")))
    assert [span.text for span in prompt.spans] == ["a", "b", "c", "d", "ef"]
    assert not prompt.is_plain
    assert prompt.text == "abcdef"


def test_prompts_add() -> None:
    left, right = DFPrompt.plain("a cat"), DFPrompt((Span(", grain", 0.5), Span(" ")))
    assert (left + right).text == "a cat, grain "
    assert DFPrompt.plain("a") + DFPrompt.plain("b") == DFPrompt.plain("ab")


def test_plain_text_means_itself_even_with_brackets() -> None:
    pair = PromptPair.plain("a [cat:0-0.5:1]", "blurry")
    assert pair.positive.text == "a [cat:0-0.5:1]"
    assert pair.positive.is_plain
    assert PromptPair.plain("x").negative == DFPrompt()


def test_text_past_the_limit_is_refused_with_its_length() -> None:
    check_length("a" * MAX_PROMPT_CHARS)
    with pytest.raises(PromptError, match=r"1,000,000 characters, got 1,000,001"):
        check_length("a" * (MAX_PROMPT_CHARS + 1))
