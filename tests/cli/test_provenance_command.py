"""`provenance`: told, checked, painted again."""

import json
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from negopt_core.cli import main
from negopt_core.world import world_dir

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (world_dir() / "model_index.json").is_file(),
        reason="the demo world's weights are not in negopt_core/assets/world",
    ),
]


def test_a_painted_picture_is_told_checked_and_painted_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["paint", "a photo of a red ball", "--policy", "rules", "--steps", "2", "--device", "cpu"]
    assert main([*line, "-o", str(tmp_path)]) == 0
    picture = tmp_path / "00000.png"
    capsys.readouterr()
    assert (
        main(["provenance", str(picture), "--replay", "--device", "cpu", "-o", str(tmp_path / "again"), "--json"]) == 0
    )
    values = json.loads(capsys.readouterr().out)
    assert [check["outcome"] for check in values["checks"]] == ["matches", "matches"]
    assert values["replay"]["identical"] and values["replay"]["same_weights"]
    assert str(tmp_path) not in json.dumps(values["provenance"])
    with Image.open(picture) as image:
        info = PngInfo()
        info.add_itxt("negopt", image.info["negopt"])
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "b.png", pnginfo=info)
    assert main(["provenance", str(tmp_path / "b.png")]) == 1
    assert "differs" in capsys.readouterr().out


def test_painted_again_with_other_weights_it_is_said_and_the_exit_code_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["paint", "a red ball", "--steps", "1", "--device", "cpu", "-o", str(tmp_path)]) == 0
    with Image.open(tmp_path / "00000.png") as image:
        info = PngInfo()
        info.add_itxt("negopt", json.dumps(json.loads(image.info["negopt"]) | {"model_hash": "0123456789abcdef"}))
        image.save(tmp_path / "b.png", pnginfo=info)
    capsys.readouterr()
    line = ["provenance", str(tmp_path / "b.png"), "--replay", "--device", "cpu", "-o", str(tmp_path / "again")]
    assert main(line) == 1
    (told,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("weights ")]
    assert "differ" in told and "0123456789abcdef" in told


def test_a_webuis_picture_needs_a_model_to_be_painted_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    info = PngInfo()
    info.add_text(
        "parameters",
        "a photo of a red ball\nSteps: 2, Sampler: Euler, CFG scale: 4, Seed: 1, Size: 64x64, "
        "Model hash: 6ce0161689",  # of another kind than negopt's
    )
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png", pnginfo=info)
    again = ["provenance", str(tmp_path / "a.png"), "--replay", "-o", str(tmp_path / "again"), "--device", "cpu"]
    assert main(again) == 2 and "--model" in capsys.readouterr().err
    assert not (tmp_path / "again").exists()
    assert main([*again, "--model", "world", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["replay"]
    assert not told["identical"] and told["same_weights"] is None and Path(told["image"]).is_file()


def test_what_is_no_picture_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "plain.png")
    assert main(["provenance", str(tmp_path / "plain.png")]) == 1
    assert "says nothing about where it comes from" in capsys.readouterr().err
