"""The policy card: strict about what it knows, careful with what it does not."""

import json
from pathlib import Path
from typing import Any

import pytest

from negopt_core import Window
from negopt_core.errors import PolicyError
from negopt_core.policy.card import PolicyCard, parse_card
from negopt_core.policy.rules import rules_card
from negopt_core.policy.static import StaticPolicy, static_card
from negopt_core.policy.store import list_policies, load_policy

LEAST = {"kind": "static", "name": "mine"}


@pytest.mark.parametrize(
    "card",
    [
        PolicyCard("rules", "x"),
        rules_card("world"),
        static_card("blurry, [text:0-0.5:1]"),
        PolicyCard(
            "df",
            "y",
            windows=(Window(0, 0.5), Window(0.5, 1)),
            weights=(0.5, 1.5),
            metrics={"a": 1.5},
            extra={"later": [1, {"b": None}]},
        ),
    ],
)
def test_a_card_survives_being_written_and_read(card: PolicyCard) -> None:
    assert parse_card(json.dumps(card.to_json())) == card


def test_an_unknown_field_is_kept_and_written_again() -> None:
    card = parse_card(json.dumps({**LEAST, "future": {"x": 1}}))
    assert card.extra == {"future": {"x": 1}} and card.to_json()["future"] == {"x": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": 1}, "kind must be text"),
        ({"name": " "}, "name must not be empty"),
        ({"polarity": "up"}, "polarity must be one of"),
        ({"format_version": 2}, "update negopt"),
        ({"format_version": True}, "format_version must be a whole number"),
        ({"max_tokens": 0}, "max_tokens needs"),
        ({"max_tokens": 7.5}, "max_tokens must be a whole number"),
        ({"windows": [[0, 1, 2]]}, "windows must be"),
        ({"windows": [[0.5, 0.5]]}, "0 <= start < end <= 1"),
        ({"windows": []}, "at least one"),
        ({"windows": {"a": 1}}, "windows must be a list"),
        ({"weights": [-1]}, "weights need"),
        ({"weights": ["1"]}, "weights must be a finite number"),
        ({"weights": [10**400]}, "weights must be a finite number"),
        ({"weighting": "magic"}, "weighting must be one of"),
        ({"families": "sd15"}, "families must be a list"),
        ({"settings": []}, "settings must be an object"),
        ({"metrics": {"fid": "low"}}, "metrics.fid must be"),
        ({"caveats": [1]}, "caveats must be text"),
        ({"licence": None}, "licence must be text"),
    ],
)
def test_a_known_field_of_the_wrong_kind_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        PolicyCard.from_json({**LEAST, **change})


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", '{"kind": "static"}', '{"kind": "a", "name": "b", "weights": [NaN]}', "[" * 100_000],
)
def test_text_that_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(PolicyError):
        parse_card(text)


def write_policy(folder: Path, **values: Any) -> Path:
    folder.mkdir(parents=True)
    (folder / "policy.json").write_text(json.dumps({**LEAST, "settings": {"negative": "fog"}, **values}))
    return folder


def test_a_policy_is_found_by_path_then_in_the_folders_then_by_built_in_name(tmp_path: Path) -> None:
    write_policy(tmp_path / "models" / "rules")
    by_path = load_policy(str(tmp_path / "models" / "rules"))
    by_name = load_policy("rules", [tmp_path / "none", tmp_path / "models"])
    assert isinstance(by_path, StaticPolicy) and by_path.card == by_name.card
    assert load_policy("rules").card.kind == "rules" and load_policy("static").card.kind == "static"


def test_a_listing_names_built_in_and_found_policies(tmp_path: Path) -> None:
    write_policy(tmp_path / "fog")
    found = {item.name: item for item in list_policies([tmp_path, tmp_path / "none"])}
    assert found["fog"].kind == "static" and found["rules"].where == "built in"
    assert all(load_policy(name, [tmp_path]) for name in found)


@pytest.mark.parametrize("pickle", ["model.bin", "MODEL.PT", "a.pth", "b.ckpt", "c.pkl", "weights/deep.bin"])
def test_a_folder_with_pickled_weights_is_refused_before_anything_is_read(tmp_path: Path, pickle: str) -> None:
    folder = write_policy(tmp_path / "p")
    (folder / pickle).parent.mkdir(exist_ok=True)
    (folder / pickle).write_bytes(b"")
    with pytest.raises(PolicyError, match="only safetensors"):
        load_policy(str(folder))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "built in are negopt, .*static, rules"),
        ("", "no policy is called"),
        ("a\0b", "no policy is called"),
        ("x" * 5000, "no policy is called"),
        ("hf:a/b", "policies pull hf:a/b"),
        ("static:x", "no policy is called"),
    ],
)
def test_a_name_that_leads_nowhere_says_what_there_is(name: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        load_policy(name)


def test_a_kind_this_version_cannot_run_is_refused_with_the_ones_it_can(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="rules, static, retrieval, seq2seq, df"):
        load_policy(str(write_policy(tmp_path / "p", kind="magic")))


@pytest.mark.parametrize("kind", ["seq2seq", "df"])
def test_a_language_policy_without_its_weights_is_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(PolicyError, match="cannot read the language model"):
        load_policy(str(write_policy(tmp_path / "p", kind=kind)))


@pytest.mark.parametrize("settings", [{}, {"negative": ""}, {"negative": 3}])
def test_a_static_policy_without_words_is_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(PolicyError, match=r"settings\.negative"):
        load_policy(str(write_policy(tmp_path / "p", settings=settings)))


def test_a_card_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = write_policy(tmp_path / "p")
    for content in (b"\xff\xfe", b" " * 2_000_000, b"{"):
        (folder / "policy.json").write_bytes(content)
        with pytest.raises(PolicyError, match=r"policy\.json"):
            load_policy(str(folder))
