"""The honesty meter: each rule fires where it should, names the value, and stays silent where it should."""

import inspect as standard_inspect
import math
import subprocess
import sys

import pytest

from negopt_core import PromptError, PromptPair, compile_schedule, parse_prompt
from negopt_core.text.cfg_parts import RunPart
from negopt_core.text.checks import WELL_KNOWN_EMBEDDINGS, Finding, Setup, inspect_setup
from tests.fakes.calls import is_linear

PLAIN = PromptPair.plain("a cat in a garden", "blurry, grain")


def count_words(text: str) -> int:
    return len(text.replace(",", " ,").split())


def codes(pair: PromptPair, setup: Setup) -> list[str]:
    return [finding.code for finding in inspect_setup(pair, setup)]


def only(pair: PromptPair, setup: Setup) -> Finding:
    (finding,) = inspect_setup(pair, setup)
    return finding


def pair_of(positive: str, negative: str) -> PromptPair:
    return PromptPair(parse_prompt(positive), parse_prompt(negative))


def test_nothing_known_means_nothing_said() -> None:
    assert inspect_setup(PLAIN, Setup()) == ()


def test_a_good_setup_is_not_nagged() -> None:
    setup = Setup(
        steps=20,
        cfg=7.0,
        model_family="SD15",
        policy_family="sd15",
        embeddings=frozenset(),
        count_tokens=count_words,
    )
    assert inspect_setup(PLAIN, setup) == ()


@pytest.mark.parametrize(
    ("setup", "code", "severity", "says", "remedy"),
    [
        (Setup(cfg=1), "cfg-one", "warning", "CFG is 1; at 1 the negative is left out", "raise CFG to 1.5"),
        (Setup(cfg=1.0 + 1e-12), "cfg-one", "warning", "CFG is 1;", "NAG"),
        (Setup(cfg=0.5), "cfg-below-one", "warning", "CFG is 0.5;", "raise CFG"),
        (Setup(negative_zeroed=True), "negative-zeroed", "warning", "replaced by zeros", "connect"),
        (
            Setup(model_family="sdxl", policy_family="sd15"),
            "other-model-family",
            "warning",
            "made for 'sd15', the model is 'sdxl'",
            "made for 'sdxl'",
        ),
    ],
)
def test_a_negative_without_effect_is_found(setup: Setup, code: str, severity: str, says: str, remedy: str) -> None:
    finding = only(PLAIN, setup)
    assert (finding.code, finding.severity) == (code, severity)
    assert says in finding.message
    assert remedy in finding.remedy
    assert str(finding) == f"{finding.message}; {finding.remedy}"


@pytest.mark.parametrize("cfg", [1.01, 7.5, None])
def test_a_cfg_above_one_is_fine(cfg: float | None) -> None:
    assert codes(PLAIN, Setup(cfg=cfg)) == []


@pytest.mark.parametrize("negative", ["", "  ", ", ,\n"])
def test_an_empty_negative_is_information_and_no_other_rule_about_it_fires(negative: str) -> None:
    finding = only(PromptPair.plain("a cat", negative), Setup(cfg=1.0, negative_zeroed=True))
    assert (finding.code, finding.severity) == ("negative-empty", "info")


@pytest.mark.parametrize("text", ["???", "🎈"])
def test_signs_are_a_negative_too(text: str) -> None:
    assert codes(PromptPair.plain("a cat", text), Setup(cfg=1.0)) == ["cfg-one"]


@pytest.mark.parametrize(
    ("model", "policy", "expected"),
    [
        ("sdxl", "sdxl", []),
        ("SDXL", "sdxl", []),
        (None, "sdxl", []),
        ("sdxl", None, []),
        ("sdxl", "sd15", ["other-model-family"]),
    ],
)
def test_families_are_compared_only_when_both_are_known(
    model: str | None, policy: str | None, expected: list[str]
) -> None:
    assert codes(PLAIN, Setup(model_family=model, policy_family=policy)) == expected


