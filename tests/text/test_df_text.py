"""DF-Prompt text: reading, writing, and what a malformed bracket means."""

import pytest

from negopt_core import DFPrompt, PromptError, Span, Window, format_prompt, parse_prompt, parse_report

EARLY, LATE = Window(0.0, 0.5), Window(0.5, 1.0)

# The examples drawn in the PAE paper's figures, as ranges of noise.
FIGURES = [
    (
        "three friends dancing, in a scenic environment by beeple, [trending on artstation:0-0.5:0.75]",
        [
            ("three friends dancing, in a scenic environment by beeple, ", 1.0, Window()),
            ("trending on artstation", 0.75, LATE),
        ],
    ),
    (
        "symmetric woman face, [with gorgeous hair face illustration:0-1:1.0], [by wlop:0.5-1:0.75], [artgerm:0-1:1.0]",
        [
            ("symmetric woman face, with gorgeous hair face illustration, ", 1.0, Window()),
            ("by wlop", 0.75, EARLY),
            (", artgerm", 1.0, Window()),
        ],
    ),
    (
        "cats in suits, [intricate:0-1:1.25], [highly detailed:0-0.5:0.75], [artstation:0-0.5:0.5], [8 k:0-1:0.5]",
        [
            ("cats in suits, ", 1.0, Window()),
            ("intricate", 1.25, Window()),
            (", ", 1.0, Window()),
            ("highly detailed", 0.75, LATE),
            (", ", 1.0, Window()),
            ("artstation", 0.5, LATE),
            (", ", 1.0, Window()),
            ("8 k", 0.5, Window()),
        ],
    ),
    (
        "black broken tv, [intricate:0.5-1:1.0], [sharp focus:0-1:1.0], [illustration:0.5-1:1.0], [8 k:0-1:0.75]",
        [
            ("black broken tv, ", 1.0, Window()),
            ("intricate", 1.0, EARLY),
            (", sharp focus, ", 1.0, Window()),
            ("illustration", 1.0, EARLY),
            (", ", 1.0, Window()),
            ("8 k", 0.75, Window()),
        ],
    ),
    ("[beauty:0.5|->0:0.75]", [("beauty", 0.75, LATE)]),
    ("[esoteric:1|->0.5:0.5]", [("esoteric", 0.5, EARLY)]),
]


@pytest.mark.parametrize(("text", "spans"), FIGURES)
def test_the_papers_figures_read_as_drawn(text: str, spans: list[tuple[str, float, Window]]) -> None:
    report = parse_report(text)
    assert report.problems == ()
    assert report.prompt == DFPrompt(tuple(Span(*span) for span in spans))
    assert parse_prompt(format_prompt(report.prompt)) == report.prompt


@pytest.mark.parametrize(
    "written",
    ["0-0.5", "0.5-0", "0.5->0", "0.5|->0", "0.5→0", "0.5↦0", "0.5\u20130", " 0 - .5 ", "0.0-0.50", "00-0.5", "0.-0.5"],
)
def test_a_range_may_be_written_in_either_order_and_with_arrows(written: str) -> None:
    report = parse_report(f"[x:{written}:1]")
    assert report == parse_report("[x:0-0.5:1]")
    assert report.prompt.spans == (Span("x", 1.0, LATE),)


@pytest.mark.parametrize(
    ("written", "weight"),
    [("1", 1.0), ("0", 0.0), ("0.75", 0.75), (".5", 0.5), ("1e-3", 0.001), (" 2.50 ", 2.5), ("10", 10.0)],
)
def test_a_weight_is_a_number(written: str, weight: float) -> None:
    assert parse_prompt(f"[x:0-0.5:{written}]").spans == (Span("x", weight, LATE),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (r"a \[cat\]", "a [cat]"),
        (r"ratio 16\:9", "ratio 16:9"),
        ("ratio 16:9", "ratio 16:9"),
        (r"back\\slash", r"back\slash"),
        (r"C:\new", r"C:\new"),  # a backslash before any other character is itself
        ("ends in \\", "ends in \\"),
        (r"\\[", r"\["),
        (r"\[x:0-0.5:1\]", "[x:0-0.5:1]"),
    ],
)
def test_escapes_give_the_character(text: str, words: str) -> None:
    prompt = parse_prompt(text)
    assert prompt == DFPrompt.plain(words)


