"""Other programs' notations: what is written and what is read."""

import math

import pytest

from negopt_core import DFPrompt, DialectError, Span, Window, compile_schedule, parse_prompt, segment_at
from negopt_core.text.dialects import DIALECTS, from_dialect, to_a1111_passes, to_dialect

CHAIN = "a cat[, art:0.2-0.8:1][, oil:0.5-0.9:1]"


@pytest.mark.parametrize(
    ("df_text", "a1111", "prompt_control"),
    [
        ("a cat", "a cat", "a cat"),
        ("", "", ""),
        ("a cat, [x:0-0.5:1]", "a cat[, x:4]", "a cat[, x:0.5]"),
        ("a cat, [x:0-0.5:0.75]", "a cat[, (x:0.75):4]", "a cat[, (x:0.75):0.5]"),
        ("a cat, [x:0.5-1:1]", "a cat[, x::4]", "a cat[, x::0.5]"),
        ("a cat, [x:0.2-0.8:1]", "a cat[[, x::7]:1]", "a cat[, x:0.2,0.8]"),
        ("a cat, [x:0-0.5:1], dog", "a cat, [x, :4]dog", "a cat, [x, :0.5]dog"),
        ("[x:0-0.5:1], a cat", "[x, :4]a cat", "[x, :0.5]a cat"),
        ("a [red:0.5-1:1][blue:0-0.5:1] car", "a [red:blue:4] car", "a [red:blue:0.5] car"),
        ("a cat, [x:0-1:1.25]", "a cat, (x:1.25)", "a cat, (x:1.25)"),
        ("[x:0-1:1e-7]", "(x:0.0000001)", "(x:0.0000001)"),
        ("a cat, [x:0.81-0.89:1]", "a cat", "a cat"),  # narrower than a step of 10
        (CHAIN, "a cat[[, art::7]:1][[, oil::4]:0]", None),
        (r"a (b) \[c\] d:e f\\g", r"a \(b\) \[c\] d\:e f\\g", r"a \(b\) \[c\] d\:e f\\g"),
        ("ratio 16:9", r"ratio 16(\:9:1)", r"ratio 16(\:9:1)"),  # bare, the host reads a weight of 9
        ("a|b", r"a\|b", "a|b"),
        ("<lora:x:1>", r"<lora\:x\:1>", r"<lora\:x\:1>"),
    ],
)
def test_what_is_written_for_ten_steps(df_text: str, a1111: str, prompt_control: str | None) -> None:
    prompt = parse_prompt(df_text)
    if df_text != CHAIN:  # that one switches right after the first step, which A1111 cannot
        assert to_dialect(prompt, "a1111", 10) == a1111
    if prompt_control is not None:
        assert to_dialect(prompt, "prompt-control", 10) == prompt_control


@pytest.mark.parametrize(
    ("df_text", "text"),
    [
        ("a cat, (big)", r"a cat, \(big\)"),  # nothing changes, so nothing is switched
        ("a cat, [x:0-0.5:1]", "[a cat[, x:4]:a cat[, x:12]:10]"),
        ("[x:0-0.5:0.5]", "[[(x:0.5):4]:[(x:0.5):12]:10]"),
        ("a cat, [x:0.9-1:1]", None),  # between the first and the second of ten steps
    ],
)
def test_the_second_pass_counts_on_from_the_first(df_text: str, text: str | None) -> None:
    """Ten steps, then six: in the second pass step 0 is number 10."""
    if text is None:
        with pytest.raises(DialectError, match="first and second step"):
            to_a1111_passes(parse_prompt(df_text), 10, 6)
    else:
        assert to_a1111_passes(parse_prompt(df_text), 10, 6) == text


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "df_text",
    [
        "a cat",
        "",
        "a cat, [x:0-0.5:1]",
        "a cat, [x:0-0.5:0.75], dog",
        "a cat, [x:0.5-1:1]",
        "[x:0-0.5:1.3], a cat",
        "a cat, [x:0.2-0.8:1], [y:0-0.5:0.5], dog",
        "a [red:0.5-1:1][blue:0-0.5:1] car",
        "a cat, [intricate:0-1:1.25], [highly detailed:0-0.5:0.75], [artstation:0-0.5:0.5], [8 k:0-1:0.5]",
    ],
)
def test_what_is_written_reads_back_as_the_same_prompt(df_text: str, dialect: str) -> None:
    prompt = parse_prompt(df_text)
    assert from_dialect(to_dialect(prompt, dialect, 10), dialect, 10) == prompt


