"""What holds for every text and every prompt: round trips, nothing lost, every step once, linear work."""

import math
import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negopt_core import (
    DFPrompt,
    NegOptError,
    PromptPair,
    Span,
    Window,
    compile_schedule,
    format_prompt,
    parse_prompt,
    parse_report,
    segment_at,
    spans_never_live,
)
from negopt_core.text.checks import Setup, inspect_setup
from negopt_core.text.dialects import DIALECTS, from_dialect, to_dialect
from tests.fakes.calls import calls, is_linear

hostile = st.text(alphabet=st.one_of(st.sampled_from("[]()\\:|#,-.>0159 \nax"), st.characters()), max_size=60)
syntax = st.lists(
    st.sampled_from(
        ["[", "]", "\\", ":", "0-0.5", "0.5-1", "1", "0.75", "a cat", ", ", "[x:0-0.5:1]", "[y:1->0.5:0.5]"]
    ),
    max_size=12,
).map("".join)
sources = st.one_of(hostile, syntax)
ticks = st.integers(0, 10**9)
windows = (
    st.tuples(ticks, ticks)
    .filter(lambda pair: pair[0] < pair[1])
    .map(lambda pair: Window(pair[0] / 1e9, pair[1] / 1e9))
)
weights = st.one_of(st.just(1.0), st.floats(0.0, 10.0, allow_nan=False))
spans = st.builds(Span, hostile.filter(bool), weights, st.one_of(st.just(Window()), windows))
prompts = st.lists(spans, max_size=6).map(lambda some: DFPrompt(tuple(some)))


def unescaped(text: str) -> str:
    """The text with one backslash less before each of `[ ] : \\`."""
    out, at = "", 0
    while at < len(text):
        at += text[at] == "\\" and text[at + 1 : at + 2] in ("[", "]", ":", "\\")
        out += text[at]
        at += 1
    return out


@given(prompt=prompts)
@settings(max_examples=80, deadline=None)
def test_every_prompt_reads_back_from_its_own_text(prompt: DFPrompt) -> None:
    report = parse_report(format_prompt(prompt))
    assert report.prompt == prompt
    assert report.problems == ()


@given(text=sources)
@settings(max_examples=100, deadline=None)
def test_writing_what_was_read_is_a_fixed_point(text: str) -> None:
    once = format_prompt(parse_prompt(text))
    assert format_prompt(parse_prompt(once)) == once


@given(text=sources.map(lambda text: text.replace(":", ";")))
@settings(max_examples=100, deadline=None)
def test_without_a_valid_phrase_every_character_is_kept(text: str) -> None:
    report = parse_report(text)  # a phrase needs colons, so every bare bracket here is malformed
    assert report.prompt.text == unescaped(text)
    assert report.prompt.is_plain


junk = st.text(alphabet="[]ab ,", max_size=6)
phrases = st.builds(Span, st.text(alphabet="ab[]:\\ ,", min_size=1, max_size=6), st.just(0.5), windows)


@given(pieces=st.lists(st.tuples(junk, phrases), max_size=5), tail=junk)
@settings(max_examples=100, deadline=None)
def test_around_malformed_brackets_every_phrase_and_every_character_is_kept(
    pieces: list[tuple[str, Span]], tail: str
) -> None:
    text = "".join(loose + format_prompt(DFPrompt((phrase,))) for loose, phrase in pieces) + tail
    prompt = parse_prompt(text)
    assert prompt.text == "".join(loose + phrase.text for loose, phrase in pieces) + tail
    assert [span for span in prompt.spans if not span.is_plain] == [phrase for _, phrase in pieces]


@given(text=sources)
@settings(max_examples=80, deadline=None)
def test_problems_point_at_their_own_text(text: str) -> None:
    problems = parse_report(text).problems
    for problem in problems:
        assert text[problem.position :].startswith(problem.text)
        assert problem.text[0] in "[]"
    assert [problem.position for problem in problems] == sorted({problem.position for problem in problems})


@given(prompt=prompts, steps=st.integers(1, 60))
@settings(max_examples=80, deadline=None)
def test_every_step_is_in_exactly_one_segment_and_says_its_live_spans(prompt: DFPrompt, steps: int) -> None:
    schedule = compile_schedule(prompt, steps)
    assert [step for segment in schedule for step in range(segment.first, segment.stop)] == list(range(steps))
    assert len(schedule) <= 2 * len(prompt.spans) + 1
    assert all(left.parts != right.parts for left, right in pairwise(schedule))
    for step in range(steps):
        segment = segment_at(schedule, step)
        assert segment.first <= step < segment.stop
        live = [span for span in prompt.spans if step in span.window.steps(steps)]
        words = "".join(span.text for span in live)
        assert "".join(segment.text.split()).replace(",", "") == "".join(words.split()).replace(",", "")
        if len(live) == len(prompt.spans):
            assert segment.parts == tuple((span.text, span.weight) for span in live)


