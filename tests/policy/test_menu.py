"""The policies that hosts offer by name."""

import json
from pathlib import Path

import pytest

from negopt_core.errors import PolicyError
from negopt_core.policy import suggest
from negopt_core.policy.menu import PolicyMenu
from negopt_core.policy.static import static_card


def write_static(folder: Path, name: str, negative: str) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    text = json.dumps(static_card(negative, name).to_json())
    (folder / name / "policy.json").write_text(text, encoding="utf-8")


def test_the_menu_shows_what_comes_with_negopt_and_what_lies_in_the_folders(tmp_path: Path) -> None:
    write_static(tmp_path / "one", "mine", "ugly")
    (tmp_path / "two" / "broken").mkdir(parents=True)
    (tmp_path / "two" / "broken" / "policy.json").write_text("{", encoding="utf-8")
    names = PolicyMenu(lambda: [tmp_path / "one", tmp_path / "two", tmp_path / "none"]).names()
    assert names[:4] == ["negopt", "negopt-scheduled", "broken", "mine"] and "pae-mini" not in names


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("rules", None),
        ("pae-mini", None),
        ("mine", None),
        ("mine+rules:sdxl", None),
        ("mine:sdxl", None),
        ("", ""),
        ("rules+", ""),
        ("gone", "gone"),
        ("rules+gone", "gone"),
        ("mine+../secret", "../secret"),
        ("rules+rules+static", "rules+rules+static"),
        ("hf:owner/name", "hf:owner/name"),
        ("mine\0", "mine\0"),
    ],
)
def test_a_policy_is_known_by_its_name_only(tmp_path: Path, name: str, missing: str | None) -> None:
    write_static(tmp_path / "models", "mine", "ugly")
    write_static(tmp_path, "secret", "ugly")
    menu = PolicyMenu(lambda: [tmp_path / "models"])
    assert menu.missing(name) == missing
    if missing is not None:
        for ask in (menu.check, menu.load, menu.policy, menu.card):
            with pytest.raises(PolicyError, match="is not here"):
                ask(name)
    with pytest.raises(PolicyError, match="is not here"):
        menu.load(str(tmp_path / "models" / "mine"))


def test_the_last_policy_stays_loaded_until_its_files_change(tmp_path: Path) -> None:
    write_static(tmp_path, "mine", "ugly")
    (tmp_path / "mine" / "origin.json").write_text('{"from": "hf:owner/mine"}', encoding="utf-8")
    menu = PolicyMenu(lambda: [tmp_path])
    first, state = menu.policy("mine"), menu.state("mine+rules")
    assert menu.policy("mine") is first and menu.load("mine") is not first
    assert menu.origin("mine+rules") == "hf:owner/mine" and menu.card("mine").name == "mine"
    write_static(tmp_path, "mine", "hazy skies")
    assert menu.state("mine+rules") != state
    assert suggest(menu.policy("mine"), ["a cat"])[0].negative == "hazy skies"
