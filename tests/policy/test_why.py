"""Why each phrase is written, in words."""

import pytest

from negopt_core.policy import load_policy, suggest
from negopt_core.policy.why import phrase_reasons

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
    assert told["text"].startswith("your prompt does not want it")
    assert "goes with painting (oil painting)" in told["photo"]
    assert "usual for sd15 models" in told["blurry"]


def test_a_policy_that_cannot_say_why_says_nothing() -> None:
    assert phrase_reasons(load_policy("static"), PROMPT) == {"negative": {}, "modifiers": {}}
    assert phrase_reasons(load_policy("static+negopt"), PROMPT)["modifiers"]
