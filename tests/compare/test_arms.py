"""What is compared: prompts by name or file, ways of writing by one line of text, and their windows."""

import gzip
import json
from pathlib import Path

import pytest

from negopt_core import PromptPair, format_prompt
from negopt_core.errors import PromptError
from negopt_core.lab.compare.arms import Arm, Writer, delayed, parse_arm
from negopt_core.lab.compare.prompt_sets import Item, load_prompts
from negopt_core.lab.compare.settings import EvalSettings, make_settings, read_recipe, recipe_names
from negopt_core.lab.compare.study import Design, Sweep

ITEMS = (Item("a cat"), Item("a dog, [wet:0-0.5:1]", "own words"))


def texts(arm: Arm, items: tuple[Item, ...] = ITEMS) -> list[tuple[str, str]]:
    pairs = Writer().write(arm, items)
    return [(format_prompt(pair.positive), format_prompt(pair.negative)) for pair in pairs]


@pytest.mark.parametrize(
    ("text", "name", "kind", "value"),
    [
        ("none", "none", "none", ""),
        ("mine=text:a, b=c", "mine", "text", "a, b=c"),
        ("text:x=y", "text:x=y", "text", "x=y"),
        ("p=policy:rules:sdxl", "p", "policy", "rules:sdxl"),
    ],
)
def test_an_arm_is_one_line(text: str, name: str, kind: str, value: str) -> None:
    assert parse_arm(text) == Arm(name, kind, value)


@pytest.mark.parametrize("text", ["", "nothing", "none:x", "text", "text: ", "x=policies:rules", "own:x"])
def test_an_arm_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(PromptError, match="arm"):
        parse_arm(text)


def test_every_kind_writes(tmp_path: Path) -> None:
    assert texts(parse_arm("none")) == [("a cat", ""), ("a dog, [wet:0-0.5:1]", "")]
    assert [negative for _, negative in texts(parse_arm("own"))] == ["", "own words"]
    assert texts(parse_arm("text:[blurry:0-0.5:1]"))[0] == ("a cat", "[blurry:0-0.5:1]")
    assert texts(parse_arm("modifiers:vivid, sharp"))[1][0] == "a dog, [wet:0-0.5:1], vivid, sharp"
    assert texts(parse_arm("policy-negative:rules"))[0][0] == "a cat" != texts(parse_arm("policy:rules"))[0][0]
    assert texts(parse_arm("policy-modifiers:rules"))[0][1] == ""
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    assert [negative for _, negative in texts(parse_arm(f"file:{tmp_path / 'a.txt'}"))] == ["one", "two"]
    rows = [{"prompt": ITEMS[1].prompt, "negative": "n"}, {"prompt": "a cat", "positive": "a cat, big"}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = texts(parse_arm(f"file:{tmp_path / 'a.jsonl'}"))
    assert found == [("a cat, big", ""), ("a dog, [wet:0-0.5:1]", "n")]


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"prompt": 3}', '{"prompt": "a cat"}', '{"prompt": "a cat", "negative": 1}']
)
def test_a_file_of_texts_that_cannot_be_used_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    with pytest.raises(PromptError, match=r"a\.jsonl"):
        texts(parse_arm(f"file:{tmp_path / 'a.jsonl'}"))
    (tmp_path / "a.txt").write_text("only one")
    with pytest.raises(PromptError, match="1 lines for 2 prompts"):
        texts(parse_arm(f"file:{tmp_path / 'a.txt'}"))


@pytest.mark.parametrize(("content", "name"), [("b\na\nc\nd\n", "set:2"), ("a\nb\na\n", "set")])
def test_lines_are_not_matched_with_a_set_whose_lines_moved(tmp_path: Path, content: str, name: str) -> None:
    (tmp_path / "set.txt").write_text(content)
    (tmp_path / "own.txt").write_text("one\ntwo\n")
    items = load_prompts(name, [tmp_path])
    with pytest.raises(PromptError, match=r"own\.txt .* JSON Lines"):
        texts(parse_arm(f"file:{tmp_path / 'own.txt'}"), items)
    rows = [json.dumps({"prompt": item.prompt, "negative": f"no {item.prompt}"}) for item in items]
    (tmp_path / "own.jsonl").write_text("\n".join(rows))
    assert texts(parse_arm(f"file:{tmp_path / 'own.jsonl'}"), items) == [(i.prompt, f"no {i.prompt}") for i in items]
    (tmp_path / "set.txt").write_text("b\n\na\n")
    assert texts(parse_arm(f"file:{tmp_path / 'own.txt'}"), load_prompts("set:2", [tmp_path]))[0] == ("b", "one")


