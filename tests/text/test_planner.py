"""The planner: pieces that are the same text as the compiled schedule, whatever the step count."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negopt_core.errors import PromptError
from negopt_core.text.df_text import parse_prompt
from negopt_core.text.planner import (
    NEVER,
    PERCENT_NUDGE,
    Limits,
    active_index,
    active_index_by_sigma,
    group_id,
    percent_limits,
    plan_pieces,
    sigma_limits,
)
from negopt_core.text.prompt import DFPrompt, Span, Window
from negopt_core.text.schedule import compile_schedule, segment_at

edges = st.integers(0, 40).map(lambda n: n / 40) | st.floats(0, 1).map(lambda x: round(x, 6))


@st.composite
def prompts(draw: st.DrawFn) -> DFPrompt:
    spans = []
    for number in range(draw(st.integers(0, 6))):
        start, end = sorted((draw(edges), draw(edges)))
        window = Window(start, end) if start < end else Window()
        spans.append(Span(draw(st.sampled_from(["", ", "])) + f"w{number}", draw(st.sampled_from([0.5, 1.0])), window))
    return DFPrompt(tuple(spans))


@given(prompts(), st.integers(1, 60))
@settings(max_examples=300, deadline=None)
def test_the_active_piece_says_what_the_compiled_schedule_says_at_every_step(prompt: DFPrompt, steps: int) -> None:
    pieces = plan_pieces(prompt)
    schedule = compile_schedule(prompt, steps)
    starts = [piece.window.start for piece in pieces]
    for step in range(steps):
        assert pieces[active_index(starts, step, steps)].parts == segment_at(schedule, step).parts


@given(prompts())
def test_pieces_cover_progress_without_gap_or_overlap(prompt: DFPrompt) -> None:
    pieces = plan_pieces(prompt)
    assert pieces[0].window.start == 0.0
    assert pieces[-1].window.end == 1.0
    assert all(a.window.end == b.window.start and a.parts != b.parts for a, b in pairwise(pieces))


@given(prompts(), st.integers(1, 40))
@settings(deadline=None)
def test_sigma_limits_admit_exactly_the_active_piece_at_every_step(prompt: DFPrompt, steps: int) -> None:
    sigmas = [14.6 * 0.8**step for step in range(steps)] + [0.0]
    pieces = plan_pieces(prompt)
    starts = [piece.window.start for piece in pieces]
    limits = sigma_limits(pieces, sigmas)
    for step in range(steps):
        admitted = [
            index
            for index, limit in enumerate(limits)
            if (limit.start is None or sigmas[step] <= limit.start) and (limit.end is None or sigmas[step] >= limit.end)
        ]
        assert admitted == [active_index(starts, step, steps)]


def test_a_plain_prompt_is_one_piece() -> None:
    assert [(p.window, p.text) for p in plan_pieces(DFPrompt.plain("a cat"))] == [(Window(), "a cat")]


def test_an_empty_prompt_is_one_empty_piece() -> None:
    assert [(p.window, p.parts) for p in plan_pieces(DFPrompt())] == [(Window(), ())]


def test_pae_text_is_cut_where_its_range_flips_to() -> None:
    pieces = plan_pieces(parse_prompt("a cat, [misty:0-0.5:0.75]"))
    assert [(p.window.start, p.window.end, p.parts) for p in pieces] == [
        (0.0, 0.5, (("a cat", 1.0),)),
        (0.5, 1.0, (("a cat, ", 1.0), ("misty", 0.75))),
    ]


@pytest.mark.parametrize(
    ("starts", "step", "expected"),
    [
        ([0.0, 0.5], 4, 0),
        ([0.0, 0.5], 5, 1),
        ([0.0, 0.15], 2, 1),  # 0.15 of 10 steps starts at step ceil(1.5) = 2
        ([0.0, 0.15], 1, 0),
        ([0.5], 0, 0),  # the first piece was dropped by another node: the nearest one stands in
        ([0.0, 0.501, 0.502], 6, 2),  # two cuts in one step: the later piece holds it
    ],
)
def test_the_active_piece_is_the_last_one_that_has_started(starts: list[float], step: int, expected: int) -> None:
    assert active_index(starts, step, 10) == expected


@pytest.mark.parametrize(("sigma", "expected"), [(20.0, 0), (3.0, 0), (1.5, 1), (1.0, 1), (0.1, 2)])
def test_a_piece_by_sigma_starts_at_its_sigma(sigma: float, expected: int) -> None:
    assert active_index_by_sigma([1e9, 1.5, 0.5], sigma) == expected


def test_percent_limits_leave_the_ends_open_and_share_each_cut() -> None:
    first, second, third = percent_limits(plan_pieces(parse_prompt("a[b:0.25-0.5:1]")))
    assert (first.start, third.end) == (None, None)
    assert first.end == second.start == pytest.approx(0.5 - PERCENT_NUDGE)
    assert second.end == third.start == pytest.approx(0.75 - PERCENT_NUDGE)


def test_a_window_narrower_than_one_step_is_never_admitted_by_sigma() -> None:
    pieces = plan_pieces(DFPrompt((Span("a"), Span(", b", 1.0, Window(0.51, 0.52)))))
    assert sigma_limits(pieces, [3.0, 2.0, 1.0, 0.0]) == (
        Limits(None, pytest.approx(2**0.5)),
        NEVER,
        Limits(pytest.approx(2**0.5), None),
    )


@pytest.mark.parametrize("sigmas", [[], [1.0], [1.0, 1.0], [0.0, 1.0], [float("nan"), 1.0, 1.0]])
def test_sigmas_that_do_not_fall_are_refused(sigmas: list[float]) -> None:
    with pytest.raises(PromptError, match="falling sigmas"):
        sigma_limits(plan_pieces(DFPrompt.plain("a")), sigmas)


def test_a_group_is_named_by_what_is_in_it() -> None:
    one, same, other = (plan_pieces(parse_prompt(text)) for text in ("a[b:0-0.5:1]", "a[b:0.5-0:1]", "a[b:0-0.5:1.1]"))
    assert group_id(one) == group_id(same) != group_id(other)
    assert group_id(one, "pae") != group_id(one, "comfy")
