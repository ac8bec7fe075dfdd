"""Painting from the command line with a tiny model built on the spot: needs no shipped weights."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from negopt_core.cli import main
from negopt_core.errors import PromptError
from negopt_core.scorers.table import refuse_toys
from tests.paint import tiny

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("model")
    tiny.sd1(root / "words").save_pretrained(root / "sd1")
    return str(root / "sd1")


def paint(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert main(["paint", *arguments, "--json"]) == code
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return json.loads(captured.out) if code == 0 else captured.err.splitlines()[-1]


def test_pictures_of_a_batch_are_painted_again_bit_for_bit(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompt = "a cat, [vivid:0-0.5:1.25]"
    plan = ["--model", model, "--steps", "2", "--seed", "5", "-n", "3", "--batch", "2", "--policy", "rules"]
    values = paint(capsys, prompt, *plan, "--negative", "[fog:0-0.5:1]", "-o", str(tmp_path / "a"))
    record = values["record"]
    assert [Path(path).name for path in values["images"]] == ["00005.png", "00006.png", "00007.png"]
    assert record["prompt"] == prompt and record["df_negative"].startswith("[fog:0-0.5:1], ")
    assert (record["policy"], len(record["policy_hash"]), record["steps"]) == ("rules", 64, 2)
    for path in values["images"]:
        (again,) = paint(capsys, "--from", path, "--model", model, "-o", str(tmp_path / "b"))["images"]
        with Image.open(path) as first, Image.open(again) as second:
            assert first.tobytes() == second.tobytes()
            assert first.info["negopt"] == second.info["negopt"]
            assert "Negative prompt: fog, " in first.info["parameters"]
    assert not list(tmp_path.rglob("*.partial"))


def test_nothing_painted_before_is_replaced(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = ["--model", model, "--steps", "1", "-o", str(tmp_path)]
    first = paint(capsys, "a cat", *plan)["images"]
    content = Path(first[0]).read_bytes()
    second = paint(capsys, "blurry", *plan)["images"]
    assert [Path(path).name for path in (*first, *second)] == ["00000.png", "00000-2.png"]
    assert Path(first[0]).read_bytes() == content != Path(second[0]).read_bytes()


def test_a_start_picture_is_asked_for_again_and_must_be_the_same(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start, other = tmp_path / "start.png", tmp_path / "other.png"
    Image.new("RGB", (16, 16), (200, 30, 30)).save(start)
    Image.new("RGB", (16, 16), (30, 30, 200)).save(other)
    plan = ["--model", model, "--steps", "4", "--strength", "0.5", "-o", str(tmp_path / "a")]
    (path,) = paint(capsys, "a cat", "--img2img", str(start), *plan)["images"]
    assert "--img2img" in paint(capsys, "--from", path, "--model", model, "-o", str(tmp_path), code=2)
    assert "is not the picture" in paint(
        capsys, "--from", path, "--model", model, "--img2img", str(other), "-o", str(tmp_path), code=2
    )
    (again,) = paint(capsys, "--from", path, "--model", model, "--img2img", str(start), "-o", str(tmp_path / "b"))[
        "images"
    ]
    with Image.open(path) as first, Image.open(again) as second:
        assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["a cat", "--batch", "0"], 2, "batch_size"),
        (["a cat", "--size", "17x16"], 2, "multiple"),
        (["a cat", "--sampler", "magic"], 2, "magic"),
        (["a cat", "--strength", "0.5"], 2, "initial image"),
        (["a cat", "--seed", "-1"], 2, "seed"),
        (["a cat", "--device", "abacus"], 1, "abacus"),
        (["a cat", "--img2img", "/no/such.png"], 1, "/no/such.png"),
    ],
)
def test_what_this_model_cannot_do_is_one_line_and_leaves_no_file(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    said = paint(capsys, *arguments, "--model", model, "--steps", "1", "-o", str(tmp_path / "x"), code=code)
    assert said.startswith("negopt: ") and says in said
    assert not list(tmp_path.iterdir())


def test_other_weights_under_the_same_name_are_noticed(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = paint(capsys, "a cat", "--model", model, "--steps", "1", "-o", str(tmp_path / "a"))["images"]
    with Image.open(path) as image:
        record = json.loads(image.info["negopt"])
    forged = tmp_path / "forged.png"
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("negopt", json.dumps({**record, "model_hash": "0" * 16}))
    Image.new("RGB", (16, 16)).save(forged, pnginfo=info)
    assert "put the same weights there" in paint(
        capsys, "--from", str(forged), "--model", model, "-o", str(tmp_path), code=1
    )


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        (["explain", "a cat", "--negative", "dark", "--seeds", "1", "-o", "OUT"], "--scorers"),
        (["suggest", "a cat", "--policy", "rules", "--best-of", "1", "--pictures", "1"], "--reward"),
        (["eval", "--prompts", "world:1", "--arm", "none", "-o", "OUT"], "--metrics"),
        (["train", "ppo", "--policy", "world-negative", "--prompts", "world", "--run", "OUT"], "--reward"),
    ],
)
def test_the_demo_worlds_judges_are_refused_with_another_model(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], flag: str
) -> None:
    line = [str(tmp_path / "out") if part == "OUT" else part for part in command]
    assert main([*line, "--model", model]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("negopt: world-") and flag in said and "--source" in said
    assert not list(tmp_path.rglob("*.png"))


@pytest.mark.parametrize(("count", "is_told"), [("3", True), ("1", False)])
def test_the_best_of_one_is_no_choice_and_said(capsys: pytest.CaptureFixture[str], count: str, is_told: bool) -> None:
    line = ["suggest", "a photo of a red ball", "--policy", "rules", "--best-of", count, "--pictures", "1"]
    assert main([*line, "--steps", "1"]) == 0
    told = capsys.readouterr().out
    assert ("wrote the same for every seed" in told and "--policy world-negative" in told) == is_told


def test_the_demo_worlds_judges_are_at_home_in_worlds(tmp_path: Path) -> None:
    names = ["world-quality", "clip"]
    for at_home in ("world", "comfy:http://a:1"):
        refuse_toys(at_home, names, "--reward")
    with pytest.raises(PromptError, match=r"^world-quality judge"):
        refuse_toys("comfy:sd.safetensors@http://a:1", names, "--reward")
    refuse_toys("hf:a/b", ["clip"], "--reward")
    (tmp_path / "judges").mkdir()
    refuse_toys(str(tmp_path), names, "--reward")
