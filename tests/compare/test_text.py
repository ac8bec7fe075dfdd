"""Text scores against numbers worked out by hand."""

import pytest

from negopt_core.lab.compare.text import (
    by_family,
    contradictions,
    distinct_n,
    overlap_f1,
    phrase_f1,
    rouge_l,
    rouge_n,
    score_texts,
    token_f1,
)
from negopt_core.lab.data.corpus import Row


@pytest.mark.parametrize(
    ("found", "wanted", "phrase", "token", "two", "longest"),
    [
        ("blurry, low quality", "low quality, blurry", 1.0, 1.0, 2 * 1 / 4, 2 * 2 / 6),
        ("blurry", "watermark, text", 0.0, 0.0, 0.0, 0.0),
        ("Blurry, ugly hands", "ugly hand, blurry, text", 4 / 5, 2 * 2 / 7, 0.0, 2 * 1 / 7),
        ("bad quality, low quality", "low quality", 2 / 3, 2 * 2 / 6, 2 * 1 / 4, 2 * 2 / 6),
        ("", "", 1.0, 1.0, 0.0, 1.0),
        ("", "blurry", 0.0, 0.0, 0.0, 0.0),
    ],
)
def test_scores_by_hand(found: str, wanted: str, phrase: float, token: float, two: float, longest: float) -> None:
    assert phrase_f1(found, wanted) == pytest.approx(phrase)
    assert token_f1(found, wanted) == pytest.approx(token)
    assert rouge_n(found, wanted, 1) == pytest.approx(token if found or wanted else 0.0)
    assert rouge_n(found, wanted, 2) == pytest.approx(two)
    assert rouge_l(found, wanted) == pytest.approx(longest)


def test_a_word_counts_as_often_as_both_have_it() -> None:
    assert overlap_f1("aab", "abb") == pytest.approx(2 * 2 / 6)


def test_variety_is_the_share_of_different_runs() -> None:
    assert distinct_n(["a b", "a b"], 1) == 0.5 and distinct_n(["a b", "b a"], 2) == 1.0
    assert distinct_n([], 1) == distinct_n(["a"], 2) == 0.0


def test_a_negative_that_forbids_what_is_asked_is_counted() -> None:
    assert contradictions("a blurry photo of a dog", "blurry, watermark, photo") == 2
    assert contradictions("a red fox", "blurry, low quality") == 0


def test_means_over_a_set() -> None:
    scores = score_texts(["a photo", "a fox"], ["photo", ""], ["photo", "blurry"])
    assert (scores.count, scores.phrase_f1, scores.empty, scores.contradicting) == (2, 0.5, 0.5, 0.5)
    assert score_texts([], [], []).token_f1 == 0.0


def test_families_count_the_same_however_large_they_are() -> None:
    rows = [row("user", "blurry"), row("style", "dull"), row("style", "dull")]
    scores = by_family(rows, ["blurry", "flat", "flat"])
    assert (scores["user"].phrase_f1, scores["style"].phrase_f1) == (1.0, 0.0)
    assert (scores["balanced"].phrase_f1, scores["balanced"].count) == (0.5, 3)


def row(family: str, negative: str) -> Row:
    return Row("a fox", negative, family, "other", "animal", "me/mine", "MIT")
