"""Texts of other programs as people post them, each with what it means there; a row stands for its kind.

What A1111 does was read off its own parser (1.10) and its rule for the step: the first entry whose number is not below
the step, counted from 0. So every switch comes one step late, and of words that take turns the first holds for two.
"""

import pytest

from negopt_core import DFPrompt, DialectError, Span, Window, compile_schedule, format_prompt, parse_prompt, segment_at
from negopt_core.text.dialects import DIALECTS, from_dialect, import_dialect, to_dialect
from negopt_core.text.dialects.a1111 import host_steps


def texts(prompt: DFPrompt, steps: int) -> list[str]:
    schedule = compile_schedule(prompt, steps)
    return [segment_at(schedule, step).text for step in range(steps)]


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("[cow|horse|ox] in a field", "cow cow horse ox cow horse"),
        ("[ox|cow|horse] in a field", "ox ox cow horse ox cow"),
        ("[cow|horse] in a field", "cow cow horse cow horse cow"),
        ("[[cow|horse]:ox:3] in a field", "cow cow horse cow ox ox"),
        ("[cow|[horse|ox]] in a field", "cow cow ox cow ox cow"),
        ("[cow|cow|horse] in a field", "cow cow cow horse cow cow"),
    ],
)
def test_words_that_take_turns_in_a1111_become_windows_in_their_order(text: str, turns: str) -> None:
    prompt = from_dialect(text, "a1111", 6)
    assert texts(prompt, 6) == [f"{word} in a field" for word in turns.split()]
    assert texts(from_dialect(to_dialect(prompt, "a1111", 6), "a1111", 6), 6) == texts(prompt, 6)


def test_an_empty_turn_leaves_the_words_out() -> None:
    assert texts(from_dialect("[fe|]male", "a1111", 4), 4) == ["female", "female", "male", "female"]
    assert texts(from_dialect("[a|b]", "a1111", 1), 1) == ["a"]


@pytest.mark.parametrize(
    ("text", "at_20_steps"),
    [
        ("[a:b:0.5] [c|d:0.1]", ["a c", "a d", "a c", "a d", "a c", "b d", "b c", "b d", "b c", "b d"]),
        ("[c|d]", ["c", "d"] * 5),  # a tenth is the default
        ("[c|d|e:0.3]", ["c"] * 3 + ["d"] * 3 + ["e"] * 3 + ["c"]),
        ("[[c|d]:e:0.5]", ["c", "d", "c", "d", "c", *["e"] * 5]),
    ],
)
def test_words_that_take_turns_in_prompt_control_give_every_step_one_text(text: str, at_20_steps: list[str]) -> None:
    """One text for each tenth of the run, as prompt-control's own parser gives it."""
    assert texts(from_dialect(text, "prompt-control", 20), 20) == [word for word in at_20_steps for _ in range(2)]


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("a1111", "a |_| face"),
        ("a1111", "a |_| (face)"),
        ("a1111", "|_|, [face]"),
        ("a1111", "(a|b:1.2)"),
        ("a1111", "red:1.4, ugly"),
        ("a1111", "{cat|dog} in the sun"),
        ("a1111", "at 00:00.2, rain"),
        ("prompt-control", "a |_| face"),
        ("prompt-control", "[Shot 2] a man in <Picture 1>"),
        ("prompt-control", "at 00:00.2, rain"),
    ],
)
def test_signs_that_mean_nothing_there_are_ordinary_characters(dialect: str, text: str) -> None:
    prompt = from_dialect(text, dialect, 20)
    bare = text.replace("(", "").replace(":1.2)", "").replace(")", "")
    assert prompt.text == (bare if dialect == "prompt-control" else bare.replace("[", "").replace("]", ""))
    assert all(span.window.is_full for span in prompt.spans)


@pytest.mark.parametrize(
    "text",
    [
        r"[:[Shot 2] At 00\:00.200, the man in \<Picture 1\> appears.:0.1]",
        r"[:[Shot 2] At 00\:00.200, the man in <Picture 1> appears.:0.1]",
    ],
)
def test_a_sentence_with_brackets_and_colons_is_scheduled_whole(text: str) -> None:
    sentence = "[Shot 2] At 00:00.200, the man in <Picture 1> appears."
    prompt = from_dialect(text, "prompt-control", 20)
    assert prompt == DFPrompt((Span(sentence, 1.0, Window(0.1, 1.0)),))
    assert texts(parse_prompt(format_prompt(prompt)), 20) == [""] * 2 + [sentence] * 18
    for dialect in ("a1111", "prompt-control"):
        assert texts(from_dialect(to_dialect(prompt, dialect, 20), dialect, 20), 20) == texts(prompt, 20)


RED_TO_BLUE = ("red", "blue")
APPLES = ("a red apple", "a green apple")


@pytest.mark.parametrize(
    ("text", "words", "after"),
    [
        ("[red:blue:1]", RED_TO_BLUE, 2),  # a whole number is a step, the last one of `red`
        ("[red:blue:1.0]", RED_TO_BLUE, 20),  # with a point it is a share of the run
        ("[red:blue:0.5]", RED_TO_BLUE, 11),
        ("[red:blue:10]", RED_TO_BLUE, 11),
        ("[(a red apple):(a green apple:1.8):1.0]", APPLES, 20),
    ],
)
def test_the_first_pass_switches_at_its_own_steps(text: str, words: tuple[str, str], after: int) -> None:
    assert texts(from_dialect(text, "a1111", 20), 20) == [words[0]] * after + [words[1]] * (20 - after)


