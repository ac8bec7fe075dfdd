"""Texts in other languages: every one there, none without its placeholders, in ComfyUI's own folders."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("en", "zh", "ja", "ko", "de", "fr", "es")
PLACEHOLDER = re.compile(r"\{\w+\}")
ENGLISH = dict(re.findall(r'^  "([\w-]+)": "(.*)",$', (ROOT / "web/lib/texts.js").read_text(encoding="utf-8"), re.M))


def read(language: str, name: str) -> Any:
    return json.loads((ROOT / "locales" / language / f"{name}.json").read_text(encoding="utf-8"))


def node_names() -> dict[str, str]:
    """Node id -> English name, read off the schemas."""
    found = {}
    for path in (ROOT / "nodes").glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            given = {one.arg: one.value for one in getattr(call, "keywords", ()) if isinstance(one.value, ast.Constant)}
            if isinstance(call, ast.Call) and {"node_id", "display_name"} <= given.keys():
                found[given["node_id"].value] = given["display_name"].value
    return found


def test_english_is_read_and_names_are_those_of_the_nodes() -> None:
    assert len(ENGLISH) > 40
    told = {node: value["display_name"] for node, value in read("en", "nodeDefs").items()}
    assert told == node_names()


def test_every_node_has_a_help_page() -> None:
    wanted = [f"{node}{ending}" for node in node_names() for ending in (".md", ".jpg")]
    missing = [name for name in wanted if not (ROOT / "web" / "docs" / name).is_file()]
    assert not missing, f"web/docs lacks {missing}; tests/web/page/pictures.mjs makes the pictures"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_names_all_nodes_commands_and_settings(language: str) -> None:
    for name in ("nodeDefs", "commands", "settings"):
        assert read(language, name).keys() == read("en", name).keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_names_the_written_texts_and_explains_warnings_and_record(language: str) -> None:
    told = read(language, "nodeDefs")
    for node, outputs in {"NegOptSuggest": ("2", "3"), "NegOptOneClick": ("5", "6")}.items():
        for name in ("locked_positive", "locked_negative"):
            field = told[node]["inputs"][name]
            assert field["name"] and "_" not in field["name"] and field["tooltip"]
        assert all(told[node]["outputs"][place]["tooltip"] for place in outputs)


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_sentence_is_there_with_its_placeholders(language: str) -> None:
    told = read(language, "main")["negopt"]
    assert told.keys() == ENGLISH.keys()
    for key, text in told.items():
        assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(ENGLISH[key])), key


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_group_of_settings_is_named(language: str) -> None:
    settings = (ROOT / "web/ui/settings.js").read_text(encoding="utf-8")
    groups = set(re.findall(r'category: \[CATEGORY, "(\w+)"', settings))
    assert groups and groups == read(language, "main")["settingsCategories"].keys()


def test_every_text_that_the_page_asks_for_exists() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "web").rglob("*.js"))
    asked = set(re.findall(r'\bsay\("([\w-]+)"', sources))
    assert asked and asked <= ENGLISH.keys()


def test_commands_and_settings_have_the_ids_of_the_page() -> None:
    source = (ROOT / "web/negopt.js").read_text(encoding="utf-8") + (ROOT / "web/ui/settings.js").read_text("utf-8")
    ids = {name.replace(".", "_") for name in re.findall(r'\bid: "(negopt\.\w+)"', source)}
    assert ids == read("en", "commands").keys() | read("en", "settings").keys()
