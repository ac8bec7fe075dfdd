"""Painting from the command line on the shipped demo world: pictures say how they were made, and can be made again."""

import json
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
from PIL import Image

from negopt_core.cli import main
from negopt_core.provenance.record import write_picture
from negopt_core.world import world_dir
from tests.fakes.records import RECORD

needs_world = pytest.mark.skipif(
    not (world_dir() / "model_index.json").is_file(),
    reason="the demo world's weights are not in negopt_core/assets/world",
)
pytestmark = [pytest.mark.slow, needs_world]


def paint(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> dict[str, object]:
    assert main(["paint", *arguments, "--steps", "3", "-o", str(folder), "--json"]) == 0
    values: dict[str, object] = json.loads(capsys.readouterr().out)
    return values


def test_a_picture_carries_its_record_and_is_painted_again_bit_for_bit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompt = "a photo of a red ball, [vivid:0-0.5:1.25]"
    values = paint(capsys, tmp_path / "a", prompt, "--policy", "rules", "--seed", "5", "-n", "3", "--batch", "2")
    record = values["record"]
    assert isinstance(record, dict) and record["policy"] == "rules" and record["df_negative"]
    for name in ("00005.png", "00006.png", "00007.png"):
        assert main(["paint", "--from", str(tmp_path / "a" / name), "-o", str(tmp_path / "b")]) == 0
        first, second = Image.open(tmp_path / "a" / name), Image.open(tmp_path / "b" / name)
        assert first.tobytes() == second.tobytes()
        assert first.info["negopt"] == second.info["negopt"]
        assert "Negative prompt: " in first.info["parameters"]
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize(
    "flags",
    ["--seed 0", "-n 1", "--steps 4", "--cfg 1", "--sampler model", "--policy rules", "--negative x", "--size 8x8"],
)
def test_what_the_record_says_is_not_taken_from_flags_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: str
) -> None:
    assert main(["paint", "--from", str(tmp_path / "a.png"), *flags.split(), "-o", str(tmp_path / "b")]) == 2
    error = capsys.readouterr().err
    assert flags.split()[0] in error and "--from" in error


def test_painting_from_a_picture_records_it_and_asks_for_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paint(capsys, tmp_path, "a photo of a red ball")
    start = tmp_path / "00000.png"
    paint(capsys, tmp_path / "b", "a blue cube", "--img2img", str(start), "--strength", "0.7")
    again = ["paint", "--from", str(tmp_path / "b" / "00000.png"), "-o", str(tmp_path / "c")]
    assert main(again) == 2
    assert "--img2img" in capsys.readouterr().err
    assert main([*again, "--img2img", str(start)]) == 0
    first, second = (Image.open(tmp_path / folder / "00000.png") for folder in ("b", "c"))
    assert first.tobytes() == second.tobytes()


def test_an_output_that_cannot_be_written_is_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert main(["paint", "a red ball", "--steps", "1", "-o", str(blocked / "sub")]) == 1
    assert "cannot write" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_score_reads_the_prompt_from_the_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paint(capsys, tmp_path, "a photo of a red ball")
    assert main(["score", str(tmp_path / "00000.png"), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["prompt"] == "a photo of a red ball"
    assert 1 <= row["world-quality"] <= 10 and 0 <= row["world-alignment"] <= 1


def test_the_demo_worlds_judges_see_no_picture_of_another_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels = numpy.zeros((8, 8, 3), dtype=numpy.uint8)
    write_picture(tmp_path / "real.png", pixels, replace(RECORD, model="sd15.safetensors"))
    Image.new("RGB", (8, 8)).save(tmp_path / "plain.png")
    for words, said in (
        (["real.png"], "know nothing of other models"),
        (["real.png", "--scorers", "world-quality"], "know nothing of other models"),
        (["plain.png", "--prompt", "a ball"], "does not say what painted it"),
        (["missing.png", "--prompt", "a ball"], "missing.png"),
    ):
        assert main(["score", str(tmp_path / words[0]), *words[1:]]) in (1, 2)
        err = capsys.readouterr().err
        assert said in err and err.count("\n") == 1
    assert main(["score", str(tmp_path / "plain.png"), "--prompt", "a ball", "--scorers", "world-quality"]) == 0


def test_a_picture_without_a_record_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "plain.png")
    assert main(["paint", "--from", str(tmp_path / "plain.png")]) == 1
    assert "holds no negopt record" in capsys.readouterr().err


def test_the_demo_sheet_is_drawn_with_scores_for_every_arm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "-o", str(tmp_path), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert [arm["arm"] for arm in values["arms"]][:3] == ["no negative", "fixed negative", "rules"]
    with Image.open(values["sheet"]) as sheet:
        assert sheet.width > 800 and sheet.height > 800
