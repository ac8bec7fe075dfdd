"""From windows to segments: which text is encoded at which step."""

import pytest

from negopt_core import (
    DFPrompt,
    PromptError,
    Segment,
    Span,
    Window,
    compile_schedule,
    parse_prompt,
    segment_at,
    spans_never_live,
)
from negopt_core.text.schedule import join_live, live_texts

LATE = Window(0.5, 1.0)


def test_a_plain_prompt_is_one_segment_with_its_exact_text() -> None:
    text = " ,a cat ,, dog, \n"
    assert compile_schedule(DFPrompt.plain(text), 20) == (Segment(0, 20, ((text, 1.0),)),)


def test_an_empty_prompt_is_one_empty_segment() -> None:
    assert compile_schedule(DFPrompt(), 3) == (Segment(0, 3, ()),)
    assert compile_schedule(DFPrompt(), 3)[0].text == ""


@pytest.mark.parametrize("steps", [1, 7, 10, 25, 50])
def test_a_phrase_over_all_noise_with_weight_one_equals_the_plain_text(steps: int) -> None:
    marked = parse_prompt("a cat, [highly detailed:0-1:1.0], [8 k:1->0:1]")
    assert compile_schedule(marked, steps) == compile_schedule(DFPrompt.plain("a cat, highly detailed, 8 k"), steps)


@pytest.mark.parametrize(
    ("text", "live", "absent"),
    [
        ("a cat, [x:0-0.5:1]", "a cat, x", "a cat"),
        ("a cat, [x:0-0.5:1], dog", "a cat, x, dog", "a cat, dog"),
        ("[x:0-0.5:1], a cat", "x, a cat", "a cat"),
        ("a [big:0-0.5:1] cat", "a big cat", "a cat"),
        ("a [big :0-0.5:1]cat", "a big cat", "a cat"),
        ("a[ big:0-0.5:1] cat", "a big cat", "a cat"),
        ("a [x:0-0.5:1], cat", "a x, cat", "a, cat"),
        ("a,[x:0-0.5:1] cat", "a,x cat", "a,cat"),
        ("a, [x:0-0.5:1], [y:0-0.5:1], b", "a, x, y, b", "a, b"),
        ("a, [x:0-0.5:1], [y:0-0.5:1]", "a, x, y", "a"),
        ("[x:0-0.5:1], [y:0-0.5:1], b", "x, y, b", "b"),
        ("[x:0-0.5:1]", "x", ""),
        ("super[x:0-0.5:1]man", "superxman", "superman"),
        ("a\n[x:0-0.5:1]\nb", "a\nx\nb", "a\nb"),
        ("a ,, [x:0-0.5:1] ,, b", "a ,, x ,, b", "a ,, b"),
        ("a, [x:0-0.5:1], ", "a, x, ", "a"),
        ("a, [, :0-1:0.5][x:0-0.5:1]", "a, , x", "a"),
        ("a, [ :0-1:0.5][x:0-0.5:1], b", "a,  x, b", "a, b"),
    ],
)
def test_an_absent_phrase_takes_its_separator_with_it(text: str, live: str, absent: str) -> None:
    early, late = compile_schedule(parse_prompt(text), 10)
    assert (early.text, early.first, early.stop) == (absent, 0, 5)
    assert (late.text, late.first, late.stop) == (live, 5, 10)


def test_exclusive_phrases_swap() -> None:
    early, late = compile_schedule(parse_prompt("a [red:0.5-1:1][blue:0-0.5:1] car"), 10)
    assert (early.text, late.text) == ("a red car", "a blue car")


def test_parts_keep_their_weights() -> None:
    (early, late) = compile_schedule(parse_prompt("a cat, [intricate:0-1:1.25], [8 k:0-0.5:0.5]"), 10)
    assert early.parts == (("a cat, ", 1.0), ("intricate", 1.25))
    assert late.parts == (("a cat, ", 1.0), ("intricate", 1.25), (", ", 1.0), ("8 k", 0.5))


def test_overlapping_windows_cut_at_every_bound() -> None:
    prompt = parse_prompt("x[, a:0.2-0.8:1][, b:0.5-0.9:1]")
    assert [(segment.first, segment.stop, segment.text) for segment in compile_schedule(prompt, 10)] == [
        (0, 1, "x"),
        (1, 2, "x, b"),
        (2, 5, "x, a, b"),
        (5, 8, "x, a"),
        (8, 10, "x"),
    ]


def test_a_bound_that_changes_nothing_makes_no_segment() -> None:
    prompt = DFPrompt((Span("x", 1.0, Window(0.0, 0.5)), Span("x", 1.0, LATE)))
    assert compile_schedule(prompt, 10) == (Segment(0, 10, (("x", 1.0),)),)


def test_a_window_narrower_than_a_step_never_acts_and_is_named() -> None:
    prompt = parse_prompt("a cat, [x:0.81-0.89:1]")
    assert [segment.text for segment in compile_schedule(prompt, 10)] == ["a cat"]
    assert [span.text for span in spans_never_live(prompt, 10)] == ["x"]
    assert spans_never_live(prompt, 100) == ()


@pytest.mark.parametrize(("step", "text"), [(-3, "a"), (0, "a"), (4, "a"), (5, "a, x"), (9, "a, x"), (99, "a, x")])
def test_segment_at_clamps_to_the_run(step: int, text: str) -> None:
    assert segment_at(compile_schedule(parse_prompt("a, [x:0-0.5:1]"), 10), step).text == text


@pytest.mark.parametrize("steps", [0, -5])
def test_a_run_without_steps_is_refused(steps: int) -> None:
    with pytest.raises(PromptError, match="at least 1 step"):
        compile_schedule(DFPrompt.plain("a"), steps)


def test_live_texts_stay_in_line_with_the_spans() -> None:
    spans = [(Span("a, "), True), (Span("x", 0.5), False), (Span(", "), True), (Span("y", 2.0), True)]
    assert live_texts(spans) == ["a, ", "", "", "y"]
    assert join_live(spans) == (("a, ", 1.0), ("y", 2.0))