@pytest.mark.parametrize(
    ("negative", "files", "missing"),
    [
        ("EasyNegative, blurry", set(), "'EasyNegative'"),
        ("easynegative, blurry", {"EasyNegative.safetensors"}, None),
        ("blurry, embedding:bad-hands-5", set(), "'bad-hands-5'"),
        ("embedding:bad-hands-5, x", {"neg/bad-hands-5.pt"}, None),
        (r"embedding:neg\mine.pt", {"mine"}, None),
        ("embedding:mine.", {"mine.bin"}, None),
        ("(embedding:mine)", set(), "'mine'"),
        ("bad_prompt_version2", {"bad_prompt"}, "'bad_prompt_version2'"),
        ("verybadimagenegative_v1.3", set(), "'verybadimagenegative_v1.3'"),
        ("EasyNegativeX, bad-artists", set(), None),  # other words that only begin alike
        ("embedding:", set(), None),
    ],
)
def test_missing_embedding_files_are_found(negative: str, files: set[str], missing: str | None) -> None:
    findings = inspect_setup(PromptPair.plain("a cat", negative), Setup(embeddings=frozenset(files)))
    assert [finding.code for finding in findings] == (["embedding-missing"] if missing else [])
    if missing:
        assert findings[0].message.startswith(f"{missing} in the negative: no embedding file")


def test_each_well_known_name_is_recognised_whole() -> None:
    for name in WELL_KNOWN_EMBEDDINGS:
        finding = only(PromptPair.plain("a cat", f"blurry, {name}"), Setup(embeddings=frozenset()))
        assert finding.message.startswith(f"'{name}' in the negative")


def test_unknown_files_make_it_information() -> None:
    finding = only(PromptPair.plain("embedding:style", "x"), Setup())
    assert (finding.code, finding.severity) == ("embedding-unchecked", "info")
    assert "'style' in the positive" in finding.message


def test_a_text_over_the_chunk_is_counted_where_it_is_longest() -> None:
    pair = pair_of("a cat", "blurry, grain, [low quality, worst quality:0-0.5:1]")
    finding = only(pair, Setup(steps=10, count_tokens=count_words, chunk_tokens=7))
    assert finding.code == "over-chunk"
    assert "the negative has 9 tokens and the text encoder takes 7 at once" in finding.message
    assert finding.remedy == "shorten it to 7 tokens"
    assert codes(pair, Setup(steps=10, count_tokens=count_words, chunk_tokens=9)) == []


def test_exclusive_phrases_do_not_add_up_once_the_steps_are_known() -> None:
    pair = pair_of("a cat", "[one two three:0-0.5:1][four five six:0.5-1:1]")
    assert codes(pair, Setup(steps=10, count_tokens=count_words, chunk_tokens=3)) == []
    assert codes(pair, Setup(count_tokens=count_words, chunk_tokens=3)) == ["over-chunk"]


def test_a_crowded_prompt_is_counted_where_it_is_longest_and_no_more() -> None:
    joined = []

    def count(text: str) -> int:
        joined.append(text)
        return count_words(text)

    spans = [f"[w{n}:{n / 3000:.4f}-{0.5 + n / 3000:.4f}:1]" for n in range(1500)]
    finding = only(pair_of("a cat", ", ".join(spans)), Setup(steps=10_000, count_tokens=count, chunk_tokens=7))
    assert "the negative has at least 2999 tokens" in finding.message  # all of them at half of the run
    assert len(joined) <= 20


def test_a_phrase_with_thousands_of_windows_is_compared_in_linear_work() -> None:
    def windows(first: int, last: int) -> str:
        return ", ".join(f"[w:{n / 10_000:.4f}-{(n + 1) / 10_000:.4f}:1]" for n in range(first, last))

    def compare(count: int) -> None:
        low, high = windows(0, count), windows(count, 2 * count)
        pairs = [pair_of(low, high), pair_of(f"{low}, [w:0.001-0.5:1]", high)]
        assert [codes(pair, Setup()) for pair in pairs] == [[], ["phrase-in-both"]]

    compare(4000)
    assert is_linear(compare, 250)


def test_every_switch_of_a_small_prompt_is_counted() -> None:
    spans = [f"{'i ' * n}[{'m' * 50}:{n / 40:.4f}-{(n + 1) / 40:.4f}:1]" for n in range(40)]
    pair = pair_of("a cat", " ".join(spans))
    texts = {segment.text for segment in compile_schedule(pair.negative, 1000)}
    finding = only(pair, Setup(steps=1000, count_tokens=count_words, chunk_tokens=7))
    assert f"the negative has {max(map(count_words, texts))} tokens" in finding.message


