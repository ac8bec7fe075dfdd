"""J6: what a user wants to leave out of training."""

from collections.abc import Iterable

import pytest

from negopt_core.lab.data.pairs import Pair
from negopt_core.lab.data.rules import Rules, iter_allowed
from negopt_core.text.prompt import Span


def keep_allowed(pairs: Iterable[Pair], polarity: str, rules: Rules) -> tuple[list[Pair], dict[str, int]]:
    counts: dict[str, int] = {}
    return list(iter_allowed(pairs, polarity, rules, counts)), counts


def pair(prompt: str, *phrases: str) -> Pair:
    return Pair(prompt, tuple(map(Span, phrases)))


def test_without_rules_nothing_is_left_out() -> None:
    given = [pair("a nude", "by somebody"), pair("a cat", "nsfw")]
    assert keep_allowed(given, "modifiers", Rules()) == (given, {})


def test_sexual_prompts_are_left_out_and_negatives_may_name_what_they_forbid() -> None:
    given = [pair("a Nude, on a beach", "blurry"), pair("a cat", "nsfw", "nude"), pair("a town in Sussex", "text")]
    assert keep_allowed(given, "negative", Rules(is_safe=True)) == (given[1:], {"safe": 2})
    kept, _ = keep_allowed([pair("a woman", "sexy", "sharp")], "modifiers", Rules(is_safe=True))
    assert kept == [pair("a woman", "sharp")]


def test_words_of_ones_own_are_left_out_of_prompts_and_answers() -> None:
    rules = Rules(without=("Big Tower", "logo", " "))
    given = [pair("two big towers", "blurry"), pair("a big red tower", "logos", "text"), pair("a bigtower", "x")]
    kept, counts = keep_allowed(given, "negative", rules)
    assert kept == [pair("a big red tower", "text"), pair("a bigtower", "x")]
    assert counts == {"without what you listed": 2}


@pytest.mark.parametrize(
    ("phrase", "is_credit"),
    [
        ("by Ada Lovelace", True),
        ("art by someone", True),
        ("Concept art by X", True),
        ("in the style of X", True),
        ("style of X", True),
        ("painted by X and Y", True),
        ("by the sea", False),
        ("photo by the window", False),
        ("standing by", False),
        ("in the style of a woodcut", False),
        ("trending on artstation", False),
        ("hobby", False),
    ],
)
def test_modifiers_that_credit_somebody_can_be_left_out(phrase: str, is_credit: bool) -> None:
    kept, _ = keep_allowed([pair("a cat", phrase, "8k")], "modifiers", Rules(no_artists=True))
    assert kept == [pair("a cat", *([] if is_credit else [phrase]), "8k")]
    assert keep_allowed([pair("a cat", phrase)], "negative", Rules(no_artists=True))[0] == [pair("a cat", phrase)]