@pytest.mark.parametrize(("dialect", "text"), [("a1111", r"ratio 16(\:9:1)"), ("prompt-control", r"ratio 16(\:9:1)")])
def test_the_guard_around_a_final_number_reads_back_as_plain_text(dialect: str, text: str) -> None:
    assert from_dialect(text, dialect, 10) == DFPrompt.plain("ratio 16:9")


@pytest.mark.parametrize(
    ("text", "at_10_steps"),
    [
        ("[a::0.5]", "aaaaaa...."),  # half of the steps, end step included
        ("[a:0.5]", "......aaaa"),
        ("[a:b:0.5]", "aaaaaabbbb"),
        ("[:b:0.5]", "......bbbb"),
        ("[a:b:4]", "aaaaabbbbb"),
        ("[a:b: 4 ]", "aaaaabbbbb"),
        ("[a:b:0]", "bbbbbbbbbb"),
        ("[a:b:.05]", "bbbbbbbbbb"),
        ("[a:b:1]", "aabbbbbbbb"),
        ("[a:b:1.0]", "aaaaaaaaaa"),
        ("[a:b:9]", "aaaaaaaaaa"),
        ("[a:b:99]", "aaaaaaaaaa"),
        ("[a:b:-2]", "bbbbbbbbbb"),
        ("[a:[b:c:6]:3]", "aaaabbbccc"),
        ("[[a::6]:3]", "....aaa..."),
        ("[a:3][b::5]", "bbbb**aaaa"),
    ],
)
def test_a1111_text_acts_at_the_steps_the_host_gives_it(text: str, at_10_steps: str) -> None:
    schedule = compile_schedule(from_dialect(text, "a1111", 10), 10)
    seen = [segment_at(schedule, step).text for step in range(10)]
    assert "".join({"": ".", "ab": "*"}.get(text, text) for text in seen) == at_10_steps


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("(x)", [("x", 1.1)]),
        ("((x))", [("x", 1.1 * 1.1)]),
        ("[x]", [("x", 1 / 1.1)]),
        ("[(x)]", [("x", 1.1 / 1.1)]),
        ("(x:1.2)", [("x", 1.2)]),
        ("(x: 1.2 )", [("x", 1.2)]),
        ("(x:0)", [("x", 0.0)]),
        ("a (b (c:1.5) d:1.2)", [("a ", 1.0), ("b ", 1.2), ("c", 1.8), (" d", 1.2)]),
        (r"\(x\) \\ \: \n", [("(x) \\ : n", 1.0)]),
        ("a: b", [("a: b", 1.0)]),
    ],
)
def test_a1111_weights_are_read_as_the_host_reads_them(text: str, parts: list[tuple[str, float]]) -> None:
    (segment,) = compile_schedule(from_dialect(text, "a1111", 10), 10)
    assert [part[0] for part in segment.parts] == [part[0] for part in parts]
    for (_, got), (_, wanted) in zip(segment.parts, parts, strict=True):
        assert math.isclose(got, wanted)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("((x))", [("x", 1.1 * 1.1)]),
        ("(a (b:1.5):1.2)", [("a ", 1.2), ("b", 1.5)]),  # in ComfyUI an inner weight replaces the outer one
        ("((b:1.5))", [("b", 1.5)]),
        ("[x]", [("[x]", 1.0)]),
        (r"\(x\) \# \\ \n", [("(x) # \\ \\n", 1.0)]),
        ("a|b", [("a|b", 1.0)]),
    ],
)
def test_prompt_control_weights_are_read_as_comfyui_reads_them(text: str, parts: list[tuple[str, float]]) -> None:
    (segment,) = compile_schedule(from_dialect(text, "prompt-control", 10), 10)
    assert [part[0] for part in segment.parts] == [part[0] for part in parts]
    for (_, got), (_, wanted) in zip(segment.parts, parts, strict=True):
        assert math.isclose(got, wanted)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("[a:0.5]", [("a", 0.5, 1.0)]),
        ("[a::0.5]", [("a", 0.0, 0.5)]),
        ("[a:b:0.5]", [("a", 0.0, 0.5), ("b", 0.5, 1.0)]),
        ("[a:0.1,0.4]", [("a", 0.1, 0.4)]),
        ("[a:b:0.1,0.4]", [("a", 0.1, 0.4), ("b", 0.4, 1.0)]),
        ("[a:b:c:0.1,0.4]", [("a", 0.0, 0.1), ("b", 0.1, 0.4), ("c", 0.4, 1.0)]),
        ("[a:b:c:0.1]", [("a", 0.0, 0.1), ("b", 0.1, 1.0)]),
        ("[a:[b:c:.7]:0.3]", [("a", 0.0, 0.3), ("b", 0.3, 0.7), ("c", 0.7, 1.0)]),
        ("[a:0.333]", [("a", 0.33, 1.0)]),  # the host rounds to hundredths
        ("[a:1]", []),
    ],
)
def test_prompt_control_windows_are_fractions(text: str, spans: list[tuple[str, float, float]]) -> None:
    prompt = from_dialect(text, "prompt-control", 10)
    assert prompt == DFPrompt(tuple(Span(words, 1.0, Window(start, end)) for words, start, end in spans))