@pytest.mark.parametrize(
    ("text", "words", "after"),
    [
        ("[red:blue:1.0]", RED_TO_BLUE, 0),  # the second pass counts shares from 1
        ("[red:blue:1.5]", RED_TO_BLUE, 6),
        ("[red:blue:0.5]", RED_TO_BLUE, 0),
        ("[red:blue:24]", RED_TO_BLUE, 5),  # and steps from those of the first
        ("[red:blue:4]", RED_TO_BLUE, 0),
        ("[red:blue:99]", RED_TO_BLUE, 10),
        ("[(a red apple):(a green apple:1.8):1.0]", APPLES, 0),
    ],
)
def test_the_second_pass_counts_on_from_the_first(text: str, words: tuple[str, str], after: int) -> None:
    """Twenty steps, then ten."""
    read = import_dialect(text, "a1111", 10, first_pass_steps=20)
    assert texts(read.prompt, 10) == [words[0]] * after + [words[1]] * (10 - after)


@pytest.mark.parametrize(
    ("sampler", "counted"),
    [
        ("Euler a", 20),
        ("DPM++ 2M Karras", 20),
        ("DPM++ 2M SDE Heun", 20),
        ("Heun", 40),
        ("DPM2", 40),
        ("DPM2 a Karras", 40),
        ("DPM++ 2S a", 40),
        ("DPM++ SDE Karras", 40),
        ("Restart", 40),
        ("heun", 40),
        ("dpm_2", 40),
        ("dpmpp_2s", 40),
        ("dpmpp_2s_ancestral", 40),
        ("", 20),
    ],
)
def test_a_share_of_the_run_is_a_share_of_its_steps_whatever_the_sampler_calls(sampler: str, counted: int) -> None:
    total = host_steps(20, sampler)
    assert total == counted
    share, number = (from_dialect(text, "a1111", total) for text in ("[fog::0.5]", "[fog::10]"))
    assert texts(share, 20) == ["fog"] * 11 + [""] * 9  # the step of the switch is the last of the old text
    assert texts(number, 20).count("fog") == (11 if counted == 20 else 6)


@pytest.mark.parametrize("text", [r"snake \(band\), cat", r"\(\(a\)\), \(b", r"a \(b\) (c:1.2)"])
def test_escaped_brackets_survive_any_number_of_round_trips(text: str) -> None:
    told = text
    for _ in range(3):
        for dialect in ("a1111", "prompt-control"):
            told = to_dialect(parse_prompt(format_prompt(from_dialect(told, dialect, 20))), dialect, 20)
        assert told == text


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_escape_in_df_text_is_no_backslash_anywhere_else(dialect: str) -> None:
    written = to_dialect(parse_prompt(r"snake \(band\), [cat \(big\):0-0.5:1]"), dialect, 20)
    assert "\\\\" not in written and written.count("(") == 2
    assert from_dialect(written, dialect, 20).text == "snake (band), cat (big)"


@pytest.mark.parametrize(
    ("text", "left", "other"),
    [
        ("[(dark:-1.0) fox:wolf:999]", "fox", "dark"),
        ("a landscape (people:-1), mountains", "a landscape, mountains", "people"),
        ("(people, cars:-0.5), mountains", "mountains", "[people, cars:0-1:0.5]"),
        ("((people:-1):1.2) mountains", "mountains", "[people:0-1:1.2]"),
        ("mountains, [(people:-1)::9]", "mountains", "[people:0.5-1:1]"),
        ("(a:-1) (b:-2)", "", "a, [b:0-1:2]"),
        (
            "cat [|(a:-1)]",
            "cat",
            "[a:0.85-0.9:1], [a:0.75-0.8:1], [a:0.65-0.7:1], [a:0.55-0.6:1], [a:0.45-0.5:1], "
            "[a:0.35-0.4:1], [a:0.25-0.3:1], [a:0.15-0.2:1], [a:0.05-0.1:1]",
        ),
    ],
)
def test_words_that_weigh_less_than_nothing_go_to_the_other_prompt_and_are_reported(
    text: str, left: str, other: str
) -> None:
    read = import_dialect(text, "a1111", 20)
    assert set(texts(read.prompt, 20)) == {left}
    assert format_prompt(read.opposite) == other
    assert all("below zero" in notice and "the other prompt" in notice for notice in read.notices)
    assert len(read.notices) == text.count(":-")
    with pytest.raises(DialectError, match="say the words in the other prompt"):
        from_dialect(text, "a1111", 20)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{cat|dog} in the sun", "{cat|dog}"),
        ("a __animals__, __places/cities__", "__animals__, __places/cities__"),
        ("photo of {prompt}", "{prompt}"),
        ("a ${style} cat", "${style}"),
        ("%date%, a cat", "%date%"),
    ],
)
def test_a_wildcard_is_left_as_it_is_and_said_to_be_unexpanded(text: str, told: str) -> None:
    read = import_dialect(text, "a1111", 20)
    assert read.prompt.text == text
    (notice,) = read.notices
    assert notice.startswith(f"{told} was not expanded")


def test_nothing_is_said_about_a_text_with_nothing_to_say() -> None:
    for text in ("a cat, 50% off_white, __init, {curly} words", "score_9, score_8_up", "a 5 % b 6 % c"):
        assert import_dialect(text, "a1111", 20).notices == ()
