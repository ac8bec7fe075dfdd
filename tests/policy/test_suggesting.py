"""What every suggestion promises, whatever the policy: tested with policies that try to break the promises."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from negopt_core import DFPrompt, PromptPair, parse_prompt
from negopt_core.errors import PolicyError
from negopt_core.policy import PolicyCard, SuggestOptions, list_policies, load_policy, suggest
from negopt_core.policy.static import StaticPolicy, static_card


@dataclass
class Careless:
    """Says what it is told to, whatever the prompt."""

    negative: str = ""
    modifiers: str = ""
    prefix: str = ""
    card: PolicyCard = field(default_factory=lambda: PolicyCard(kind="test", name="careless", max_tokens=10))
    fingerprint: str = "0"

    def suggest(self, prompts: Sequence[str], seed: int) -> list[PromptPair]:
        return [
            PromptPair(DFPrompt.plain(self.prefix + prompt) + parse_prompt(self.modifiers), parse_prompt(self.negative))
            for prompt in prompts
        ]


def ask(policy: Careless, prompt: str = "a photo of a cat", **options: object) -> object:
    (suggestion,) = suggest(policy, [prompt], SuggestOptions(**options))  # type: ignore[arg-type]
    return suggestion


@pytest.mark.parametrize(
    ("prompt", "negative", "left"),
    [
        ("a photo of a cat", "cat, dog", "dog"),
        ("three cats", "Cat, ugly CATS, dog", "dog"),
        ("a photo of a cat", "photo, drawing", "drawing"),
        ("a blurry photo", "blurry, out of focus, ugly", "ugly"),
        ("a cat in high quality", "low quality", "low quality"),
        ("the concatenated scat", "cat", "cat"),
    ],
)
def test_phrases_that_contradict_the_prompt_are_dropped(prompt: str, negative: str, left: str) -> None:
    suggestion = ask(Careless(negative=negative), prompt)
    assert suggestion.negative == left  # type: ignore[attr-defined]


def test_the_users_own_negative_stays_first_untouched_and_is_not_repeated() -> None:
    own = "Dogs ,, [fog:0.5-1:1.2]"
    suggestion = ask(Careless(negative="ugly, dogs, fog"), negative=own)
    assert suggestion.df_negative == own + ", ugly"  # type: ignore[attr-defined]


def test_the_budget_cuts_at_phrase_borders_and_never_the_users_words() -> None:
    policy = Careless(negative="one two three, four five six, seven eight nine, ten")
    suggestion = ask(policy)
    assert suggestion.negative == "one two three, four five six"  # type: ignore[attr-defined]
    assert any("left out to stay within 10 tokens" in note for note in suggestion.warnings)  # type: ignore[attr-defined]
    long = ", ".join(["very many words"] * 10)
    assert ask(policy, negative=long).negative == long  # type: ignore[attr-defined]


def test_windows_and_weights_of_the_policy_are_kept() -> None:
    suggestion = ask(Careless(negative="[fog:0-0.5:1.2], ugly", modifiers=", [sharp:0.5-1:0.75]"))
    assert suggestion.df_negative == "[fog:0-0.5:1.2], ugly"  # type: ignore[attr-defined]
    assert suggestion.df_positive == "a photo of a cat, [sharp:0.5-1:0.75]"  # type: ignore[attr-defined]


def test_a_scheduled_prompt_keeps_its_own_schedule() -> None:
    suggestion = ask(Careless(modifiers=", glossy"), "a cat, [fog:0-0.5:1.2]")
    assert suggestion.df_positive == "a cat, [fog:0-0.5:1.2], glossy"  # type: ignore[attr-defined]


def test_embedding_names_are_suggested_only_where_the_file_is() -> None:
    policy = Careless(negative="EasyNegative, ugly")
    assert ask(policy).negative == "ugly"  # type: ignore[attr-defined]
    known = ask(policy, embeddings=frozenset({"EasyNegative"}))
    assert known.negative == "EasyNegative, ugly"  # type: ignore[attr-defined]


def test_a_policy_that_rewrites_the_prompt_or_loses_one_is_refused() -> None:
    with pytest.raises(PolicyError, match="changed the prompt"):
        ask(Careless(prefix="nice "))
    policy = Careless()
    policy.suggest = lambda prompts, seed: []  # type: ignore[method-assign]
    with pytest.raises(PolicyError, match="0 of 1"):
        ask(policy)


def test_a_suggestion_does_not_depend_on_its_neighbours() -> None:
    policy = load_policy("rules")
    prompts = ["a photo of a cat", "1girl, night", "a watercolor of rain"]
    together = suggest(policy, prompts)
    assert together == [suggest(policy, [prompt])[0] for prompt in prompts]


def test_a_static_policy_loads_from_a_folder_by_path_and_by_name(tmp_path: Path) -> None:
    import json

    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "policy.json").write_text(json.dumps(static_card("fog, [rain:0-0.5:1]", "mine").to_json()))
    for policy in (load_policy(str(folder)), load_policy("mine", [tmp_path])):
        assert isinstance(policy, StaticPolicy)
        assert suggest(policy, ["a cat"])[0].df_negative == "fog, [rain:0-0.5:1]"
    assert "mine" in [entry.name for entry in list_policies([tmp_path])]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"policy.json": "{"}, "not JSON"),
        ({"policy.json": '{"kind": "static", "name": "x"}'}, "settings.negative"),
        ({"policy.json": '{"kind": "seq2seq", "name": "x"}'}, "this version runs rules, static"),
        ({"policy.json": '{"kind": "static", "name": "x"}', "pytorch_model.bin": ""}, "pickle"),
        ({"policy.json": '{"kind": "static", "name": "x", "max_tokens": "many"}'}, "max_tokens"),
    ],
)
def test_a_broken_policy_folder_is_one_clear_error(tmp_path: Path, files: dict[str, str], says: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(PolicyError, match=says):
        load_policy(str(tmp_path))


@pytest.mark.parametrize("name", ["", "nope", "../nope", "hf:owner/name", "rules:", "rules:nope", "x" * 5000])
def test_a_name_that_leads_nowhere_is_one_clear_error(name: str) -> None:
    with pytest.raises(PolicyError):
        load_policy(name)