def test_pairs_that_were_written_elsewhere_are_an_arm_of_their_prompts() -> None:
    pairs = [PromptPair.plain("a cat", "blurry"), PromptPair.plain("a dog", "")]
    assert texts(Arm.written("mine", pairs)) == [("a cat", "blurry"), ("a dog", "")]
    with pytest.raises(PromptError, match="1 pairs for 2 prompts"):
        texts(Arm.written("mine", pairs[:1]))
    for wrong in (
        lambda: parse_arm("written:x"),
        lambda: Arm.written("mine", []),
        lambda: Arm("x", "none", "", pairs=tuple(pairs)),
    ):
        with pytest.raises(PromptError, match="arm"):
            wrong()


def test_a_delay_moves_its_own_side_and_nothing_of_the_prompt() -> None:
    late = delayed(parse_arm("x=text:blurry, dark"), "negative", 0.25)
    assert late.name == "x, negative from 25 %"
    assert texts(late)[1] == ("a dog, [wet:0-0.5:1]", "[blurry:0-0.75:1], [dark:0-0.75:1]")
    (prompt, _) = texts(delayed(parse_arm("x=modifiers:vivid"), "modifiers", 0.5))[0]
    assert prompt == "a cat, [vivid:0-0.5:1]"
    assert texts(delayed(parse_arm("x=text:blurry"), "negative", 0.0))[0][1] == "blurry"
    with pytest.raises(PromptError, match="sweep"):
        delayed(parse_arm("none"), "sideways", 0.5)


def test_a_prompt_set_is_a_name_a_file_or_the_world(tmp_path: Path) -> None:
    lines = [{"prompt": " a cat "}, {"prompt": "a dog", "negative_prompt": "bad"}, {"prompt": "a cat"}]
    content = "\n".join(map(json.dumps, lines)).encode()
    (tmp_path / "set.jsonl.gz").write_bytes(gzip.compress(content))
    (tmp_path / "plain.txt").write_text("one\n\ntwo\nthree\n")
    assert load_prompts("set", [tmp_path]) == (Item("a cat"), Item("a dog", "bad"))
    assert len(load_prompts("plain:2", [tmp_path])) == 2
    assert load_prompts("plain:2", [tmp_path]) == load_prompts(str(tmp_path / "plain.txt") + ":2")
    world = load_prompts("world:6")
    assert len(set(world)) == 6 and world == load_prompts("world:6")


@pytest.mark.parametrize("content", [b"", b"{", b'{"prompt": ""}', b'["a"]', b"\xff\xfe"])
def test_a_set_that_cannot_be_used_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "set.jsonl").write_bytes(content)
    with pytest.raises(PromptError, match=r"set\.jsonl"):
        load_prompts("set", [tmp_path])
    for name in ("missing", "world:0"):
        with pytest.raises(PromptError, match="prompt"):
            load_prompts(name, [tmp_path])


def test_a_design_shares_noise_between_arms_and_refuses_what_is_unclear() -> None:
    none, text = parse_arm("none"), parse_arm("x=text:blurry")
    design = Design(ITEMS, (none, text), (Sweep("negative", "x", (0.0, 0.5)),), seeds=2, first_seed=10)
    assert [arm.name for arm in design.every_arm][2:] == ["x, negative from 0 %", "x, negative from 50 %"]
    assert design.numbers == [[10, 11], [12, 13]] and design.reference == "none"
    assert Design(ITEMS, (none,), first_seed=42, same_noise=True).numbers == [[42], [42]]
    assert Design(ITEMS, (none,), seeds=2, first_seed=7, stride=1000).numbers == [[7, 8], [1007, 1008]]
    for wrong in (
        {"arms": (none, none)},
        {"arms": ()},
        {"arms": (none,), "against": "y"},
        {"arms": (none,), "sweeps": (Sweep("negative", "y", (0.0,)),)},
        {"arms": (none,), "seeds": 0},
        {"items": (), "arms": (none,)},
    ):
        with pytest.raises(PromptError):
            Design(**{"items": ITEMS, **wrong})  # type: ignore[arg-type]


def test_recipes_are_settings_and_flags_take_their_place(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text('{"_about": "x", "arms": ["none"], "steps": 9, "cfg": 3, "seeds": 2}')
    recipe = read_recipe(str(tmp_path / "r.json"))
    found = make_settings(recipe, {"steps": 4, "cfg": None, "arms": None})
    assert found == EvalSettings(arms=("none",), steps=4, cfg=3, seeds=2)
    for wrong in ({"arm": []}, {"arms": "none"}, {"arms": [1]}, {"seeds": "2"}, {"starts": ["x"]}, {"steps": "4"}):
        with pytest.raises(PromptError, match="setting"):
            make_settings(wrong, {})
    for content in ("[]", "{"):
        (tmp_path / "r.json").write_text(content)
        with pytest.raises(PromptError, match="recipe"):
            read_recipe(str(tmp_path / "r.json"))
    with pytest.raises(PromptError, match="no recipe"):
        read_recipe("missing")


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_that_ships_can_be_read(name: str) -> None:
    settings = make_settings(read_recipe(name), {"model": "any"})
    assert [parse_arm(text) for text in settings.arms]
