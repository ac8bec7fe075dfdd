"""Prompt sets and texts in the forms that the field has them: read by name, refused with the line."""

import gzip
import json
from pathlib import Path

import pytest

from negopt_core import format_prompt
from negopt_core.errors import PromptError
from negopt_core.lab.compare.arms import Writer, parse_arm
from negopt_core.lab.compare.prompt_sets import Item, load_prompts
from negopt_core.lab.compare.settings import make_settings, read_recipe
from negopt_core.lab.compare.study import Design

PARTI = (
    "Prompt\tCategory\tChallenge\tNote\n"
    'a sign that says "Hi, there"\tWorld Knowledge\tWriting & Symbols\t\n'
    "a corgi\tAnimals\tBasic\tone, two\n"
)
DRAWBENCH = 'Prompts,Category\nA red car.,Colors\n"A car, and ""a"" dog.",Text\n'
GENEVAL = {"tag": "counting", "include": [{"class": "clock", "count": 2}], "prompt": "a photo of two clocks"}
PAIRS = [{"pos": "a bicycle", "neg": "wheels"}, {"pos": "a cat", "neg": ["whiskers", " tail"]}]
SETS = {
    "PartiPrompts.tsv": (PARTI, [('a sign that says "Hi, there"', "", "World Knowledge"), ("a corgi", "", "Animals")]),
    "drawbench.csv": (DRAWBENCH, [("A red car.", "", "Colors"), ('A car, and "a" dog.', "", "Text")]),
    "evaluation_metadata.jsonl": (json.dumps(GENEVAL), [("a photo of two clocks", "", "counting")]),
    "pairs.json": (json.dumps(PAIRS), [("a bicycle", "wheels", ""), ("a cat", "whiskers, tail", "")]),
    "wrapped.json": (json.dumps({"data": PAIRS[:1]}), [("a bicycle", "wheels", "")]),
    "by_prompt.json": (json.dumps({"a cat": "blurry"}), [("a cat", "blurry", "")]),
    "texts.json": (json.dumps(["a cat"]), [("a cat", "", "")]),
    "spaced.csv": ("\ufeffPrompt,Negative Prompt\na cat,blurry\n", [("a cat", "blurry", "")]),
}
"""What each file holds, and its prompts, negatives and groups."""


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_read_as_its_authors_wrote_it(name: str, tmp_path: Path) -> None:
    content, expected = SETS[name]
    (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content.encode("utf-8")))
    for place in (name, f"{name}.gz"):
        items = load_prompts(str(tmp_path / place))
        assert [(item.prompt, item.negative, item.group) for item in items] == expected
    assert load_prompts(name.rpartition(".")[0], [tmp_path]) == load_prompts(str(tmp_path / name))
    assert len(load_prompts(f"{tmp_path / name}:1")) == 1


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.tsv", "Name\tKind\nx\ty\n", "line 2 has no text under 'prompt'; its names are name, kind"),
        ("a.csv", "prompt\nx,y\n", "line 2: more columns"),
        ("a.csv", "prompt\n\n", "holds no prompt"),
        ("a.csv", 'prompt\n"open\n', ""),
        ("a.json", "{", "cannot read"),
        ("a.json", "3", "neither a list"),
        ("a.json", "[3]", "row 1: no object"),
        ("a.json.gz", "no gzip", "cannot read"),
    ],
)
def test_a_table_that_cannot_be_used_names_the_place(name: str, content: str, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    if not told:  # a quote that nobody closed is a text to its end
        assert load_prompts(str(tmp_path / name)) == (Item("open"),)
        return
    with pytest.raises(PromptError, match=told) as caught:
        load_prompts(str(tmp_path / name))
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'prompt,negative_prompt\n a cat ,"blurry, dark"\n'),
        ("a.tsv", "Prompt\tNegative\na cat\tblurry, dark\n"),
        ("a.json", json.dumps({"a cat": "blurry, dark"})),
        ("a.json", json.dumps([{"prompt": "a cat", "negative": ["blurry", "dark"]}])),
        ("a.jsonl", json.dumps({"original_prompt": "a cat", "Negative Prompt": "blurry, dark"})),
    ],
)
def test_negatives_that_a_language_model_wrote_are_an_arm(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    (pair,) = Writer().write(parse_arm(f"llm=file:{tmp_path / name}"), [Item("a cat")])
    assert (format_prompt(pair.positive), format_prompt(pair.negative)) == ("a cat", "blurry, dark")


@pytest.mark.parametrize("name", ["optimized_prompt", "positive", "Output"])
def test_prompts_that_another_tool_rewrote_are_an_arm(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([{"prompt": "a cat", name: "a cat, oil on canvas"}]))
    (pair,) = Writer().write(parse_arm(f"file:{tmp_path / 'a.json'}"), [Item("a cat")])
    assert format_prompt(pair.positive) == "a cat, oil on canvas"


@pytest.mark.parametrize("name", ["parti", "drawbench", "geneval", "neggenbench"])
def test_the_fields_sets_have_recipes_that_want_a_real_model_and_no_demo_judges(name: str) -> None:
    recipe = read_recipe(name)
    with pytest.raises(PromptError, match="--model"):
        make_settings(recipe, {})
    settings = make_settings(recipe, {"model": "sd15", "prompts": "mine.csv"})
    assert settings.prompts == "mine.csv" and not [one for one in settings.metrics if one.startswith("world")]
    assert settings.steps is None and settings.cfg is None  # the model's own


def test_own_negatives_are_not_painted_where_a_set_has_none() -> None:
    with pytest.raises(PromptError, match="these prompts have none"):
        Design((Item("a cat"),), (parse_arm("own"),))
    Design((Item("a cat"), Item("a dog", "blurry")), (parse_arm("own"),))
