"""The written text, run through small interpreters of the hosts: every step must encode what our schedule says.

The interpreters follow the hosts' measured behaviour in our own words; they share no code with the dialects.
"""

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negopt_core import DFPrompt, DialectError, Span, Window, compile_schedule, segment_at
from negopt_core.text.dialects import from_dialect, to_a1111_passes, to_dialect

Parts = list[tuple[str, float]]


def square_fields(text: str, start: int) -> tuple[list[str], int]:
    """The raw fields of the square bracket whose content begins at `start`, and where the text goes on."""
    fields, depth, at = [""], 0, start
    while depth or text[at] != "]":
        char = text[at]
        if char == "\\":
            fields[-1] += text[at : at + 2]
            at += 2
            continue
        depth += (char in "[(") - (char in "])")
        if char == ":" and not depth:
            fields.append("")
        else:
            fields[-1] += char
        at += 1
    return fields, at + 1


def choose(text: str, pick) -> str:
    """Replace every square bracket by what `pick` chooses of its fields, from outside in."""
    out, at = "", 0
    while at < len(text):
        if text[at] == "\\":
            out, at = out + text[at : at + 2], at + 2
        elif text[at] == "[":
            fields, at = square_fields(text, at + 1)
            out += choose(pick(fields), pick)
        else:
            out, at = out + text[at], at + 1
    return out


def weights(text: str) -> Parts:
    """Split `(words:weight)`, never nested here, from what surrounds it; a backslash gives the next character."""
    parts: Parts = []
    words, weight_text, inside = "", None, False
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            words, at = words + text[at + 1], at + 1
        elif char == "(":
            parts, words, inside = [*parts, (words, 1.0)], "", True
        elif char == ")":
            assert inside and weight_text is not None
            parts, words, weight_text, inside = [*parts, (words, float(weight_text))], "", None, False
        elif char == ":" and inside:
            weight_text = re.match(r"[\d.]*", text[at + 1 :]).group()
            at += len(weight_text)
        else:
            words += char
        at += 1
    return [*parts, (words, 1.0)]


def a1111_at(text: str, step: int, steps: int, steps_before: int | None = None) -> Parts:
    """What A1111 encodes at a step: the number in a bracket is the last step of `before`, step 0 never alone.

    `steps_before` is None in a picture with one pass, 0 in the first and the first's steps in the second pass of two.
    """
    assert not re.search(r"\b(AND|BREAK)\b|#", text)
    assert not re.search(r":\s*[-+]?(\d+\.?|\d*\.\d+)\s*$", text)

    def pick(fields: list[str]) -> str:
        last = min(steps, int(fields[-1]) - (steps_before or 0))
        assert steps_before is not None or 1 <= last < steps
        before = fields[0] if len(fields) == 3 else ""
        return before if last >= 1 and step <= last else fields[-2]

    encoded = choose(text, pick)
    assert "BREAK" not in re.split(r"\W+", encoded)
    return weights(encoded)


def prompt_control_at(text: str, step: int, steps: int) -> Parts:
    """What prompt-control encodes at a step, with percent as an equal share of the steps."""

    def pick(fields: list[str]) -> str:
        bounds = [math.ceil(round(float(number) * steps, 6)) for number in fields[-1].split(",")]
        if len(bounds) == 2:
            assert len(fields) == 2
            return fields[0] if bounds[0] <= step < bounds[1] else ""
        before = fields[0] if len(fields) == 3 else ""
        return before if step < bounds[0] else fields[-2]

    encoded = choose(text, pick)
    assert not re.search(r"\b(AND|BREAK|CAT|AVG|COUPLE)\b", encoded)
    assert not re.search(r":-?\d\.?\d*(![A-Za-z]+)?$", encoded.strip())
    return weights(encoded)


def joined(parts: Parts) -> list[list]:
    """Neighbours of equal weight as one; spaces at the very ends mean nothing to an encoder."""
    out: list[list] = []
    for text, weight in parts:
        if text and out and math.isclose(out[-1][1], weight):
            out[-1][0] += text
        elif text:
            out.append([text, weight])
    return out


HOSTS = {"a1111": a1111_at, "prompt-control": prompt_control_at}

tame_words = st.lists(
    st.sampled_from(["cat", "a dog", ", ", " ", "big ", ", x", "f(y)", "[z]", "16:9"]), min_size=1, max_size=3
)
wild_words = st.lists(
    st.sampled_from([*r"()[]|\#:,.!19éß ", "\n", "AND", "BREAK", "SEQ", "<lora:x:1>", "MASK", ":9", "🎈"]),
    min_size=1,
    max_size=4,
)
texts = st.one_of(tame_words, tame_words, wild_words).map("".join)
bounds = st.sampled_from([0, 1, 2, 3, 5, 6, 10, 12, 15, 17, 19, 20])
windows = (
    st.tuples(bounds, bounds)
    .filter(lambda pair: pair[0] < pair[1])
    .map(lambda pair: Window(pair[0] / 20, pair[1] / 20))
)
span_weights = st.sampled_from([1.0, 1.0, 0.0, 0.5, 1.25, 1e-7, 9.999])
spans = st.builds(Span, texts, span_weights, windows)
prompts = st.lists(spans, max_size=5).map(lambda some: DFPrompt(tuple(some)))


