"""A folder of pictures becomes training pairs: real files as each program writes them, broken ones left out."""

import json
import logging
import random
import struct
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy
import pytest
from PIL import Image, features
from PIL.PngImagePlugin import PngInfo

from negopt_core.errors import OutputError, TrainingError
from negopt_core.lab.data.pairs import Pair
from negopt_core.lab.data.pictures import read_likes, read_pictures, read_sides
from negopt_core.provenance.picture_texts import COMFY_RECORD, read_texts
from negopt_core.provenance.record import write_picture
from negopt_core.text.prompt import Span, Window
from tests.fakes import records

PIXELS = numpy.zeros((8, 8, 3), dtype=numpy.uint8)
INFOTEXT = (
    "a cat <lora:add:1>, (8k:1.3),\nmisty\nNegative prompt: (ugly:1.2), [text::10]\n"
    'Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Lora hashes: "add: 1, b: 2", Version: v1.10.1'
)
GRAPH = json.dumps(
    {
        "1": {"class_type": "CLIPTextEncode", "inputs": {"text": "a dog, sharp"}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry"}},
        "3": {"class_type": "KSampler", "inputs": {"positive": ["1", 0], "negative": ["2", 0]}},
    }
)
RECORD = replace(
    records.RECORD,
    prompt="a ball",
    df_positive="a ball, [sharp:0-0.5:0.75]",
    positive="a ball, sharp",
    width=8,
    height=8,
)
LATE = Window(0.5, 1.0)


def png(path: Path, **chunks: str) -> None:
    info = PngInfo()
    for name, text in chunks.items():
        info.add_itxt(name, text)
    Image.fromarray(PIXELS).save(path, pnginfo=info)


def with_exif(path: Path, comment: bytes | None = None, **tags: str) -> None:
    """JPEG or WebP, by the name: an EXIF user comment as A1111 writes it, tags as ComfyUI writes them."""
    exif = Image.Exif()
    exif[0x0131] = "a program"
    if comment is not None:
        exif.get_ifd(0x8769)[0x9286] = comment
    for number, (name, text) in enumerate(tags.items()):
        exif[0x0110 - number] = f"{name}:{text}"
    Image.fromarray(PIXELS).save(path, exif=exif)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_picture(tmp_path / "a-negopt.png", PIXELS, RECORD)
    png(tmp_path / "b-a1111.png", parameters=INFOTEXT)
    png(tmp_path / "c-comfy.PNG", prompt=GRAPH, workflow="{}")
    (tmp_path / "deep").mkdir()
    with_exif(tmp_path / "deep" / "d.jpg", b"UNICODE\0" + INFOTEXT.encode("utf-16-be"))
    with_exif(tmp_path / "deep" / "e.webp", prompt=GRAPH, workflow="{}")
    return tmp_path


def test_each_program_is_read_in_its_own_words(folder: Path) -> None:
    a1111 = (Span("ugly", 1.2), Span("text", 1.0, Window(0.0, 0.55)))
    found = read_pictures(folder, "negative")
    assert found.pairs == (
        Pair("a ball", (Span("blurry", 1.0, LATE),)),
        Pair("a cat , 8k, misty", a1111),
        Pair("a dog, sharp", (Span("blurry"),)),
        Pair("a cat , 8k, misty", a1111),
        Pair("a dog, sharp", (Span("blurry"),)),
    )
    assert found.counts == {"pictures": 5, "not disliked": 5, "readable": 5}
    assert [pair.prompt for pair in read_pictures(folder, "modifiers").pairs[:3]] == ["a ball", "a cat", "a dog"]
    assert [pair.spans for pair in read_pictures(folder, "modifiers").pairs[:3]] == [
        (Span("sharp", 0.75, LATE),),
        (Span("8k", 1.3), Span("misty")),
        (Span("sharp"),),
    ]


def test_liked_pictures_weigh_more_and_disliked_ones_are_left_out(folder: Path) -> None:
    lines = [("b-a1111.png", -1), ("c-comfy.PNG", -1), ("c-comfy.PNG", 1), ("deep/d.jpg", -1), ("e.webp", 1)]
    text = "".join(json.dumps({"picture": name, "like": like}) + "\n" for name, like in lines)
    (folder / "likes.jsonl").write_text(f"{text}\n")
    found = read_pictures(folder, "negative", liked_weight=3.0)
    assert [(pair.prompt, pair.weight) for pair in found.pairs] == [
        ("a ball", 1.0),
        ("a dog, sharp", 3.0),
        ("a dog, sharp", 3.0),
    ]
    assert found.counts == {"pictures": 5, "not disliked": 3, "readable": 3}


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"picture": "a"}',
        '{"picture": "a", "like": true}',
        '{"picture": "a", "like": 5}',
        '{"picture": 1, "like": 1}',
    ],
)
def test_a_line_of_likes_that_means_nothing_is_named(line: str, tmp_path: Path) -> None:
    (tmp_path / "likes.jsonl").write_text(f'{{"picture": "a.png", "like": 1}}\n{line}\n')
    with pytest.raises(TrainingError, match="line 2"):
        read_likes(tmp_path / "likes.jsonl")
    with pytest.raises(TrainingError, match="no folder of pictures"):
        read_pictures(tmp_path / "nowhere", "negative")