@given(prompt=prompts, steps=st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_spans_never_live_are_those_in_no_step(prompt: DFPrompt, steps: int) -> None:
    never = [span for span in prompt.spans if not any(step in span.window.steps(steps) for step in range(steps))]
    assert list(spans_never_live(prompt, steps)) == never


@given(window=windows, steps=st.integers(1, 200))
@settings(max_examples=100, deadline=None)
def test_a_step_is_live_when_its_start_lies_in_the_window(window: Window, steps: int) -> None:
    for step in range(steps):
        at = round(step - window.start * steps, 6) >= 0 and round(step - window.end * steps, 6) < 0
        assert (step in window.steps(steps)) == at


@given(window=windows)
@settings(max_examples=100, deadline=None)
def test_noise_and_progress_convert_without_loss(window: Window) -> None:
    assert Window.from_noise(*window.to_noise()) == window


def big_text(seed: int) -> str:
    """100 kB of hostile text: syntax, half-finished phrases, any unicode including lone surrogates."""
    chance = random.Random(seed)
    pieces = [
        "[",
        "]",
        "(",
        ")",
        "\\",
        ":",
        "|",
        ", ",
        "[a:0-0.5:1]",
        "[a:",
        ":3]",
        ":0.5]",
        ":1.1)",
        "<a:",
        "é",
        "\0",
        "\ud800",
    ]
    favourites = chance.sample(pieces, 4)
    out: list[str] = []
    while len(out) < 50_000:
        out.append(chance.choice(favourites) if chance.random() < 0.9 else chr(chance.randrange(0x110000)))
    text = "".join(out)
    return (text * (100_000 // len(text) + 1))[:100_000]


@pytest.mark.parametrize("seed", range(3))
def test_big_hostile_text_raises_nothing_but_our_own_errors(seed: int) -> None:
    text = big_text(seed)
    prompt = parse_prompt(text)
    assert parse_prompt(format_prompt(prompt)) == prompt
    compile_schedule(prompt, 20)
    inspect_setup(PromptPair(prompt, prompt), Setup(steps=20, embeddings=frozenset()))
    for dialect in DIALECTS:
        for convert in (partial(from_dialect, text), partial(to_dialect, prompt)):
            try:
                convert(dialect, 20)
            except NegOptError as error:
                assert len(str(error)) < 400


@given(text=sources, steps=st.integers(1, 30), dialect=st.sampled_from(DIALECTS))
@settings(max_examples=100, deadline=None)
def test_any_text_reads_or_is_refused_by_our_own_errors(text: str, steps: int, dialect: str) -> None:
    for convert in (partial(from_dialect, text), partial(to_dialect, parse_prompt(text))):
        try:
            convert(dialect, steps)
        except NegOptError as error:
            assert str(error)


FAMILIES = [
    "[",
    "]",
    "[a:",
    "[a:0-0.5:1], ",
    "[, :0-0.5:1]b ",
    "[ :0-1:0.5][x:0-0.5:1]",
    "\\",
    "\\[",
    ":",
    "(a)",
    "((a))",
    "[a:3]",
    "[a:0.5]b, ",
    "[a|b:0.3] ",
    "[a|b] ",
    "a |_| ",
    "(a:1.1)",
    "a, ",
]
WORK: dict[str, Callable[[str], object]] = {
    "parse": parse_report,
    "format": lambda text: format_prompt(parse_prompt(text)),
    "compile": lambda text: compile_schedule(parse_prompt(text), 10),
    "inspect": lambda text: inspect_setup(PromptPair(parse_prompt(text), parse_prompt(text)), Setup(steps=10)),
    "read a1111": lambda text: from_dialect(text, "a1111", 10),
    "read prompt-control": lambda text: from_dialect(text, "prompt-control", 10),
    "read pae": lambda text: from_dialect(text, "pae", 10),
    "write a1111": lambda text: to_dialect(parse_prompt(text), "a1111", 10),
    "write prompt-control": lambda text: to_dialect(parse_prompt(text), "prompt-control", 10),
    "write pae": lambda text: to_dialect(parse_prompt(text), "pae", 10),
}


@pytest.mark.parametrize("name", WORK)
@pytest.mark.parametrize("family", FAMILIES)
def test_work_grows_no_faster_than_the_text(name: str, family: str) -> None:
    def work(times: int) -> None:
        with suppress(NegOptError):  # a refusal must be cheap too
            WORK[name](family * times)

    assert is_linear(work, 40)


def test_the_cost_measure_sees_quadratic_work() -> None:
    def quadratic(size: int) -> None:
        for _ in range(size):
            for _ in range(size):
                math.sqrt(2)

    assert calls(lambda: quadratic(40)) > 12 * calls(lambda: quadratic(10))
