"""P8: a prompt is split at its first comma into what is wanted and its modifiers."""

import pytest

from negopt_core.lab.data.prompt_split import SplitPrompt, split_prompt


@pytest.mark.parametrize(
    ("prompt", "subject", "modifiers"),
    [
        ("a cat, trending on artstation, 8 k", "a cat", ("trending on artstation", "8 k")),
        ("a cat", "a cat", ()),
        ("", "", ()),
        ("  a cat ,", "a cat", ()),
        (", 8k", "", ("8k",)),
        ("a cat,, 8k ,\n, art", "a cat", ("8k", "art")),
        ("a cat. sitting; here", "a cat. sitting; here", ()),
        ("a [dog:0-0.5:1] cat, [fog:0-0.5:1]", "a [dog:0-0.5:1] cat", ("[fog:0-0.5:1]",)),
    ],
)
def test_the_first_comma_separates_subject_from_modifiers(
    prompt: str, subject: str, modifiers: tuple[str, ...]
) -> None:
    assert split_prompt(prompt) == SplitPrompt(subject, modifiers)


def test_no_word_is_lost() -> None:
    prompt = "a cat, trending on artstation, 8 k"
    split = split_prompt(prompt)
    assert ", ".join([split.subject, *split.modifiers]) == prompt
