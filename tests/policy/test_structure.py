"""A prompt that words behind it would break is known, with the reason."""

import pytest

from negopt_core.policy import load_policy, suggest
from negopt_core.policy.structure import why_closed, without_names
from tests.fakes.calls import is_linear

CLOSED = {
    '{"subject": "a cat", "style": "photo"}': "JSON",
    '[{"subject": "a cat"}]': "JSON",
    '{"subject": "a cat", "style": }': "JSON",
    "subject: a cat\nstyle: photo\nlight: soft": "list of fields",
    "<|im_start|>user\na cat<|im_end|>": "chat",
    "[INST] a cat [/INST]": "chat",
    "### Instruction:\npaint a cat": "chat",
    "<prompt>a cat</prompt>": "</prompt>",
    "a cat AND a dog": "AND",
    "a cat ADDCOL a dog": "ADDCOL",
    "a cat (by the sea": "open bracket",
    "a cat BREAK": "BREAK",
    "a cat --ar 16:9": "flags",
}
OPEN = [
    "",
    "a cat",
    "photo: a cat",
    "a cat :)",
    "a cat <lora:fluffy:0.8>",
    "{red|blue} house, __animal__",
    "a cat BREAK a dog",
    "a \\(cat",
    "You are an assistant. <Prompt Start> a cat",
    "salt and pepper, AND1 gate",
]


@pytest.mark.parametrize(("prompt", "reason"), CLOSED.items())
def test_a_structured_prompt_is_left_as_it_is_and_the_reason_is_told(prompt: str, reason: str) -> None:
    assert reason in why_closed(prompt)
    (found,) = suggest(load_policy("rules"), [prompt])
    assert found.positive == prompt and found.negative
    assert any("no modifiers were added" in warning and reason in warning for warning in found.warnings)


@pytest.mark.parametrize("prompt", OPEN)
def test_ordinary_prompts_take_modifiers(prompt: str) -> None:
    assert why_closed(prompt) == ""
    assert not any("no modifiers" in warning for warning in suggest(load_policy("rules"), [prompt])[0].warnings)


def test_names_of_fields_and_files_are_not_said_about_the_picture() -> None:
    assert without_names('{"camera": "low", "style": "ink"}').split() == ["{", "low", ",", "ink", "}"]
    assert without_names("style: ink\nlight: soft").split() == ["ink", "soft"]
    assert without_names("a cat <lora:angry-dog:1> embedding:bad-hand").split() == ["a", "cat"]


@pytest.mark.parametrize(
    "prompt",
    [
        "You are an assistant that makes images from text and words. <Prompt Start> a cat",
        "<|im_start|>system\nDescribe the text of the image.<|im_end|>\n<|im_start|>user\na cat<|im_end|>",
        "[INST] <<SYS>>You write text<</SYS>> a cat [/INST]",
        "system: you write text\nuser: a cat",
    ],
)
def test_what_a_model_is_told_about_its_task_is_not_said_about_the_picture(prompt: str) -> None:
    assert "cat" in without_names(prompt) and "text" not in without_names(prompt)
    (found,) = suggest(load_policy("rules"), [prompt])
    assert "text" in found.negative.split(", ") and "extra legs" in found.negative


@pytest.mark.parametrize("piece", ["(", "{", '{"a":', "a: b\n", "<a", "--x ", "[" * 50, "\n", "a\n\n", "<<SYS>>"])
def test_a_long_prompt_is_judged_in_linear_work(piece: str) -> None:
    def judge(size: int) -> None:
        text = f"a{piece * (size // len(piece))}b"
        why_closed(text)
        without_names(text)

    assert is_linear(judge, 4_000)