def said(prompt: DFPrompt) -> DFPrompt:
    """The prompt with round brackets for `\\(` and `\\)`, which no host reads as anything else."""
    return DFPrompt(
        tuple(Span(re.sub(r"\\([()])", r"\1", span.text), span.weight, span.window) for span in prompt.spans)
    )


def is_known_limit(message: str, prompt: DFPrompt, dialect: str, steps: int) -> bool:
    """True if the prompt really has what the refusal names."""
    schedule = compile_schedule(prompt, steps)
    if "first and second step" in message:
        return dialect == "a1111" and any(segment.first == 1 for segment in schedule)
    for marks in ("AND", "BREAK", "#", "|", "SEQ", "MASK", "strength", "backslash", "hundredths"):
        if marks in message:
            needle = {"strength": ":", "backslash": "\\", "hundredths": ""}.get(marks, marks)
            return needle in prompt.text and (marks != "hundredths" or steps > 100)
    return False


@pytest.mark.parametrize("dialect", sorted(HOSTS))
@given(prompt=prompts, steps=st.sampled_from([1, 2, 3, 7, 10, 20, 50]))
@settings(max_examples=100, deadline=None)
def test_the_host_encodes_our_segments_at_every_step(dialect: str, prompt: DFPrompt, steps: int) -> None:
    try:
        text = to_dialect(prompt, dialect, steps)
    except DialectError as error:
        assert is_known_limit(str(error), prompt, dialect, steps), error
        return
    schedule = compile_schedule(said(prompt), steps)
    for step in range(steps):
        got = joined(HOSTS[dialect](text, step, steps))
        wanted = joined(list(segment_at(schedule, step).parts))
        assert [part[0] for part in got] == [part[0] for part in wanted], (step, text)
        assert all(math.isclose(a[1], b[1]) for a, b in zip(got, wanted, strict=True)), (step, text)


@given(prompt=prompts, steps=st.sampled_from([1, 3, 10, 20]), hires_steps=st.sampled_from([1, 2, 7, 20]))
@settings(max_examples=60, deadline=None)
def test_the_host_starts_our_schedule_anew_in_the_hires_pass(prompt: DFPrompt, steps: int, hires_steps: int) -> None:
    try:
        text = to_a1111_passes(prompt, steps, hires_steps)
    except DialectError as error:
        assert any(is_known_limit(str(error), prompt, "a1111", total) for total in (steps, hires_steps)), error
        return
    for total, before in ((steps, 0), (hires_steps, steps)):
        schedule = compile_schedule(said(prompt), total)
        for step in range(total):
            got = joined(a1111_at(text, step, total, before))
            wanted = joined(list(segment_at(schedule, step).parts))
            assert [part[0] for part in got] == [part[0] for part in wanted], (step, total, text)


def words_at(prompt: DFPrompt, step: int, steps: int) -> list[list]:
    """The parts without separators, which reading back may move between neighbours."""
    parts = segment_at(compile_schedule(prompt, steps), step).parts
    return joined([(re.sub(r"[\s,]+", "", text), round(weight, 9)) for text, weight in parts])


@pytest.mark.parametrize("dialect", ["a1111", "prompt-control", "pae"])
@given(prompt=prompts, steps=st.sampled_from([1, 2, 3, 7, 10, 20, 50]))
@settings(max_examples=60, deadline=None)
def test_reading_back_keeps_words_weights_and_steps(dialect: str, prompt: DFPrompt, steps: int) -> None:
    try:
        text = to_dialect(prompt, dialect, steps)
    except DialectError:
        return  # the test above says which prompts these may be
    back = from_dialect(text, dialect, steps)
    assert [words_at(back, step, steps) for step in range(steps)] == [
        words_at(said(prompt), step, steps) for step in range(steps)
    ], text


def test_an_instruction_that_only_the_written_text_shows_is_refused() -> None:
    prompt = DFPrompt((Span("cat", 1.0, Window(0.0, 0.5)), Span("AND", 1.0, Window(0.0, 0.05))))
    with pytest.raises(DialectError, match="'AND'"):
        to_dialect(prompt, "prompt-control", 3)


@given(prompt=prompts, steps=st.sampled_from([1, 7, 10, 25, 50, 100]))
@settings(max_examples=60, deadline=None)
def test_pae_text_has_our_steps_by_the_references_rounding(prompt: DFPrompt, steps: int) -> None:
    try:
        text = to_dialect(prompt, "pae", steps)
    except DialectError as error:
        is_led = any(span.text.startswith(" ") for span in prompt.spans if not span.is_plain)
        assert is_led or any(char in prompt.text for char in "[]:"), error
        return
    found = [tuple(map(float, match)) for match in re.findall(r":([\d.]+)-([\d.]+):[\d.]+\]", text)]
    shown = [span for span in prompt.spans if not span.is_plain and span.text.strip(" ")]
    got = [range(steps - int(high * steps), steps - int(low * steps)) for low, high in found]
    assert [list(live) for live in got] == [list(span.window.steps(steps)) for span in shown]
