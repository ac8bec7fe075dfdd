"""Why each phrase is written, as codes with values."""

import re
from pathlib import Path

import pytest

from negopt_core.policy import load_policy, suggest
from negopt_core.policy.why import PhraseReason, phrase_reasons

PROMPT = "a portrait of an old fisherman, oil painting, no text"


@pytest.mark.parametrize("name", ["negopt", "negopt:sdxl", "negopt-scheduled", "negopt+negopt"])
def test_every_phrase_of_the_default_policy_has_a_reason(name: str) -> None:
    policy = load_policy(name)
    (answer,) = suggest(policy, [PROMPT])
    told = phrase_reasons(policy, PROMPT)
    for side, added in (("negative", answer.added_negative), ("modifiers", answer.added_positive)):
        assert added and all(told[side][span.text.strip(" ,")] for span in added)


def test_reasons_say_where_they_come_from() -> None:
    told = phrase_reasons(load_policy("negopt"), PROMPT)["negative"]
    assert told["text"][0] == PhraseReason("unwanted", {})
    assert PhraseReason("knowledge", {"because": "painting (oil painting)"}) in told["photo"]


def test_a_family_is_named_only_where_it_was_asked_for() -> None:
    asked, unknown = (phrase_reasons(load_policy(name), PROMPT)["negative"] for name in ("negopt:sdxl", "negopt"))
    assert PhraseReason("model", {"because": "sdxl"}) in asked["blurry"]
    assert PhraseReason("any-model", {}) in unknown["blurry"]


def test_every_reason_has_a_sentence_in_the_page() -> None:
    texts = (Path(__file__).parents[2] / "web" / "lib" / "texts.js").read_text(encoding="utf-8")
    sentences = dict(re.findall(r'^  "why-([\w-]+)": "(.*)",$', texts, re.M))
    policy = load_policy("negopt:sdxl")
    for prompt in (PROMPT, "a cat", "a castle on a hill at sunset", "portrait of a woman, anime"):
        for told in phrase_reasons(policy, prompt).values():
            for reason in (one for reasons in told.values() for one in reasons):
                assert set(re.findall(r"\{(\w+)\}", sentences[reason.code])) == set(reason.values)


def test_a_policy_that_cannot_say_why_says_nothing() -> None:
    assert phrase_reasons(load_policy("static"), PROMPT) == {"negative": {}, "modifiers": {}}
    assert phrase_reasons(load_policy("static+negopt"), PROMPT)["modifiers"]