@pytest.mark.parametrize(
    ("positive", "negative", "shared"),
    [
        ("a cat, blurry background", "blurry, grain", "'blurry'"),
        ("a cat, BLURRY  Background", "blurry background", "'blurry background'"),
        ("a cat", "cat-like, grain", None),
        ("a category", "cat", None),
        ("a b c d e f g h", "a b c d e f g h", "'a b c d e f g h'"),
        ("cat", "cat, dog", "'cat'"),
        ("a, b, c, d, e", "a, b, c, d, e", "'a', 'b', 'c' and 2 more"),
        ("[grain:0.5-1:1]", "[grain:0-0.5:1]", None),  # never at the same step
        ("[grain:0.4-1:1]", "[grain:0-0.5:1]", "'grain'"),
        # the words leave one side when they enter the other
        ("portrait, [3d, realistic:0.8-1:1]", "low score, [3d, realistic:0-0.8:1]", None),
        ("portrait, [3d, realistic:0.7-1:1]", "low score, [3d, realistic:0-0.8:1]", "'3d', 'realistic'"),
        ("portrait, [3d, real:0.8-1:1], [real:0.5-0.6:1]", "[3d, real:0-0.8:1]", "'real'"),
        # what the positive says no to is asked for by nobody
        ("a street, no people", "people, cars", None),
        ("a street without people or cars", "people, cars", None),
        ("no people, a portrait of people", "people", "'people'"),
        ("a street, no people, cars", "people, cars", "'cars'"),
    ],
)
def test_a_phrase_on_both_sides_at_once_is_found(positive: str, negative: str, shared: str | None) -> None:
    for setup in (Setup(), Setup(steps=10)):
        findings = [one for one in inspect_setup(pair_of(positive, negative), setup) if one.severity == "warning"]
        assert [finding.code for finding in findings] == (["phrase-in-both"] if shared else [])
        if shared:
            assert findings[0].message.startswith(f"{shared}: asked for in the positive")


def test_windows_that_share_no_step_of_the_run_are_apart() -> None:
    pair = pair_of("[grain:0.79-1:1]", "[grain:0-0.8:1]")
    assert codes(pair, Setup()) == codes(pair, Setup(steps=100)) == ["phrase-in-both"]
    assert codes(pair_of("[grain:0.801-1:1]", "[grain:0-0.809:1]"), Setup(steps=10)) == []


@pytest.mark.parametrize(
    ("positive", "negative", "told"),
    [
        ("a street, no people", "cars", [("negation", "positive", ("people",))]),
        ("a street", "no cars, without hats, ugly", [("negation", "negative", ("cars", "hats"))]),
        ("{cat|dog}, __color__", "ugly", [("wildcard-unexpanded", "positive", ("{cat|dog}", "__color__"))]),
        ('a sign that says "no parking"', "ugly", []),
        ('{"subject": "a|b"}', "ugly", []),
    ],
)
def test_words_that_are_read_as_something_else_are_information(
    positive: str, negative: str, told: list[tuple[str, str, tuple[str, ...]]]
) -> None:
    found = inspect_setup(PromptPair.plain(positive, negative), Setup())
    assert [(one.code, one.side, one.subjects) for one in found] == told
    assert all(one.severity == "info" for one in found)


def test_a_window_narrower_than_a_step_is_found_on_its_side() -> None:
    pair = pair_of("a cat, [x:0.81-0.89:1]", "blurry[, y:0.81-0.89:1]")
    findings = inspect_setup(pair, Setup(steps=10))
    assert [finding.code for finding in findings] == ["window-too-narrow"] * 2
    assert "'y' in the negative: the window holds none of the 10 steps" in findings[0].message
    assert "'x' in the positive" in findings[1].message
    assert codes(pair, Setup(steps=100)) == []
    assert codes(pair, Setup()) == []


def test_a_finding_names_its_side_and_each_subject_once() -> None:
    pair = PromptPair(parse_prompt("a cat"), parse_prompt("Cat, cat, dog"))
    (finding,) = inspect_setup(pair, Setup())
    assert (finding.code, finding.side, finding.subjects) == ("phrase-in-both", "negative", ("Cat", "cat"))