def test_escapes_work_inside_a_phrase() -> None:
    assert parse_prompt(r"[a\:b\]c\[:0-0.5:1]").spans == (Span("a:b]c[", 1.0, LATE),)
    assert parse_prompt("[16:9:0-0.5:1]").spans == (Span("16:9", 1.0, LATE),)  # only the last two colons separate


@pytest.mark.parametrize(
    ("text", "position", "taken", "rule"),
    [
        ("a [foo] bar", 2, "[foo]", "written [words:low-high:weight]"),
        ("[bad:0-1] of a cat", 0, "[bad:0-1]", "written [words:low-high:weight]"),
        ("[x:0-2:1]", 0, "[x:0-2:1]", "0 <= low < high <= 1"),
        ("[x:0.5-0.5:1]", 0, "[x:0.5-0.5:1]", "0 <= low < high <= 1"),
        ("[x:-1-0.5:1]", 0, "[x:-1-0.5:1]", "numbers from 0 to 1"),
        ("[x:half:1]", 0, "[x:half:1]", "numbers from 0 to 1"),
        ("[x:0-0.5:nan]", 0, "[x:0-0.5:nan]", "0 <= weight <= 10"),
        ("[x:0-0.5:11]", 0, "[x:0-0.5:11]", "0 <= weight <= 10"),
        ("[x:0-0.5:1e999]", 0, "[x:0-0.5:1e999]", "0 <= weight <= 10"),
        ("[x:0-0.5:-1]", 0, "[x:0-0.5:-1]", "0 <= weight <= 10"),
        ("[x:0-0.5:٣]", 0, "[x:0-0.5:٣]", "0 <= weight <= 10"),
        ("[:0-0.5:1]", 0, "[:0-0.5:1]", "needs words"),
        ("a cat [", 6, "[", "never closed"),
        ("a cat ]", 6, "]", "never opened"),
        ("[a [b", 0, "[a ", "never closed"),
    ],
)
def test_a_malformed_bracket_is_literal_and_reported(text: str, position: int, taken: str, rule: str) -> None:
    report = parse_report(text)
    first = report.problems[0]
    assert (first.position, first.text) == (position, taken)
    assert rule in first.rule
    assert report.prompt == DFPrompt.plain(text)  # not a character is lost
    assert str(first).startswith(f"character {position}: ")


def test_a_good_phrase_inside_a_bad_bracket_still_counts() -> None:
    report = parse_report("[a [b:0-0.5:0.5] c]")
    assert report.prompt.spans == (Span("[a "), Span("b", 0.5, LATE), Span(" c]"))
    assert [problem.position for problem in report.problems] == [0, 18]


def test_a_problem_shows_at_most_forty_characters() -> None:
    (problem,) = parse_report("[" + "x" * 500).problems
    assert len(problem.text) == 501
    assert "x" * 36 + "..." in str(problem)
    assert len(str(problem)) < 140


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        (DFPrompt(), ""),
        (DFPrompt.plain("a cat"), "a cat"),
        (DFPrompt((Span("x", 1.0, LATE),)), "[x:0-0.5:1]"),
        (DFPrompt((Span("x", 0.75, EARLY),)), "[x:0.5-1:0.75]"),
        (DFPrompt((Span("x", 1.25),)), "[x:0-1:1.25]"),
        (DFPrompt((Span("a:b]", 0.5),)), r"[a\:b\]:0-1:0.5]"),
        (DFPrompt.plain("16:9 [x]"), r"16:9 \[x\]"),
        (DFPrompt((Span("end\\"), Span("x", 2.0))), r"end\\[x:0-1:2]"),
        (DFPrompt((Span("x", 1e-7, Window(1 / 3, 1.0)),)), "[x:0-0.666666667:1e-07]"),
    ],
)
def test_writing_is_the_shortest_text_that_reads_back(prompt: DFPrompt, text: str) -> None:
    assert format_prompt(prompt) == text
    assert parse_report(text).prompt == prompt
    assert parse_report(text).problems == ()


def test_a_neutral_phrase_is_plain_text() -> None:
    assert parse_prompt("a cat, [sharp focus:0-1:1.0]") == DFPrompt.plain("a cat, sharp focus")


def test_text_past_the_limit_is_refused() -> None:
    with pytest.raises(PromptError, match="shorten it"):
        parse_report("a" * 1_000_001)
