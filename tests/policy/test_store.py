"""Where policies come from: names, folders, and what is refused."""

import json
from pathlib import Path

import pytest

from negopt_core.errors import PolicyError
from negopt_core.policy import SuggestOptions, list_policies, load_policy, suggest
from negopt_core.policy.families import families
from negopt_core.policy.static import StaticPolicy, static_card
from negopt_core.policy.store import (
    RETIRED,
    SHIPPED,
    builtin_names,
    card_named,
    default_policy,
    offered_names,
    shipped_names,
)


def test_a_suggestion_does_not_depend_on_its_neighbours() -> None:
    policy = load_policy("rules")
    prompts = ["a photo of a cat", "1girl, night", "a watercolor of rain"]
    together = suggest(policy, prompts)
    assert together == [suggest(policy, [prompt])[0] for prompt in prompts]


def test_a_static_policy_loads_from_a_folder_by_path_and_by_name(tmp_path: Path) -> None:
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
        ({"policy.json": '{"kind": "mystery", "name": "x"}'}, "this version runs loglinear, tuned, rules, static"),
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


@pytest.mark.parametrize("name", ["rules", "rules:pony", "static", "nearest", "negopt-mini:sdxl", "nearest+rules"])
def test_a_card_is_known_without_loading_the_policy(name: str) -> None:
    assert card_named(name) == load_policy(name).card


def test_every_builtin_card_is_read_without_its_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("negopt_core.policy.store._load_folder", lambda *_: pytest.fail("loaded"))
    assert {card_named(name).kind for name in builtin_names()} >= {"rules", "static", "retrieval", "seq2seq", "df"}


@pytest.mark.parametrize("name", ["nope", "../nope", "hf:owner/name", "rules:nope", "nearest:sdxl", "negopt-mini:nope"])
def test_a_card_that_is_not_there_is_one_clear_error(name: str) -> None:
    with pytest.raises(PolicyError):
        card_named(name)


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_policy_answers_by_name(name: str) -> None:
    policy = load_policy(name)
    prompts = ["portrait photo of an old fisherman, natural light", "1girl, anime", "日本語 🐟", "a " * 3000]
    modes = ("negative",) if policy.card.polarity == "negative" else ("modifiers",)
    for suggestion in suggest(policy, prompts, SuggestOptions(modes=modes)):
        if modes == ("negative",):
            assert suggestion.positive == suggestion.prompt and suggestion.negative
        else:
            assert suggestion.positive.startswith(suggestion.prompt) and not suggestion.negative
        assert not any("contradict" in warning for warning in suggestion.warnings)
    told = policy.card.provenance
    assert policy.card.licence and (told.get("sources") or told["stages"])
    assert (SHIPPED / name / "NOTICE.md").exists()


def test_shipped_policies_are_listed_with_their_kind() -> None:
    assert {"nearest": "retrieval", "rules": "rules"}.items() <= {
        item.name: item.kind for item in list_policies()
    }.items()


def test_retired_policies_load_by_name_and_stand_in_no_menu() -> None:
    for name in RETIRED:
        assert name in builtin_names() and name not in offered_names() and card_named(name).name == name
    listed = {one.name for one in list_policies()}
    assert {"negopt", "negopt:flux", "rules", "nearest", "static"} <= listed and listed.isdisjoint(RETIRED)


def test_the_default_knows_families_and_loads_for_each() -> None:
    assert default_policy() == "negopt" and default_policy("flux") == "negopt:flux"
    assert default_policy("anime") == "negopt:illustrious" and default_policy("world") == "rules:world"
    for family in ("", *families()):
        assert load_policy(default_policy(family)).card.kind == ("rules" if family == "world" else "loglinear")
