"""A1111's text as its family, its extensions and other programs write it; each row stands for its kind."""

import json

import pytest

from negopt_core.errors import OutputError
from negopt_core.provenance.infotext import parse_infotext

USUAL = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 64x64"
FOX = "a fox\nNegative prompt: ugly\n"


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        (", Template: a {fox|cat}\nby the sea, Version: v1", {"Template": "a {fox|cat}\nby the sea", "Version": "v1"}),
        ("\nTemplate: a {fox|cat}\nNegative Template: ugly", {"Template": "a {fox|cat}", "Negative Template": "ugly"}),
        (
            ', Hashes: {"model": "c9f", "vae": "a7"}, Metadata generator version: 1.3.0',
            {"Hashes": '{"model": "c9f", "vae": "a7"}', "Metadata generator version": "1.3.0"},
        ),
        (', Civitai resources: [{"type":"lora","weight":0.8},{"a":[1]}], Version: v1', {"Version": "v1"}),
        (', Lora hashes: "add: 1, b: 2", Version: v1', {"Lora hashes": "add: 1, b: 2", "Version": "v1"}),
        (', Note: "a \\"quoted\\", b: 2\\nc", Version: v1', {"Note": 'a "quoted", b: 2\nc', "Version": "v1"}),
        (', Note: "never closed, Version: v1', {"Note": '"never closed', "Version": "v1"}),
        (", Hashes: {never closed, Version: v1", {"Hashes": "{never closed", "Version": "v1"}),
        (", Prompt part: red, blue, green, Version: v1", {"Prompt part": "red, blue, green", "Version": "v1"}),
        (", Hires steps: 9, Steps: 5", {"Hires steps": "9", "Steps": "20"}),
        (", Denoising strength: None, Clip skip: 2,", {"Clip skip": "2"}),
        (", Created Date: 2025-01-02T03:04:05Z, Version: v1", {"Created Date": "2025-01-02T03:04:05Z"}),
        (",\nVersion: v1", {"Size": "64x64", "Version": "v1"}),
    ],
)
def test_settings_reach_to_the_end_whatever_is_in_them(tail: str, expected: dict[str, str]) -> None:
    info = parse_infotext(FOX + USUAL + tail)
    assert (info.positive, info.negative) == ("a fox", "ugly")
    assert expected.items() <= info.settings.items() and info.settings["Seed"] == "1"
    assert "Denoising strength" not in info.settings
    for line_end in ("\r\n", "\r"):
        assert parse_infotext((FOX + USUAL + tail).replace("\n", line_end)) == info


def test_json_that_nobody_quoted_is_whole() -> None:
    for value in ({"model": "c9f", "vae": "a, b: c"}, [{"a": "}, Seed: 9"}, 2], {"deep": [[[1, {"x": "]"}]]]}):
        info = parse_infotext(f"\nNegative prompt: \n{USUAL}, Hashes: {json.dumps(value)}, Version: v1")
        assert json.loads(info.settings["Hashes"]) == value and info.settings["Version"] == "v1"
        assert (info.positive, info.negative, info.settings["Seed"]) == ("", "", "1")


@pytest.mark.parametrize(
    ("text", "positive", "negative", "steps"),
    [
        # no negative, no CFG
        (
            "a fox\nSteps: 8, Sampler: res_multistep, CFG scale: None, Seed: 5, Size: 1024x1024",
            "a fox",
            "",
            "8",
        ),
        # a prompt that speaks of settings
        (f"a poster\nSteps: 5\nNegative prompt: ugly\n{USUAL}", "a poster\nSteps: 5", "ugly", "20"),
        (f"how to, Steps: 3, cook\nNegative prompt: ugly\n{USUAL}", "how to, Steps: 3, cook", "ugly", "20"),
        (
            f"a sign, Negative prompt: none\nNegative prompt: ugly\n{USUAL}",
            "a sign, Negative prompt: none",
            "ugly",
            "20",
        ),
        (f"{FOX}{USUAL}\nNegative prompt: real\n{USUAL}", f"{FOX}{USUAL}", "real", "20"),
        ("a sign\nSteps: 3\nNegative prompt: ugly", "a sign\nSteps: 3", "ugly", None),
        (f"a fox\nNegative prompt: ugly\nSteps: 3\n{USUAL}", "a fox", "ugly\nSteps: 3", "20"),
        # fields that are not there
        (f"Negative prompt: ugly\n{USUAL}", "", "ugly", "20"),
        (USUAL, "", "", "20"),
        ("a fox\nNegative prompt: ugly", "a fox", "ugly", None),
        ("a fox\nNegative prompt: ugly\nSampler: Euler, CFG scale: 7, Seed: 1", "a fox", "ugly", None),
        ("a fox\nSteps: 20", "a fox", "", "20"),
        ("a fox, Sampler: none\nSteps: 20", "a fox, Sampler: none", "", "20"),
    ],
)
def test_prompts_end_where_they_end(text: str, positive: str, negative: str, steps: str | None) -> None:
    info = parse_infotext(text)
    assert (info.positive, info.negative, info.settings.get("Steps")) == (positive, negative, steps)
    assert "CFG scale" not in info.settings or info.settings["CFG scale"] == "7"


@pytest.mark.parametrize("text", ["", "just words", "Steps to the castle", "Sampler: a, Seed: 1", "{}"])
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(OutputError, match="no A1111 text"):
        parse_infotext(text)
