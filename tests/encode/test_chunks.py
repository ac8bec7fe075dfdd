"""Which token belongs to which words, and how long prompts are cut into rows."""

from __future__ import annotations

import pytest

from negopt_core import ModelError
from negopt_core.encode.chunks import NOBODY, ClipTokens
from tests.fakes.slow_tokenizer import SlowTokenizer
from tests.paint.tiny import LENGTH


@pytest.fixture(params=["fast", "slow"])
def words(request, sd1):
    return sd1.tokenizer if request.param == "fast" else SlowTokenizer(sd1.tokenizer)


def spell(words, chunk, owner):
    """The text of the tokens that one part owns."""
    ids = [token for token, own in zip(chunk.ids, chunk.owners, strict=True) if own == owner]
    return "".join(words.convert_ids_to_tokens(ids)).replace("</w>", " ").strip()


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a cat", ", blurry"], ["a cat", ", blurry"]),
        (["a cat, ", "blurry", ", red"], ["a cat ,", "blurry", ", red"]),
        (["a  CAT ", " Blurry "], ["a cat", "blurry"]),  # case and spaces are the tokenizer's business
        (["bl", "urry"], ["blur", "r y"]),  # a token that straddles a border belongs to where it starts
        (["blurr", "y cat"], ["blurr", "y cat"]),
        (["a ", "é", " cat"], ["a", "Ã©", "cat"]),
        (["it'", "s red"], ["it'", "s red"]),
        (["a\n\tcat", "\ndog"], ["a cat", "dog"]),
    ],
)
def test_each_token_belongs_to_the_part_it_starts_in(words, texts, expected):
    (chunk,) = ClipTokens(words, LENGTH).chunks(tuple((text, 1.0) for text in texts))
    found = [spell(words, chunk, owner) for owner in range(len(texts))]
    assert [text.replace(" ", "") for text in found] == [text.replace(" ", "") for text in expected]


def test_fast_and_slow_tokenizers_agree(sd1):
    fast, slow = ClipTokens(sd1.tokenizer, LENGTH), ClipTokens(SlowTokenizer(sd1.tokenizer), LENGTH)
    text = "a red,blurry cat's land 12 überdog!! -- ok"
    for first in range(1, len(text) - 2):
        for second in range(first + 1, len(text), 3):
            parts = ((text[:first], 1.0), (text[first:second], 2.0), (text[second:], 3.0))
            assert fast.chunks(parts) == slow.chunks(parts), (first, second)


def test_escaped_round_brackets_are_round_brackets(words):
    tokens = ClipTokens(words, LENGTH)
    assert tokens.chunks(((r"a \(red\) cat", 1.0),)) == tokens.chunks((("a (red) cat", 1.0),))
    assert tokens.count(r"\(red\)") == tokens.count("(red)")


def test_weights_touch_only_the_words_of_their_part(words):
    (chunk,) = ClipTokens(words, LENGTH).chunks((("a cat, ", 1.0), ("blurry", 0.5)))
    weighted = [place for place, weight in enumerate(chunk.weights) if weight != 1.0]
    assert words.convert_ids_to_tokens([chunk.ids[place] for place in weighted]) == ["blur", "r", "y</w>"]
    assert chunk.owners[0] == NOBODY and set(chunk.owners[chunk.used - 1 :]) == {NOBODY}
    assert set(chunk.weights[chunk.used - 1 :]) == {1.0}


def test_a_short_text_gives_the_tokenizers_own_row(words):
    (chunk,) = ClipTokens(words, LENGTH).chunks((("a cat, ", 1.0), ("blurry", 0.5)))
    own = words("a cat, blurry", padding="max_length", max_length=LENGTH, truncation=True)
    assert list(chunk.ids) == own["input_ids"]
    assert [1] * chunk.used + [0] * (LENGTH - chunk.used) == own["attention_mask"]


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("", [0]),
        ("cat " * 18, [18]),
        ("cat " * 19, [18, 1]),
        ("cat " * 40, [18, 18, 4]),
        ("cat " * 10 + ", " + "dog " * 10, [11, 10]),  # breaks after the comma
        ("cat, " * 20, [18, 18, 4]),
        (", " + "dog " * 20, [18, 3]),  # a comma at the very start of a row is no place to break
    ],
)
def test_long_texts_continue_in_the_next_row_and_lose_nothing(words, text, sizes):
    chunks = ClipTokens(words, LENGTH).chunks(((text, 1.0),)) if text else ClipTokens(words, LENGTH).chunks(())
    assert [chunk.used - 2 for chunk in chunks] == sizes
    content = [token for chunk in chunks for token in chunk.ids[1 : chunk.used - 1]]
    assert content == words(text, add_special_tokens=False)["input_ids"]
    assert {(chunk.ids[0], chunk.ids[chunk.used - 1]) for chunk in chunks} == {(words.bos_token_id, words.eos_token_id)}


@pytest.mark.parametrize(("backtrack", "sizes"), [(0, [18, 3]), (5, [18, 3]), (7, [11, 10]), (20, [11, 10])])
def test_a_row_looks_back_for_a_comma_only_as_far_as_it_is_told(words, backtrack, sizes):
    chunks = ClipTokens(words, LENGTH, backtrack).chunks((("cat " * 10 + ", " + "dog " * 10, 1.0),))
    assert [chunk.used - 2 for chunk in chunks] == sizes


def test_weights_and_owners_follow_their_words_into_the_next_row(words):
    chunks = ClipTokens(words, LENGTH).chunks((("cat " * 17, 1.0), ("blurry dog", 0.5)))
    assert [spell(words, chunk, 1).replace(" ", "") for chunk in chunks] == ["blur", "rydog"]
    assert [sum(weight == 0.5 for weight in chunk.weights) for chunk in chunks] == [1, 3]


def test_textual_inversions_are_spelled_out_before_reading(sd1):
    tokens = ClipTokens(sd1.tokenizer, LENGTH, expand=lambda text: text.replace("easy", "red dog"))
    assert tokens.chunks((("easy ", 0.5), ("cat", 1.0))) == ClipTokens(sd1.tokenizer, LENGTH).chunks(
        (("red dog ", 0.5), ("cat", 1.0))
    )
    assert tokens.count("easy") == 2


def test_a_tokenizer_without_bos_and_eos_is_refused():
    def bare(text, **_):
        return {"input_ids": [1, 2, 3]}

    with pytest.raises(ModelError, match="only CLIP-style text encoders"):
        ClipTokens(bare, LENGTH)
