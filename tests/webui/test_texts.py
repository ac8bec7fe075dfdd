"""The adapter's own parts, without even a stub: native text, plans, requests, the installer, what gets imported."""

import re
import resource
import subprocess
import sys
import types
from pathlib import Path

import pytest

from negopt_core.errors import DialectError, NegOptError, OutputError, PromptError
from negopt_core.policy import load_policy
from negopt_core.policy.menu import PolicyMenu
from negopt_core.provenance.plan import Passes, Plan, read_plan
from negopt_core.text.df_text import format_prompt, parse_prompt
from negopt_webui.host import EncodeCache
from negopt_webui.native import add_schedule, add_words, plain_words, write_words
from negopt_webui.request import Request, read_request, starting_at
from negopt_webui.writing import UserPrompts, ask, into_prompt

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("prompt", "positive", "negative"),
    [
        ("", "art", "art"),
        ("  ", "  art", "  art"),
        ("a cat", "a cat, art", "a cat, art"),
        ("a cat,", "a cat, art", "a cat, art"),
        ("a cat, ", "a cat, art ", "a cat, art "),
        ("a cat\n", "a cat, art\n", "a cat, art\n"),
        ("a cat BREAK", "a cat BREAK art", "a cat BREAK art"),
        ("a cat BREAK a dog", "a cat BREAK a dog, art", "a cat BREAK a dog, art"),
        ("a cat :1.2", "a cat, art :1.2", "a cat :1.2, art"),
        ("ratio 16:9", "ratio 16, art:9", "ratio 16:9, art"),  # the host reads a weight of 9 there
        ("a AND b:0.5 AND c", "a, art AND b, art:0.5 AND c, art", "a AND b:0.5 AND c, art"),
        ("a AND", "a, art AND art", "a AND, art"),
        ("BRAND new", "BRAND new, art", "BRAND new, art"),
    ],
)
def test_words_follow_the_users_own(prompt: str, positive: str, negative: str) -> None:
    assert add_words(prompt, "art", False) == positive
    assert add_words(prompt, "art", True) == negative
    assert add_words(prompt, "", False) == prompt


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a street (people:-1), [red:blue:0.5] car", "a street (people:-1), red, blue car"),
        ("a street, (people, cars : -0.5 )", "a street, (people, cars:-1)"),
        ("a street AND people :-0.6 AND sea", "a street, (people:-1), sea"),
        ("(cat:1.2) (dog:-1.5)", "cat (dog:-1)"),
    ],
)
def test_what_weighs_less_than_zero_is_no_wish(prompt: str, words: str) -> None:
    assert plain_words(prompt) == words
    for policy in ("rules", "negopt"):
        written = ask(load_policy(policy), UserPrompts(prompt, ""))
        unwanted = "dog" if "dog" in prompt else "people"
        assert unwanted in written.negative.text.split(", ")[:2] and unwanted not in written.positive.text
        assert "hands" not in written.negative.text


@pytest.mark.parametrize("prompt", ['{"subject": "a cat", "tags": ["soft", "[x]"]}', "user: a cat\nassistant: ok"])
def test_json_and_chats_are_left_as_they_are(prompt: str) -> None:
    written = ask(load_policy("rules"), UserPrompts(prompt, "", parse_prompt("[misty:0-0.5:1]")))
    assert not written.positive.spans and "extra legs" in written.negative.text
    assert any("no modifiers were added" in warning for warning in written.warnings)


def test_an_empty_part_still_reads_as_words() -> None:
    assert re.split(r"\bAND\b", add_words("a AND ", "art", False)) == ["a, art ", " art"]