def test_findings_come_most_important_first() -> None:
    pair = pair_of("blurry cat", "blurry, EasyNegative, [x:0.81-0.89:1]")
    setup = Setup(
        steps=10,
        cfg=1.0,
        negative_zeroed=True,
        model_family="flux",
        policy_family="sd15",
        embeddings=frozenset(),
        count_tokens=count_words,
        chunk_tokens=1,
    )
    assert codes(pair, setup) == [
        "cfg-one",
        "negative-zeroed",
        "other-model-family",
        "window-too-narrow",
        "embedding-missing",
        "phrase-in-both",
        "over-chunk",
        "over-chunk",
    ]


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"steps": 0}, "at least 1 step, got 0"),
        ({"cfg": math.nan}, "a number from 0, got nan"),
        ({"cfg": -1.0}, "a number from 0, got -1.0"),
        ({"cfg": math.inf}, "a number from 0, got inf"),
        ({"chunk_tokens": 0}, "at least 1 token, got 0"),
    ],
)
def test_a_setup_that_cannot_be_is_refused(arguments: dict[str, float], rule: str) -> None:
    with pytest.raises(PromptError, match=rule):
        Setup(**arguments)  # type: ignore[arg-type]


def test_our_module_does_not_hide_the_standard_inspect() -> None:
    program = (
        "import negopt_core, negopt_core.text.checks, inspect, dataclasses, sys\n"
        "assert inspect.signature(len) and inspect is not negopt_core.text.checks\n"
        "assert dataclasses.inspect is inspect\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not hasattr(standard_inspect, "inspect_setup")


HALVES = (RunPart(0.0, 0.5, 3.5), RunPart(0.5, 1.0, 1.0))
"""A chain of two samplers, as video models are painted: high noise guided, low noise not."""


@pytest.mark.parametrize(
    ("negative", "parts", "code", "subjects", "message"),
    [
        ("ugly", HALVES, "cfg-one-part", (), "CFG is 1 in steps 10 to 19 of 20"),
        (
            "[ugly:0.5-0:1]",
            HALVES,
            "window-at-cfg-one",
            ("ugly",),
            "'ugly' in the negative: CFG is 1 in steps 10 to 19 of 20",
        ),
        ("dull, [ugly:0.4-0.1:1]", HALVES, "window-at-cfg-one", ("ugly",), "so it never acts"),
        ("[ugly:1-0.5:1]", HALVES, None, (), ""),
        ("[ugly:0.6-0:1]", HALVES, "cfg-one-part", (), "there it does nothing"),
        ("ugly", (RunPart(0.0, 1.0, 4.0), RunPart(0.0, 1.0, 5.0)), None, (), ""),
        ("[ugly:0.5-0:1]", (RunPart(0.0, 1.0, 1.0), RunPart(0.0, 1.0, 5.0)), "cfg-one-part", (), "steps 0 to 19"),
    ],
)
def test_what_of_a_negative_lies_where_the_guidance_scale_is_one(
    negative: str, parts: tuple[RunPart, ...], code: str | None, subjects: tuple[str, ...], message: str
) -> None:
    pair = PromptPair(parse_prompt("a cat"), parse_prompt(negative))
    findings = inspect_setup(pair, Setup(steps=20, parts=parts))
    assert [finding.code for finding in findings] == ([code] if code else [])
    assert all(finding.subjects == subjects and message in finding.message for finding in findings)


def test_a_part_of_a_run_needs_a_window_and_a_guidance_scale() -> None:
    for wrong in [(0.5, 0.5, 1.0), (0.0, 1.1, 1.0), (0.0, 1.0, math.nan)]:
        with pytest.raises(PromptError):
            RunPart(*wrong)
    assert (
        "0% to 50% of the run"
        in only(
            PromptPair.plain("a cat", "ugly"), Setup(parts=(RunPart(0.0, 0.5, 1.0), RunPart(0.5, 1.0, 2.0)))
        ).message
    )


def test_zeros_are_told_from_an_empty_text() -> None:
    empty = PromptPair.plain("a cat", "")
    assert "empty prompt" in only(empty, Setup(cfg=5.0)).message
    zeroed = only(empty, Setup(cfg=5.0, negative_zeroed=True)).message
    assert "zeros, which is another thing than an empty text" in zeroed


def test_an_empty_negative_is_not_judged_by_parts() -> None:
    assert codes(PromptPair.plain("a cat", ""), Setup(parts=HALVES)) == ["negative-empty"]
