"""Words, phrases and token estimates: what makes two phrases the same, and how long a text is without a tokenizer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negopt_core import DFPrompt, Span, Window, parse_prompt
from negopt_core.policy.media import media
from negopt_core.policy.phrases import append_phrases, fitting_phrases, phrase_spans, without_prefix
from negopt_core.policy.token_estimate import estimate_tokens
from negopt_core.policy.topics import topics
from negopt_core.policy.words import phrase_key, words_of
from negopt_core.text.word_tables import word_set

LATE = Window(0.5, 1.0)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Extra Fingers", "extra finger"),
        ("watercolours", "watercolor"),
        ("grey-scale", "gray scale"),
        ("jpeg_artifacts", "jpeg artifact"),
        ("(blurry:1.3)", "blurry"),
        ("a woman's hands", "a woman hand"),
        ("people", "person"),
        ("bodies, boxes, glasses, canvas", "body box glasses canvas"),
        ("Ünïcode ÉTÉ", "ünïcode été"),
        ("3D", "3d"),
        ("!!! ...", ""),
    ],
)
def test_case_plurals_british_forms_and_weights_do_not_make_a_phrase_another(text: str, key: str) -> None:
    assert phrase_key(text) == key


def test_every_table_entry_that_is_compared_is_written_as_the_reader_normalises_it() -> None:
    compared = [phrase for topic in topics() for phrase in (*topic.asks, *topic.same, *topic.opposite)]
    compared += [phrase for medium in media() for phrase in (*medium.asks, *medium.own)]
    compared += [word for name in ("people", "animals", "qualifiers", "neutral", "fillers") for word in word_set(name)]
    assert [phrase for phrase in compared if phrase_key(phrase) != phrase] == []


# counted with CLIP's own vocabulary, without start and end marks
CLIP_COUNTS = [
    ("low quality, worst quality, blurry", 8),
    ("score_9, score_8_up", 9),
    ("Repulsive rat king", 4),
    ("你好世界一只猫", 16),
    ("кошка на столе", 14),
    ("naïve café", 4),
    ("asdfghjkl qwrtzp xkcdmn", 9),
    ("!!!???...", 3),
]


@pytest.mark.parametrize(("text", "tokens"), CLIP_COUNTS)
def test_the_estimate_is_seldom_below_clips_own_count(text: str, tokens: int) -> None:
    assert 0.85 * tokens <= estimate_tokens(text) <= 2 * tokens + 1


@settings(deadline=None, max_examples=50)
@given(st.text(), st.text())
def test_the_estimate_adds_up_over_phrases(first: str, second: str) -> None:
    assert estimate_tokens(f"{first} , {second}") == estimate_tokens(first) + 1 + estimate_tokens(second)


def test_phrases_keep_the_weight_and_window_of_their_span() -> None:
    prompt = parse_prompt("a, b ,[c, d:0-0.5:0.75],, e")
    expected = [Span("a"), Span("b"), Span("c", 0.75, LATE), Span("d", 0.75, LATE), Span("e")]
    assert phrase_spans(prompt.spans) == expected


@pytest.mark.parametrize(
    ("text", "joined"), [("", "x, y"), ("a", "a, x, y"), ("a,", "a, x, y"), ("a, ", "a, x, y"), ("  ", "  x, y")]
)
def test_a_separator_that_is_there_is_not_doubled(text: str, joined: str) -> None:
    assert append_phrases(DFPrompt.plain(text), [Span("x", 1.0, LATE), Span("y")]).text == joined


@pytest.mark.parametrize(("limit", "kept"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (99, 3)])
def test_the_budget_cuts_between_phrases(limit: int, kept: int) -> None:
    phrases = [Span("one"), Span("two"), Span("three")]
    base = DFPrompt.plain("base")
    fitting = fitting_phrases(base, phrases, limit, estimate_tokens)
    assert fitting == phrases[:kept]
    assert estimate_tokens(append_phrases(base, fitting).text) <= max(limit, 1)


def test_what_the_user_wrote_is_never_cut_even_past_the_budget() -> None:
    own = DFPrompt.plain("a long text of my own")
    assert fitting_phrases(own, [Span("x")], 2, estimate_tokens) == []
    assert append_phrases(own, []) == own


@pytest.mark.parametrize(
    ("prompt", "text", "rest"),
    [
        (DFPrompt.plain("a cat, old"), "a cat", [Span(", old")]),
        (DFPrompt.plain("a cat"), "a cat", []),
        (DFPrompt((Span("a cat, "), Span("old", 0.5))), "a cat", [Span(", "), Span("old", 0.5)]),
        (DFPrompt.plain("a dog"), "a cat", None),
        (DFPrompt((Span("a cat", 0.5),)), "a cat", None),
        (DFPrompt(), "a cat", None),
        (DFPrompt.plain("x"), "", [Span("x")]),
    ],
)
def test_modifiers_are_what_follows_the_prompt_and_a_changed_prompt_shows(
    prompt: DFPrompt, text: str, rest: list[Span] | None
) -> None:
    assert without_prefix(prompt, text) == rest


def test_words_of_a_hundred_kilobytes_are_read() -> None:
    assert len(words_of("cats " * 20_000)) == 20_000