def test_broken_files_are_counted_logged_and_left_out(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = (folder / "a-negopt.png").read_bytes()
    (folder / "empty.png").touch()
    (folder / "no.jpg").write_text("no picture")
    (folder / "folder.png").mkdir()
    (folder / "notes.txt").write_text("not looked at")
    png(folder / "silent.png")
    png(folder / "graph.png", prompt="{")
    png(folder / "record.png", negopt='{"prompt": 3, "df_positive": "", "df_negative": ""}')
    png(folder / "deep.png", negopt="[" * 100_000)
    png(folder / "text.png", parameters="just words")
    (folder / "cut.png").write_bytes(whole[:40])
    with caplog.at_level(logging.WARNING, "negopt"):
        found = read_pictures(folder, "negative")
    assert found.counts == {"pictures": 13, "not disliked": 13, "readable": 5} and len(found.pairs) == 5
    assert len(caplog.messages) == 8 and all(message.startswith("left out ") for message in caplog.messages)
    assert "holds no prompt" in next(message for message in caplog.messages if "silent" in message)


def test_damage_anywhere_in_a_file_is_never_more_than_a_picture_left_out(folder: Path) -> None:
    """Bytes changed and files cut at random places, for every kind of file."""
    rng = random.Random(5)
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        content = path.read_bytes()
        for _ in range(40):
            damaged = bytearray(content[: rng.randrange(len(content))] if rng.random() < 0.3 else content)
            for _ in range(rng.choice((1, 3, 20)) if damaged else 0):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            path.write_bytes(damaged)
            found = read_pictures(folder, "negative")
            assert len(found.pairs) == found.counts["readable"]
        path.write_bytes(content)


def test_the_most_exact_source_counts(tmp_path: Path) -> None:
    record = json.dumps({"prompt": "a ball", "df_positive": "a ball, 8k", "df_negative": "noisy"})
    png(tmp_path / "all.png", **{COMFY_RECORD: record}, parameters=INFOTEXT, prompt=GRAPH)
    assert read_sides(tmp_path / "all.png").negative.text == "noisy"
    png(tmp_path / "two.png", parameters=INFOTEXT, prompt=GRAPH)
    assert read_sides(tmp_path / "two.png").positive.text.startswith("a cat")
    png(tmp_path / "odd.png", parameters="something else", prompt=GRAPH)
    assert read_sides(tmp_path / "odd.png").negative.text.strip(",") == "blurry"


@pytest.mark.parametrize(
    "comment",
    [
        b"UNICODE\0" + INFOTEXT.encode("utf-16-be"),
        b"UNICODE\0" + INFOTEXT.encode("utf-16-le"),
        b"ASCII\0\0\0" + INFOTEXT.encode(),
        bytes(8) + INFOTEXT.encode(),
        INFOTEXT.encode(),
    ],
)
@pytest.mark.parametrize("ending", ["jpg", "webp", "png"])
def test_a_comment_is_read_in_whatever_encoding_it_has(comment: bytes, ending: str, tmp_path: Path) -> None:
    with_exif(tmp_path / f"a.{ending}", comment)
    assert read_texts(tmp_path / f"a.{ending}") == {"parameters": INFOTEXT}


def test_texts_behind_the_pixels_are_found(tmp_path: Path) -> None:
    """As tools write them that only append to a PNG."""
    png(tmp_path / "a.png", parameters=INFOTEXT)
    content = (tmp_path / "a.png").read_bytes()
    start = content.index(b"iTXt") - 4
    size = int.from_bytes(content[start : start + 4], "big") + 12
    chunk, end = content[start : start + size], content.index(b"IEND") - 4
    (tmp_path / "a.png").write_bytes(content[:start] + content[start + size : end] + chunk + content[end:])
    assert read_texts(tmp_path / "a.png")["parameters"] == INFOTEXT


def test_a_prompt_without_a_policy_is_split_at_its_first_comma(tmp_path: Path) -> None:
    own = replace(RECORD, prompt="a ball, [sharp:0-0.5:0.75]", df_positive="a ball, [sharp:0-0.5:0.75]")
    write_picture(tmp_path / "own.png", PIXELS, own)
    assert read_pictures(tmp_path, "modifiers").pairs == (Pair("a ball", (Span("sharp", 0.75, LATE),)),)


def test_a_picture_that_is_huge_by_its_header_is_left_out(tmp_path: Path) -> None:
    stream = BytesIO()
    Image.fromarray(PIXELS).save(stream, "PNG")
    content = bytearray(stream.getvalue())
    content[16:24] = (100_000).to_bytes(4, "big") * 2
    (tmp_path / "huge.png").write_bytes(content)
    with pytest.raises(OutputError):
        read_sides(tmp_path / "huge.png")


def test_a_picture_that_would_take_gigabytes_is_not_decoded_for_texts_behind_its_pixels(tmp_path: Path) -> None:
    """Pillow's own limit is 179 million pixels; this one claims 169 million and holds three rows."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 13_000, 13_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(3 * (3 * 13_000 + 1)))
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"tEXt", b"parameters\0x") + chunk(b"IEND", b"")
    path = tmp_path / "huge.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    assert read_texts(path) == {}  # decoding would have failed: most rows are missing
    with pytest.raises(OutputError, match="holds no prompt"):
        read_sides(path)


def said(path: Path) -> tuple[str, str]:
    sides = read_sides(path)
    return sides.positive.text.rstrip(", "), sides.negative.text.rstrip(", ")


COMMENTS = {
    "big endian": b"UNICODE\0" + INFOTEXT.encode("utf-16-be"),
    "little endian": b"UNICODE\0" + INFOTEXT.encode("utf-16-le"),
    "big endian, marked": b"UNICODE\0\xfe\xff" + INFOTEXT.encode("utf-16-be"),
    "little endian, marked": b"UNICODE\0\xff\xfe" + INFOTEXT.encode("utf-16-le"),
    "UTF-8 that calls itself Unicode": b"UNICODE\0" + INFOTEXT.encode(),
    "ASCII with zeros behind it": b"ASCII\0\0\0" + INFOTEXT.encode() + bytes(9),
    "no name": bytes(8) + INFOTEXT.encode(),
    "nothing in front": INFOTEXT.encode(),
}


@pytest.mark.parametrize("ending", ["jpg", "webp", "avif"])
@pytest.mark.parametrize("comment", COMMENTS.values(), ids=COMMENTS.keys())
def test_user_comments_are_read_however_they_are_spelled(tmp_path: Path, ending: str, comment: bytes) -> None:
    if ending == "avif" and not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    with_exif(tmp_path / f"a.{ending}", comment)
    assert said(tmp_path / f"a.{ending}") == ("a cat , 8k,\nmisty", "ugly, text")
    assert len(read_pictures(tmp_path, "negative").pairs) == 1


@pytest.mark.parametrize(
    ("sampler", "end"),
    [("Euler a", 0.55), ("DPM++ 2M Karras", 0.55), ("Heun", 0.275), ("DPM2 a", 0.275), ("DPM++ SDE Karras", 0.275)],
)
def test_steps_are_counted_as_the_sampler_of_the_picture_counts_them(tmp_path: Path, sampler: str, end: float) -> None:
    png(tmp_path / "a.png", parameters=INFOTEXT.replace("Euler a", sampler))
    (late,) = (span for span in read_sides(tmp_path / "a.png").negative.spans if "text" in span.text)
    assert late.window == Window(0.0, end)


def test_what_a_prompt_weighs_below_zero_is_unwanted(tmp_path: Path) -> None:
    told = "a street (people:-1), mountains\nNegative prompt: ugly, (fog:-0.5)\nSteps: 20, Sampler: Euler, Seed: 1"
    png(tmp_path / "a.png", parameters=told)
    assert said(tmp_path / "a.png") == ("a street, mountains, fog", "ugly, people")
    nodes = json.loads(GRAPH)
    nodes["1"]["inputs"]["text"], nodes["2"]["inputs"]["text"] = "a street (people:-1), mountains", "ugly, (fog:-0.5)"
    png(tmp_path / "b.png", prompt=json.dumps(nodes))
    assert said(tmp_path / "b.png") == ("a street, mountains, fog", "ugly, people")


def test_of_words_that_take_turns_a_pair_keeps_the_first_all_the_time(tmp_path: Path) -> None:
    told = "[cow|ox] in {sun|rain}\nNegative prompt: [ugly|bad], text\nSteps: 20, Sampler: Euler, Seed: 1"
    png(tmp_path / "a.png", parameters=told)
    assert read_pictures(tmp_path, "negative").pairs == (Pair("cow in sun", (Span("ugly"), Span("text"))),)
