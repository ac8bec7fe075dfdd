"""What `suggest` promises for every policy, however badly the policy behaves."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negopt_core import DFPrompt, PromptPair, Span, Window, format_prompt, parse_prompt
from negopt_core.errors import PolicyError, PromptError
from negopt_core.policy import PolicyCard, Suggestion, SuggestOptions, load_policy, suggest
from negopt_core.policy.contradiction import is_contradicted, read_asked
from negopt_core.policy.phrases import phrase_spans
from negopt_core.policy.token_estimate import estimate_tokens, roomy_budget

FIELDS = ["prompt", "positive", "negative", "df_positive", "df_negative", "policy", "seed", "warnings"]
LATE = Window(0.5, 1.0)


@dataclass
class Rude:
    """Adds and forbids what it is told to, whatever the prompt; counts the prompts it saw."""

    modifiers: tuple[Span, ...] = ()
    negative: str = ""
    card: PolicyCard = field(default_factory=lambda: PolicyCard("test", "rude"))
    fingerprint: str = "0"
    seen: list[str] = field(default_factory=list)

    def suggest(self, prompts: Sequence[str], seed: int) -> list[PromptPair]:
        self.seen += prompts
        return [
            PromptPair(DFPrompt((*DFPrompt.plain(prompt).spans, *self.modifiers)), parse_prompt(self.negative))
            for prompt in prompts
        ]


def one(policy: Any, prompt: str, **options: Any) -> Suggestion:
    return suggest(policy, [prompt], SuggestOptions(**options))[0]


def test_a_suggestion_has_the_fields_of_the_public_interface_and_is_plain_json() -> None:
    values = one(load_policy("rules"), "a cat").to_json()
    assert list(values) == FIELDS and json.loads(json.dumps(values)) == values


def test_a_suggestion_carries_the_pair_and_the_phrases_that_were_added() -> None:
    found = one(Rude((Span(", sharp", 1.2, LATE), Span(", old")), "[text:0-0.5:1], ugly"), "a cat", negative="(fog:2)")
    assert found.added_positive == (Span("sharp", 1.2, LATE), Span("old"))
    assert found.added_negative == (Span("text", 1.0, LATE), Span("ugly"))
    assert found.pair == PromptPair(parse_prompt(found.df_positive), parse_prompt(found.df_negative))
    assert (found.positive, found.negative) == ("a cat, sharp, old", "(fog:2), text, ugly")


@pytest.mark.parametrize(
    ("prompt", "own", "proposed", "left"),
    [
        ("a photo of a cat", "", "cats, blurry, photograph, ugly", "blurry, ugly"),
        ("a cat", "Blurry, ugly", "ugly, BLURRY, text", "Blurry, ugly, text"),
        ("a cat", "(blurry:1.3)", "blurry, text", "(blurry:1.3), text"),
        ("a cat", "foo,", "text", "foo, text"),
        ("a cat", "", "text, Text, texts", "text"),
        ("a cat", "", ", ,text,, ,", "text"),
        ("a [dog:0-0.5:1]", "", "dog, text", "text"),
        ("a cat", "", "EasyNegative, embedding:bad, text", "text"),
        ("a cat", "EasyNegative", "text", "EasyNegative, text"),
    ],
)
def test_negatives_never_contradict_repeat_or_name_missing_files(
    prompt: str, own: str, proposed: str, left: str
) -> None:
    assert one(Rude(negative=proposed), prompt, negative=own).negative == left


def test_an_embedding_is_suggested_where_its_file_is_there() -> None:
    there = frozenset({"EasyNegative.safetensors", "bad"})
    policy = Rude(negative="EasyNegative, embedding:bad, badhandv4, text")
    assert one(policy, "a cat", embeddings=there).negative == "EasyNegative, embedding:bad, text"


@pytest.mark.parametrize(
    ("prompt", "own", "proposed", "left"),
    [
        ("a cat", "", ", old, a cat, highly detailed", "a cat, old, highly detailed"),
        ("a blurry cat", "", ", sharp focus, old", "a blurry cat, old"),
        ("a cat", "old things", ", old, red", "a cat, red"),
        ("a cat,", "", ", red", "a cat, red"),
        ("a cat", "", " in a red hat, old", "a cat, in a red hat, old"),
    ],
)
def test_modifiers_never_repeat_or_oppose_either_side(prompt: str, own: str, proposed: str, left: str) -> None:
    assert one(Rude((Span(proposed),)), prompt, negative=own).positive == left


def test_a_negative_does_not_forbid_a_modifier_of_the_same_policy() -> None:
    policy = Rude((Span(", "), Span("film grain", 0.5, LATE)), "grainy, text")
    assert one(policy, "a cat").negative == "text"
    assert one(policy, "a cat", modes=("negative",)).negative == "grainy, text"


def test_weights_and_windows_of_both_sides_survive_and_the_users_come_first() -> None:
    policy = Rude((Span(", "), Span("old, red", 0.5, LATE)), "[text:0-0.5:1.25]")
    found = one(policy, "a [cat:0.5-1:1.5]", negative="[fog:0-0.25:2]")
    assert found.df_positive == "a [cat:0.5-1:1.5], [old:0-0.5:0.5], [red:0-0.5:0.5]"
    assert found.df_negative == "[fog:0-0.25:2], [text:0-0.5:1.25]"
    assert (found.positive, found.negative, policy.seen) == ("a cat, old, red", "fog, text", ["a cat"])
    assert format_prompt(found.pair.positive) == found.df_positive


@pytest.mark.parametrize(
    ("modes", "positive", "negative"),
    [
        (("negative",), "a cat", "mine, text"),
        (("modifiers",), "a cat, old", "mine"),
        (("modifiers", "negative"), "a cat, old", "mine, text"),
    ],
)
def test_a_mode_that_is_off_leaves_its_side_as_the_user_wrote_it(
    modes: tuple[str, ...], positive: str, negative: str
) -> None:
    found = one(Rude((Span(", old"),), "text"), "a cat", negative="mine", modes=modes)
    assert (found.positive, found.negative) == (positive, negative)


@pytest.mark.parametrize(("name", "mode"), [("nearest", "modifiers"), ("world-modifiers", "negative")])
def test_asked_for_the_side_that_it_does_not_write_a_policy_says_so(name: str, mode: str) -> None:
    written = one(
        Rude(card=PolicyCard("test", name, "negative" if mode == "modifiers" else "modifiers")), "a cat", modes=(mode,)
    )
    (warning,) = [said for said in written.warnings if "writes only" in said]
    assert warning.startswith(f"'{name}' writes only the ") and f"another policy for the {mode}" in warning
    for modes in (("negative", "modifiers"), ("negative",)):
        assert not any("writes only" in said for said in one(load_policy("nearest"), "a cat", modes=modes).warnings)


@pytest.mark.parametrize("limit", [1, 5, 8, 20, 75])
def test_the_budget_holds_on_both_sides_and_what_is_left_out_is_said(limit: int) -> None:
    many = ", ".join(f"{first}{second}ord" for first in "bcdfg" for second in "aeiou")
    found = one(Rude((Span(f", {many}"),), many), "a cat", negative="mine", max_tokens=limit)
    for text, own in ((found.positive, "a cat"), (found.negative, "mine")):
        assert estimate_tokens(text) <= max(limit, estimate_tokens(own))
        assert text.startswith(own) and not text.endswith((",", " "))
    assert sum("left out to stay within" in warning for warning in found.warnings) == (2 if limit < 50 else 0)


def test_a_real_tokenizer_can_count() -> None:
    found = one(Rude(negative="one, two, three"), "a cat", max_tokens=2, count_tokens=lambda text: len(text.split()))
    assert found.negative == "one, two"


def test_ones_own_words_past_the_budget_stay_and_nothing_is_added() -> None:
    found = one(Rude((Span(", old"),), "text"), "cat " * 200, negative="fog " * 200)
    assert (found.positive, found.negative) == ("cat " * 200, "fog " * 200)


class Changes(Rude):
    def suggest(self, prompts: Sequence[str], seed: int) -> list[PromptPair]:
        return [PromptPair.plain("something else") for _ in prompts]


class Loses(Rude):
    def suggest(self, prompts: Sequence[str], seed: int) -> list[PromptPair]:
        return []


@pytest.mark.parametrize(("policy", "message"), [(Changes(), "changed the prompt"), (Loses(), "answered 0 of 1")])
def test_a_policy_that_breaks_the_contract_is_named(policy: Rude, message: str) -> None:
    with pytest.raises(PolicyError, match=f"rude {message}"):
        one(policy, "a cat")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"modes": ()}, "mode must be"),
        ({"modes": ("both",)}, "mode must be"),
        ({"max_tokens": 0}, "at least 1 token"),
        ({"seed": -1}, "a seed is"),
        ({"seed": 2**63}, "a seed is"),
        ({"seed": True}, "a seed is"),
    ],
)
def test_options_without_meaning_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        SuggestOptions(**options)


@pytest.mark.parametrize(
    ("prompt", "own", "said"),
    [
        ("", "", "the prompt is empty"),
        (" \n", "", "the prompt is empty"),
        ("a \x00cat", "", "U\\+0000 at character 2"),
        ("a [cat", "", "prompt, character 2"),
        ("a [cat:0-2:1]", "", "0 <= low < high <= 1"),
        ("a [cat:0-1:nan]", "", "a weight needs"),
        ("a cat", "b] c", "negative, character 1"),
        ("[" * 100, "", "prompt: 96 more brackets"),
        ("a cat", "a cat", "asked for in the positive and pushed away"),
    ],
)
def test_what_the_user_should_know_is_a_warning(prompt: str, own: str, said: str) -> None:
    warnings = one(load_policy("rules"), prompt, negative=own).warnings
    assert sum(bool(re.search(said, warning)) for warning in warnings) == 1


@pytest.mark.parametrize("prompt", ["cat " * 25_000, "[" * 100_000, "\x00" * 100_000, "a,b" * 33_000, "é" * 100_000])
def test_a_hundred_kilobytes_are_answered_with_the_users_text_kept(prompt: str) -> None:
    found = one(load_policy("rules"), prompt)
    assert found.positive == parse_prompt(prompt).text and len(found.warnings) < 12


def test_a_prompt_past_every_sense_is_refused() -> None:
    with pytest.raises(PromptError, match="shorten it"):
        one(load_policy("rules"), "a" * 1_000_001)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(["rules", "rules:world", "rules:pony", "static"]))
def test_the_promises_hold_for_any_text(prompt: str, own: str, name: str) -> None:
    policy = load_policy(name)
    options = SuggestOptions(negative=own, seed=3)
    found = suggest(policy, [prompt, "other", prompt], options)
    assert found[0] == found[2] == suggest(policy, [prompt], options)[0]
    first, user, mine = found[0], parse_prompt(prompt), parse_prompt(own)
    assert first.prompt == prompt and first.positive.startswith(user.text) and first.negative.startswith(mine.text)
    added = DFPrompt.plain(first.negative[len(mine.text) :])
    asked = read_asked(user.text)
    assert not [span.text for span in phrase_spans(added.spans) if is_contradicted(span.text, asked)]
    assert first.pair.positive.text == first.positive and first.pair.negative.text == first.negative


@pytest.mark.parametrize(
    ("family", "own", "budget"),
    [
        (None, "a cat", None),
        ("sdxl", "a cat", None),
        ("qwen-image", "a cat", 77),
        (
            "wan",
            "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量",
            222,
        ),
        ("flux", "a " * 600, 512),
    ],
)
def test_the_budget_follows_the_encoder(family: str | None, own: str, budget: int | None) -> None:
    assert roomy_budget(family, own, "") == budget