@pytest.mark.parametrize(
    ("prompt", "positive", "negative"),
    [
        ("a cat, sunset # try dawn", "a cat, sunset, art # try dawn", "a cat, sunset, art # try dawn"),
        ("a cat\n# 16:9", "a cat, art\n# 16:9", "a cat, art\n# 16:9"),
        ("a cat :0.5 # x", "a cat, art :0.5 # x", "a cat :0.5, art # x"),
        ("a # b AND c\nd, # e", "a # b AND c\nd, art # e", "a # b AND c\nd, art # e"),
        ("# x", " art# x", " art# x"),
        ("a AND # x", "a, art AND art# x", "a AND, art # x"),
    ],
)
def test_words_stay_out_of_comments(prompt: str, positive: str, negative: str) -> None:
    assert add_words(prompt, "art", False) == positive
    assert add_words(prompt, "art", True) == negative
    added = add_schedule(prompt, parse_prompt("[art:0-0.5:1]"), False, 10, None, "both")
    assert "art" in re.sub("#[^\n]*(\n|$)", "\n", added)  # the host's own rule


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a photo of a (cat:1.2)", "a photo of a cat"),
        (r"a \(real\) [cat], ((dog))", "a (real) cat, dog"),
        ("a [cat:dog:0.5] in [:rain:3]", "a cat, dog in, rain"),
        ("a [cat|dog]", "a cat, dog"),
        ("a cat <lora:big cat:0.8>, <hypernet:x:1>", "a cat"),
        ("a cat AND a dog :0.7", "a cat, a dog"),
        ("a cat BREAK dog # not this\nsea", "a cat, dog \nsea"),
        ("", ""),
        ("16:9", "16"),
    ],
)
def test_a_policy_reads_words_without_notation(prompt: str, words: str) -> None:
    assert plain_words(prompt) == words


@pytest.mark.parametrize(
    ("passes", "text"),
    [
        ("both", "a cat[[, art:4]:[, art:12]:10] :0.5"),
        ("first", "a cat[[, art:4]::10] :0.5"),
        ("hires", "a cat[[, art:12]:10] :0.5"),
    ],
)
def test_a_schedule_as_prompt_editing_knows_the_passes(passes: Passes, text: str) -> None:
    assert add_schedule("a cat :0.5", parse_prompt("[art:0-0.5:1]"), False, 10, 6, passes) == text


def test_without_a_hires_pass_there_is_one_schedule() -> None:
    assert add_schedule("a cat", parse_prompt(""), True, 10, None, "both") == "a cat"
    assert add_schedule("a cat", parse_prompt("[art:0-0.5:1]"), False, 10, None, "both") == "a cat[, art:4]"
    assert add_schedule("a cat", parse_prompt("[art:0-0.5:1]"), False, 10, None, "hires") == "a cat"


def test_words_are_escaped_and_reserved_ones_refused() -> None:
    assert write_words((("a (b) [c]", 1.0), (", d", 1.2))) == r"a \(b\) \[c\](, d:1.2)"
    with pytest.raises(DialectError, match="BREAK"):
        write_words((("a BREAK", 1.0),))


@pytest.mark.parametrize("words", ["", "mud", 'say "hi": x, [a\\b:0-0.5:0.3]', "ünï 🎈"])
def test_a_plan_reads_back_from_its_record(words: str) -> None:
    plan = Plan(parse_prompt(words), parse_prompt("x"), "hires", "rules", "0123456789abcdef", 7, "negative")
    assert read_plan(plan.to_json()) == plan and "\n" not in plan.to_json()


@pytest.mark.parametrize("record", ["", "[", "[" * 90000, "7", "{}", '{"v":true,"prompt":""}', "x" * 200_000])
def test_a_record_that_is_none_of_ours_is_refused(record: str) -> None:
    with pytest.raises(OutputError):
        read_plan(record)


def test_a_record_with_unknown_passes_is_refused() -> None:
    with pytest.raises(PromptError, match="use one of both, first, hires"):
        read_plan('{"v":1,"prompt":"x","negative":"","passes":"third"}')


def test_every_window_can_be_moved_to_one_start() -> None:
    moved = starting_at(parse_prompt("mud, [dust:0.5-1:0.7], [rust:0-0.25:1], [fog:0.9-1:1]"), 0.25)
    assert format_prompt(moved) == "[mud:0-0.75:1], [dust:0.5-0.75:0.7], [rust:0-0.75:1]"
    with pytest.raises(PromptError):
        starting_at(parse_prompt("mud"), 1.0)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ((True, "rules", "poems"), "cannot write 'poems'"),
        ((True, "rules", "nothing", "", "", "third"), "no passes 'third'"),
        ((True, "rules", "nothing", "", "", "both", -2), "got -2"),
        ((True, "rules", "nothing", "", "", "both", "x"), "got 'x'"),
        ((True, "rules", "nothing", "", "", "both", 1.5), "got 1.5"),
        ((True, "rules", "nothing", "x" * 20_001), "20,000 characters"),
    ],
)
def test_a_wrong_argument_is_named(values: tuple[object, ...], error: str) -> None:
    with pytest.raises(NegOptError, match=error):
        request = read_request(values)
        assert request.modes == () and request.plan()


