"""Prompts as people posted them, with what a suggestion must and must not say; a row stands for its kind.

`negopt` is the default; `rules` and a policy that knows nothing keep what `suggest` promises for every policy.
"""

import json
from collections.abc import Sequence

import pytest

from negopt_core import DFPrompt, PromptPair, parse_prompt
from negopt_core.policy import PolicyCard, Suggestion, SuggestOptions, load_policy, suggest
from negopt_core.policy.phrases import phrase_spans
from negopt_core.policy.words import phrase_key, words_of
from negopt_core.text.checks import Setup, inspect_setup

BODY = "hand finger face limb anatomy eye skin leg arm"


class Stubborn:
    """Says the same to every prompt: what `suggest` makes of it is what it promises."""

    card = PolicyCard("test", "stubborn")
    fingerprint = "0"

    def suggest(self, prompts: Sequence[str], seed: int) -> list[PromptPair]:
        said = "bad anatomy, bad hands, extra fingers, poorly drawn face, ugly, signature"
        return [
            PromptPair(DFPrompt.plain(f"{prompt}, sharp focus, people, watermark"), parse_prompt(said))
            for prompt in prompts
        ]


POLICIES = {"negopt": lambda: load_policy("negopt"), "rules": lambda: load_policy("rules"), "stubborn": Stubborn}


def ask(policy: str, prompt: str, **options: object) -> Suggestion:
    return suggest(POLICIES[policy](), [prompt], SuggestOptions(**options))[0]  # type: ignore[arg-type]


def said(suggestion: Suggestion) -> set[str]:
    return {phrase_key(span.text) for span in phrase_spans(suggestion.pair.negative.spans)}


def has_any(text: str, words: str) -> bool:
    return not set(words_of(text)).isdisjoint(words.split())


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    ("prompt", "unwanted", "never"),
    [
        ("1girl, anime, no watermark", "watermark", "anime"),
        ("a street without people", "people", BODY),
        ("portrait, not blurry, no text", "blurry, text", "portrait"),
        ("a landscape (people:-1), mountains", "people", BODY),
        ("a forest, no people, no animals", "people, animals", BODY),
        ("a cat, no people", "people", "cat"),
        ("a beach with no one on it", "people", BODY),
        ("a street --no cars --ar 16:9", "cars", "sea"),
        ('{"scene": "a street", "negative_prompt": "cars, people"}', "cars, people", BODY),
    ],
)
def test_what_a_prompt_says_no_to_is_in_the_negative_first(policy: str, prompt: str, unwanted: str, never: str) -> None:
    found = ask(policy, prompt)
    wanted = [phrase_key(one) for one in unwanted.split(",")]
    first = [phrase_key(span.text) for span in phrase_spans(found.pair.negative.spans)][: len(wanted)]
    assert sorted(first) == sorted(wanted) and not has_any(found.negative, never), found.negative
    added = found.positive.removeprefix(prompt)
    assert found.positive.startswith(prompt) and not has_any(added, " ".join(wanted)), added
    assert not any("pushed away by the negative" in warning for warning in found.warnings)
    assert any("below zero" in warning for warning in found.warnings) == ("(people:-1)" in prompt)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_users_own_negative_stays_in_front_and_is_not_repeated(policy: str) -> None:
    found = ask(policy, "a street, no people, no cars", negative="Cars, fog")
    assert found.negative.startswith("Cars, fog, people")
    assert found.negative.casefold().count("cars") == 1
    assert ask(policy, "a street, no people", modes=("modifiers",), negative="fog").negative == "fog"
    assert ask(policy, "a cat, no cat").positive.startswith("a cat, no cat")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    "prompt",
    [
        '{"subject": "a cat", "style": "photo", "lighting": "soft"}',
        '{"subject": "a \\"wild\\" cat", "tags": ["a:b", "c\\\\d", "[x]"], "shot": {"lens": 35}}',
        '[{"subject": "a cat"}]',
    ],
)
def test_json_stays_the_json_that_it_was(policy: str, prompt: str) -> None:
    found = ask(policy, prompt)
    assert found.positive == prompt and json.loads(found.positive) == json.loads(prompt)
    assert parse_prompt(found.df_positive).text == prompt
    assert any("it is JSON" in warning for warning in found.warnings)
    assert not any("taken literally" in warning for warning in found.warnings)
    assert found.negative


@pytest.mark.parametrize("policy", ["negopt", "rules"])
@pytest.mark.parametrize(
    ("prompt", "one_of", "never", "never_added"),
    [
        ("x-ray of a flower", "painting, photo, opaque", "x-ray, sharp focus", "cinematic lighting, sharp focus"),
        ("a map of a fantasy kingdom, parchment", "photo, 3d render", "text, map", "cinematic lighting, sharp focus"),
        (
            'text that says "HELLO WORLD" on a neon sign',
            "misspelled text, misspelled words, garbled letters",
            "text, letters, neon, neon sign",
            "daylight, natural lighting, natural light",
        ),
        ("a bowl of fruit, still life", "low quality", "cute, bad hands, bad anatomy, extra legs", "portrait"),
        (
            "a crowd of people in Times Square",
            "fused limbs, deformed faces, distorted background faces, merged bodies",
            "error, rendering, crowd",
            "portrait",
        ),
        ("fashion editorial, model in red dress, studio lighting", "bad hands", "photo, photography", "painting"),
    ],
)
def test_words_fit_what_kind_of_picture_it_is(
    policy: str, prompt: str, one_of: str, never: str, never_added: str
) -> None:
    found = ask(policy, prompt)
    assert said(found) & {phrase_key(one) for one in one_of.split(", ")}, found.negative
    assert not said(found) & {phrase_key(one) for one in never.split(", ")}, found.negative
    added = found.positive.removeprefix(prompt)
    assert not any(one in added for one in never_added.split(", ")), added


@pytest.mark.parametrize("prompt", ["ein Hund im Garten", "一只猫坐在窗台上"])
def test_an_animal_is_an_animal_in_other_languages(prompt: str) -> None:
    """By `negopt`, which has the words; `rules` reads English only."""
    assert {"extra leg", "deformed paw"} <= said(ask("negopt", prompt))


def test_words_that_change_sides_are_no_contradiction() -> None:
    positive, negative = "portrait, [3d, realistic:0.8-1:1]", "low score, [3d, realistic:0-0.8:1]"
    pair = PromptPair(parse_prompt(positive), parse_prompt(negative))
    for steps in (None, 5, 20):
        assert not [one for one in inspect_setup(pair, Setup(steps=steps)) if one.severity == "warning"]


@pytest.mark.parametrize(
    ("prompt", "proposed", "left"),
    [
        ("portrait, [3d:0.8-1:1]", "[3d:0-0.8:1]", "[3d:0-0.8:1]"),
        ("portrait, [3d:0.8-1:1]", "[3d:0-0.9:1]", ""),
        ("portrait, [3d:0.8-1:1]", "3d", ""),
        ("portrait, 3d", "[3d:0-0.8:1]", ""),
    ],
)
def test_a_phrase_is_judged_while_it_acts(prompt: str, proposed: str, left: str) -> None:
    class Proposes(Stubborn):
        def suggest(self, prompts: Sequence[str], seed: int) -> list[PromptPair]:
            return [PromptPair(DFPrompt.plain(one), parse_prompt(proposed)) for one in prompts]

    assert suggest(Proposes(), [prompt])[0].df_negative == left
