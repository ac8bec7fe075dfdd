"""One provenance for the pictures of every host: read, checked against the schema, and against the picture itself."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import negopt_core
from negopt_core.errors import OutputError, PromptError
from negopt_core.paint.choice import recorded_place
from negopt_core.policy import load_policy
from negopt_core.provenance.origin import Origin, read_origin
from negopt_core.provenance.plan import Plan
from negopt_core.provenance.record import shown_place, write_picture
from negopt_core.provenance.verify import DIFFERS, MATCHES, UNKNOWN, verify
from tests.fakes import records

SCHEMA = json.loads((Path(negopt_core.__file__).parent / "assets" / "provenance.schema.json").read_text())
PIXELS = numpy.arange(48, dtype=numpy.uint8).reshape(4, 4, 3)
RULES = load_policy("rules")
RECORD = replace(
    records.RECORD,
    df_positive="a cat, [vivid:0-0.5:1]",
    df_negative="blurry",
    positive="a cat, vivid",
    model_hash="0123456789abcdef",
    height=4,
    policy="rules",
    policy_hash=RULES.fingerprint,
    policy_licence="Apache-2.0",
    modes=("negative",),
    scores={"clip": 0.3},
)


def save(path: Path, **texts: str) -> Path:
    info = PngInfo()
    for name, text in texts.items():
        info.add_itxt(name, text)
    Image.fromarray(PIXELS).save(path, pnginfo=info)
    return path


def infotext(plan: Plan) -> str:
    """As A1111 writes it: a value with a comma or a colon is quoted like a JSON string."""
    line = json.dumps(plan.to_json(), ensure_ascii=False)
    return (
        "a cat, (sharp:1.2), [dog:bird:0.5]\nNegative prompt: my own\n"
        f"Steps: 10, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7, Seed: 42, Size: 512x768, "
        f"Model hash: abc, Model: sd15, NegOpt plan: {line}, Version: v1.10.1"
    )


def assert_valid(origin: Origin) -> None:
    """The form has what the schema requires and nothing it does not know; with jsonschema, all of its rules."""
    values: dict[str, Any] = json.loads(json.dumps(origin.to_json()))
    assert values.keys() == set(SCHEMA["required"]) == SCHEMA["properties"].keys()
    try:
        import jsonschema
    except ImportError:
        return
    jsonschema.validate(values, SCHEMA)


def test_negopts_own_pictures(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", PIXELS, RECORD)
    found = read_origin(tmp_path / "a.png")
    assert_valid(found)
    assert (found.host, found.prompt, found.df_positive) == ("diffusers", "a cat", RECORD.df_positive)
    assert (found.policy, found.policy_licence, found.modes) == ("rules", "Apache-2.0", ("negative",))
    assert found.sampling["seed"] == 7 and found.sampling["model"] == "world" and found.scores == {"clip": 0.3}
    assert [check.outcome for check in verify(tmp_path / "a.png", found)] == [MATCHES, MATCHES]


def test_pictures_of_the_a1111_family(tmp_path: Path) -> None:
    plan = Plan(
        negopt_core.parse_prompt("[vivid:0-0.5:1.2]"),
        negopt_core.parse_prompt('blurry, "odd" one'),
        policy="rules",
        policy_hash=RULES.fingerprint,
        policy_seed=3,
        writes="negative,modifiers",
    )
    path = save(tmp_path / "a.png", parameters=infotext(plan))
    found = read_origin(path)
    assert_valid(found)
    assert found.host == "a1111" and found.versions == {"webui": "v1.10.1"}
    assert found.df_positive == "a cat, [sharp:0-1:1.2], [dog:0.4-1:1][bird:0-0.4:1], [vivid:0-0.5:1.2]"
    assert found.prompt == "a cat, [sharp:0-1:1.2], [dog:0.4-1:1][bird:0-0.4:1]"
    assert found.df_negative == 'my own, blurry, "odd" one'
    assert found.sampling == {
        "steps": 10, "sampler": "Euler a", "schedule": "Automatic", "cfg": 7, "seed": 42, "model_hash": "abc",
        "model": "sd15", "width": 512, "height": 768,
    }  # fmt: skip
    assert (found.policy, found.policy_hash, found.policy_seed) == ("rules", RULES.fingerprint[:16], 3)
    assert [check.outcome for check in verify(path, found)] == [UNKNOWN, MATCHES]


def test_a1111s_jpeg_and_webp_and_pictures_without_a_plan(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + "a cat\nNegative prompt: näh\nSteps: 5".encode("utf-16-be")
    for ending in ("jpg", "webp"):
        Image.fromarray(PIXELS).save(tmp_path / f"a.{ending}", exif=exif)
        found = read_origin(tmp_path / f"a.{ending}")
        assert_valid(found)
        assert (found.df_positive, found.df_negative, found.policy) == ("a cat", "näh", "")
        assert [check.outcome for check in verify(tmp_path / f"a.{ending}", found)] == [UNKNOWN, UNKNOWN]


@pytest.mark.parametrize(
    ("settings", "known"),
    [
        ("Steps: 8, Sampler: res_multistep, CFG scale: None, Seed: 5", {"steps": 8, "seed": 5}),
        ("Steps: 8, CFG scale: auto, Seed: random, Size: 64 x 64", {"steps": 8}),
        ("Sampler: Euler, CFG scale: 4.5, Seed: 1, Size: 64x32", {"cfg": 4.5, "seed": 1, "width": 64, "height": 32}),
    ],
)
def test_settings_that_are_no_numbers_are_unknown_and_lose_nothing_else(
    tmp_path: Path, settings: str, known: dict[str, Any]
) -> None:
    found = read_origin(save(tmp_path / "a.png", parameters=f"a fox\nNegative prompt: ugly\n{settings}"))
    assert_valid(found)
    assert (found.positive, found.negative) == ("a fox", "ugly")
    assert {name: value for name, value in found.sampling.items() if name not in ("sampler",)} == known


def test_words_that_take_turns_are_told_step_by_step_and_weights_below_zero_on_the_other_side(tmp_path: Path) -> None:
    told = "[cow|ox] (fog:-1)\nNegative prompt: ugly\nSteps: 4, Sampler: Euler, Seed: 1"
    found = read_origin(save(tmp_path / "a.png", parameters=told))
    assert found.df_positive == "[cow:0.5-1:1][ox:0.25-0.5:1][cow:0-0.25:1]"
    assert found.df_negative == "ugly, fog"


def test_pictures_of_comfyui_nodes_old_and_new(tmp_path: Path) -> None:
    old = {
        "negopt": "0.1.0", "policy": "rules", "policy_hash": RULES.fingerprint, "locked": False, "seed": 3,
        "mode": "negative and modifiers", "prompt": "a cat", "df_positive": "a cat", "df_negative": "[x:0-0.5:1]",
        "sampling": {"Steps": 9, "Sampler": "heun", "Seed": 5, "CFG scale": 4.5, "Model": "x.safetensors"},
    }  # fmt: skip
    for record in (
        old,
        {**old, "schema": 1, "modes": ["negative"], "policy_licence": "MIT", "versions": {"comfyui": "1"}},
    ):
        found = read_origin(save(tmp_path / "a.png", negopt_comfyui=json.dumps(record)))
        assert_valid(found)
        assert found.host == "comfyui" and found.sampling["sampler"] == "heun" and found.policy_seed == 3
        assert found.modes[0] == "negative"


def test_changed_pixels_and_another_policy_are_noticed(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", PIXELS, replace(RECORD, policy_hash="0" * 64))
    with Image.open(tmp_path / "a.png") as image:
        changed, text = numpy.asarray(image).copy(), image.info["negopt"]
    changed[0, 0] += 1
    info = PngInfo()
    info.add_itxt("negopt", text)
    Image.fromarray(changed).save(tmp_path / "b.png", pnginfo=info)
    found = read_origin(tmp_path / "b.png")
    assert [check.outcome for check in verify(tmp_path / "b.png", found)] == [DIFFERS, DIFFERS]
    missing = replace(found, policy="not-here")
    assert verify(tmp_path / "b.png", missing)[1].outcome == UNKNOWN


@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"negopt": "{"},
        {"negopt": "[]"},
        {"negopt": '{"schema": 2}'},
        {"negopt_comfyui": '{"df_positive": 3}'},
        {"parameters": "just words"},
        {"parameters": "a\nSteps: 5, NegOpt plan: {x, Seed: 1"},
    ],
)
def test_what_cannot_be_read_is_one_clear_error(tmp_path: Path, texts: dict[str, str]) -> None:
    with pytest.raises(OutputError):
        read_origin(save(tmp_path / "a.png", **texts))


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("/home/anna/models/x.safetensors", "x.safetensors"),
        ("~/models/x/", "x"),
        ("C:\\Users\\anna\\x.safetensors", "x.safetensors"),
        ("\\\\server\\share\\x", "x"),
        ("world", "world"),
        ("hf:owner/name", "hf:owner/name"),
    ],
)
def test_no_absolute_path_is_told(place: str, shown: str) -> None:
    assert shown_place(place) == shown


def test_the_model_to_paint_again_with_is_found_or_asked_for(tmp_path: Path) -> None:
    assert recorded_place(None, "world", "diffusers") == "world" and recorded_place("x", "y", "a1111") == "x"
    assert recorded_place(None, str(tmp_path), "diffusers") == str(tmp_path)
    for recorded, host in (("gone.safetensors", "diffusers"), ("", "diffusers"), ("world", "a1111")):
        with pytest.raises(PromptError, match="--model"):
            recorded_place(None, recorded, host)
