"""The record in a picture, and files that appear whole or not at all."""

import json
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from negopt_core.errors import OutputError
from negopt_core.files import write_bytes, write_text
from negopt_core.provenance.infotext import parse_infotext
from negopt_core.provenance.picture_texts import RECORD as CHUNK
from negopt_core.provenance.picture_texts import hash_pixels
from negopt_core.provenance.record import infotext, read_picture, record_from_json, write_picture
from tests.fakes import records

RECORD = replace(
    records.RECORD,
    prompt="a cat \udc80 🐈",
    batch_seeds=(6, 7),
    modes=("negative",),
)
PIXELS = numpy.arange(24, dtype=numpy.uint8).reshape(2, 4, 3)


def test_a_record_survives_the_picture(tmp_path: Path) -> None:
    write_picture(tmp_path / "new" / "a.png", PIXELS, RECORD)
    assert read_picture(tmp_path / "new" / "a.png") == replace(RECORD, pixels_sha256=hash_pixels(PIXELS))
    assert (numpy.asarray(Image.open(tmp_path / "new" / "a.png")) == PIXELS).all()


def test_infotext_is_what_other_programs_read() -> None:
    assert infotext(RECORD).splitlines()[:2] == ["a cat", "Negative prompt: blurry"]
    assert infotext(RECORD).splitlines()[2].startswith("Steps: 20, Sampler: model, CFG scale: 4, Seed: 7, Size: 4x2")
    assert "Negative prompt" not in infotext(replace(RECORD, negative=""))


def test_infotext_is_read_back() -> None:
    for negative in ("blurry", "", "a\nb, Seed: 3"):
        info = parse_infotext(infotext(replace(RECORD, negative=negative)))
        assert (info.positive, info.negative) == (RECORD.positive, negative)
        assert info.settings["Steps"] == "20" and info.settings["Size"] == "4x2"
    info = parse_infotext('a\nb\nNegative prompt: c\nSteps: 5, Lora hashes: "x: 1, y: 2", Seed: 3\nTemplate: {a|b}')
    assert (info.positive, info.negative) == ("a\nb", "c")
    assert info.settings == {"Steps": "5", "Lora hashes": "x: 1, y: 2", "Seed": "3", "Template": "{a|b}"}
    for text in ("", "just words", "Steps to the castle"):
        with pytest.raises(OutputError, match="no A1111 text"):
            parse_infotext(text)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"schema": 99}', '{"schema": 1}', json.dumps(RECORD.to_json() | {"seed": "x"}), json.dumps(None)],
)
def test_a_damaged_record_is_one_clear_error(tmp_path: Path, text: str) -> None:
    info = PngInfo()
    info.add_itxt(CHUNK, text)
    Image.fromarray(PIXELS).save(tmp_path / "a.png", pnginfo=info)
    with pytest.raises(OutputError, match="record"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize(
    "change",
    [
        {"cfg": "4"}, {"cfg": 1e400}, {"steps": True}, {"steps": 0}, {"width": 10**6, "height": 10**6},
        {"batch_seeds": 5}, {"batch_seeds": []}, {"batch_seeds": ["7"]}, {"batch_seeds": [1] * 5000}, {"modes": [1]},
        {"libraries": {"a": 1}}, {"strength": "x"}, {"model": None}, {"seed": 2**80}, {"sampler": {}},
    ],
)  # fmt: skip
def test_a_record_of_wrong_values_is_named(change: dict[str, object]) -> None:
    with pytest.raises(OutputError, match="it cannot be painted again") as caught:
        record_from_json(RECORD.to_json() | change)
    assert len(str(caught.value)) < 200


def test_a_newer_record_with_more_fields_is_read() -> None:
    assert record_from_json(RECORD.to_json() | {"mood": "good"}) == RECORD


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    for path in (tmp_path / "a.png", tmp_path / "missing.png", tmp_path):
        with pytest.raises(OutputError, match="cannot read"):
            read_picture(path)


def test_files_are_replaced_whole_and_a_failure_leaves_nothing(tmp_path: Path) -> None:
    write_text(tmp_path / "deep" / "a.txt", "one")
    write_text(tmp_path / "deep" / "a.txt", "two")
    assert (tmp_path / "deep" / "a.txt").read_text() == "two"
    with pytest.raises(OutputError, match="cannot write"):
        write_bytes(tmp_path / "deep" / "a.txt" / "below", b"")
    with pytest.raises(OutputError, match="cannot write"):
        write_bytes(tmp_path / "deep", b"")  # a folder stands there
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.txt"]