def test_prompt_control_uses_a_hundredth_that_falls_on_the_step() -> None:
    third = DFPrompt((Span("a, "), Span("x", 1.0, Window(1 / 3, 1.0))))
    assert to_dialect(third, "prompt-control", 10) == "a[, x:0.33]"
    assert to_dialect(third, "prompt-control", 75) == "a[, x:0.33]"
    assert Window(0.33, 1.0).steps(75) == Window(1 / 3, 1.0).steps(75)
    eleventh = DFPrompt((Span("a, "), Span("x", 1.0, Window(0.0101, 1.0))))
    assert to_dialect(eleventh, "prompt-control", 20) == "a[, x:0.01]"
    with pytest.raises(DialectError, match=r"hundredths and cannot switch 'x' at step 11 of 1000"):
        to_dialect(eleventh, "prompt-control", 1000)


@pytest.mark.parametrize(
    ("df_text", "steps", "text"),
    [
        ("a cat, [x:0.5|->0:0.75], dog", 10, "a cat, [x:0-0.5:0.75], dog"),
        ("[ x:0-0.5:1]", 10, " [x:0-0.5:1]"),  # the reference moves the space out
        ("[x:0-0.29:1]", 10, "[x:0-0.29:1]"),
        ("[x:0-0.29:1]", 100, "[x:0-0.290000001:1]"),  # int(0.29 * 100) is 28: the reference would lose a step
        ("[x:0-1:1e-5]", 10, "[x:0-1:0.00001]"),
        ("a [x:0.81-0.89:1]", 10, "a [x:0.81-0.89:1]"),
    ],
)
def test_pae_text_gives_the_reference_the_same_steps(df_text: str, steps: int, text: str) -> None:
    prompt = parse_prompt(df_text)
    assert to_dialect(prompt, "pae", steps) == text
    for span in prompt.spans:
        if not span.is_plain:
            low, high = map(float, text.split("[")[1].split(":")[1].split("-"))
            live = span.window.steps(steps)
            assert range(steps - int(high * steps), steps - int(low * steps)) == live


@pytest.mark.parametrize(
    ("text", "early", "late"),
    [
        ("super[, x:4]man", "superman", "super, xman"),  # as plain text the comma would stay behind
        ("a cat[, x:4], dog", "a cat, dog", "a cat, x, dog"),
        ("a cat, [x, :4]dog", "a cat, dog", "a cat, x, dog"),
    ],
)
def test_separators_inside_a_switch_are_absent_with_it(text: str, early: str, late: str) -> None:
    schedule = compile_schedule(from_dialect(text, "a1111", 10), 10)
    assert [segment.text for segment in schedule] == [early, late]


def test_a_switch_that_changes_no_text_is_no_switch() -> None:
    prompt = DFPrompt((Span("x", 1.0, Window(0.0, 0.1)), Span("x", 1.0, Window(0.1, 1.0))))
    assert to_dialect(prompt, "a1111", 10) == "x"


def test_pae_moves_a_leading_space_out_of_the_bracket_like_the_reference() -> None:
    assert from_dialect("a [ x:0-0.5:1]", "pae", 10) == from_dialect("a  [x:0-0.5:1]", "pae", 10)
    assert to_dialect(DFPrompt((Span(" ", 0.5), Span("a", 2.0))), "pae", 10) == " [a:0-1:2]"