def test_a_grid_switches_on_unless_it_says_off() -> None:
    assert read_request((False,), {"positive": "art"}).positive == "art"
    assert read_request((True,), {"positive": "art", "enabled": "False"}) == Request()
    assert read_request((False,), {"enabled": "true"}).enabled
    assert read_request((False,), {"policy": "rules"}).writes == "negative and modifiers"
    assert read_request((True, "", "negative"), {"policy": "rules"}).writes == "negative"


def test_the_cache_forgets_the_oldest() -> None:
    cache = EncodeCache(most=2)
    first = cache.slot(("a",))
    cache.slot(("b",))
    assert cache.slot(("a",)) is first
    cache.slot(("c",))
    assert cache.slot(("a",)) is first and cache.slot(("b",)) == [None, None, None]


def test_policies_are_found_by_name_only(tmp_path: Path) -> None:
    menu = PolicyMenu(lambda: [tmp_path])
    assert menu.policy("rules:sdxl+rules") is menu.policy("rules:sdxl+rules")
    for name in (str(tmp_path), "..", "", "hf:a/b", "rules+", "rules+rules+static"):
        with pytest.raises(NegOptError):
            menu.policy(name)


@pytest.mark.parametrize("own", ["", "mud", "mud, ", "(mud:1.3), [dust:0.5]", "low quality"])
def test_a_policy_adds_to_the_users_negative_and_repeats_nothing(own: str) -> None:
    written = ask(load_policy("rules"), UserPrompts("a photo of a cat", own, modes=("negative",)))
    box = into_prompt(own, written.negative, True)
    assert box.startswith(own.rstrip()) and not written.positive.text
    assert box.count("low quality") == 1 and ",," not in box.replace(" ", "")


class NoSuchImport:
    """Fails where a host would have to load something that it may not have."""

    def find_spec(self, name: str, *_: object) -> None:
        assert name.split(".")[0] not in ("diffusers", "comfy", "accelerate"), name


def test_nothing_that_the_webui_loads_needs_diffusers() -> None:
    """In a fresh Python: the script as the host loads it, then a suggestion."""
    code = """
import sys; sys.path[:0] = ["tests/webui", "."]
from test_texts import NoSuchImport, load_and_ask
sys.meta_path.insert(0, NoSuchImport())
load_and_ask()
print(*(name for name in ("torch", "transformers", "numpy", "diffusers") if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def load_and_ask() -> None:
    """For the test above: no torch is needed either until a trained policy is chosen."""
    from webui_stub import StubWebui

    with pytest.MonkeyPatch.context() as patch:
        webui = StubWebui("a1111", patch)
        p = webui.job(True, "rules", "negative and modifiers", "[art:0-0.5:1]")
        assert "NegOpt plan" in webui.run(p).infotexts[0]


def test_the_installer_is_quick_under_both_hosts(tmp_path: Path) -> None:
    """It runs at every start; a webui puts its own modules on the path. Processor time: others may be busy here."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "launch_utils.py").write_text("raise RuntimeError('nothing may be installed')")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, str(ROOT / "install.py")],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout == done.stderr == ""
    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < 0.3


def test_no_module_of_ours_hides_one_of_the_hosts() -> None:
    """`webui`, `modules`, `scripts` and `nodes` are the hosts' own names; all extensions share one tree of modules."""
    assert isinstance(sys.modules["negopt_webui"], types.ModuleType)
    assert not (ROOT / "webui").exists() and not (ROOT / "modules").exists()
    assert [path.name for path in (ROOT / "scripts").glob("*.py")] == ["negopt_webui.py"]
