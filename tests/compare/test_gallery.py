"""Pictures are painted once, come back after any interruption, and are not trusted when they changed."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

from negopt_core.errors import ModelError, OutputError
from negopt_core.lab.compare.gallery import Gallery, in_batches
from negopt_core.lab.compare.scorebook import Scorebook
from negopt_core.paint.base import PaintSettings
from negopt_core.paint.comfy_client import Patience
from negopt_core.paint.comfy_server import ComfyPainter
from negopt_core.provenance.record import read_picture
from tests.fakes.gallery import AnyScorer, CountingPainter, open_gallery, orders


def test_nothing_is_painted_twice_and_records_say_what_it_is(tmp_path: Path) -> None:
    painter = CountingPainter()
    gallery = open_gallery(tmp_path, painter)
    keys = gallery.paint([*orders(3), *orders(2)], batch=2)
    assert len(painter.painted) == 3 and keys[:2] == keys[3:]
    again = CountingPainter()
    assert open_gallery(tmp_path, again).paint(orders(3), batch=2) == keys[:3] and not again.painted
    record = read_picture(gallery.path(keys[1]))
    assert (record.prompt, record.seed, record.model, record.model_hash) == ("a cat 1", 1, "fake", "weights")


def test_other_weights_settings_texts_and_seeds_are_other_pictures(tmp_path: Path) -> None:
    gallery, (order, other) = open_gallery(tmp_path), orders(2)
    key = gallery.key(order)
    assert open_gallery(tmp_path).key(order) == key
    assert key != open_gallery(tmp_path, CountingPainter(weights="others")).key(order)
    assert key != open_gallery(tmp_path, CountingPainter(steps=9)).key(order)
    assert key != gallery.key(orders(1, "blurry")[0]) and key != gallery.key(other)


def test_on_comfyui_size_clip_skip_and_checkpoint_decide_and_servers_do_not(tmp_path: Path) -> None:
    order = orders(1)[0]

    def key(address: str = "http://127.0.0.1:9", checkpoint: str = "sd.safetensors", **settings: Any) -> str:
        painter = ComfyPainter([address], checkpoint, PaintSettings(**settings), Patience(tries=1))
        model = f"comfy:{checkpoint}@{address}" if checkpoint else f"comfy:{address}"
        return Gallery(tmp_path, painter, model).key(order)

    assert key() == key(address="http://127.0.0.1:10") == key(width=512, height=512)
    others = [key(width=768), key(height=768), key(clip_skip=1), key(checkpoint="xl.safetensors"), key(checkpoint="")]
    assert len({key(), *others}) == 6


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        open_gallery(tmp_path, CountingPainter(stop_after=4)).paint(orders(10), batch=2)
    rest = CountingPainter()
    open_gallery(tmp_path, rest).paint(orders(10), batch=2)
    assert [seed for _, seed in rest.painted] == [4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("fault", ["cut", "garbage", "other pixels", "no record"])
def test_a_damaged_picture_is_painted_again_and_said(
    tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    gallery = open_gallery(tmp_path)
    path = gallery.path(gallery.paint(orders(2), batch=2)[1])
    whole = path.read_bytes()
    with Image.open(path) as image:
        image.load()
    if fault == "cut":
        path.write_bytes(whole[:-60])
    elif fault == "garbage":
        path.write_bytes(b"no picture")
    elif fault == "no record":
        image.save(path)
    else:
        pixels = numpy.asarray(image).copy()
        pixels[0, 0, 0] ^= 1
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("negopt", image.info["negopt"])
        Image.fromarray(pixels).save(path, pnginfo=info)
    painter = CountingPainter()
    with caplog.at_level(logging.WARNING, "negopt"):
        open_gallery(tmp_path, painter).paint(orders(2), batch=2)
    assert [seed for _, seed in painter.painted] == [1] and path.read_bytes() == whole
    assert "painting again" in caplog.text and path.name in caplog.text


def test_a_folder_that_cannot_be_written_stops_before_anything_is_painted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    painter = CountingPainter()
    with pytest.raises(OutputError, match="cannot write"):
        open_gallery(tmp_path / "file" / "below", painter).paint(orders(1), batch=1)
    assert not painter.painted


def test_scores_are_kept_and_a_cut_line_is_scored_again(tmp_path: Path) -> None:
    gallery = open_gallery(tmp_path)
    keys, prompts = gallery.paint(orders(5), batch=5), [order.prompt for order in orders(5)]
    first = AnyScorer()
    book = Scorebook(tmp_path, first, "weights 1")
    scores = book.score(gallery, keys, prompts, batch=2)
    assert first.seen == 5 and len(set(scores)) == 5
    book.path.write_bytes(book.path.read_bytes()[:-9])
    second = AnyScorer()
    assert Scorebook(tmp_path, second, "weights 1").score(gallery, keys, prompts) == scores and second.seen == 1
    book.path.write_text(book.path.read_text() + "{\n")
    third = AnyScorer()
    assert Scorebook(tmp_path, third, "weights 1").score(gallery, keys, prompts) == scores and third.seen == 0
    fourth = AnyScorer()
    Scorebook(tmp_path, fourth, "weights 2").score(gallery, [*keys, keys[0]], [*prompts, prompts[0]])
    assert fourth.seen == 5


def test_a_score_belongs_to_picture_and_prompt(tmp_path: Path) -> None:
    gallery = open_gallery(tmp_path)
    (key,) = gallery.paint(orders(1), batch=1)
    by_length = AnyScorer(lambda images, prompts: torch.tensor([float(len(prompt)) for prompt in prompts]))
    assert Scorebook(tmp_path, by_length, "x").score(gallery, [key, key], ["a", "abc"]) == [1.0, 3.0]


def test_nan_is_kept_as_nothing_and_stays_nan(tmp_path: Path) -> None:
    gallery = open_gallery(tmp_path)
    keys = gallery.paint(orders(2), batch=2)
    odd = AnyScorer(lambda images, prompts: torch.tensor([float("inf"), 1.0]))
    for _ in range(2):
        assert str(Scorebook(tmp_path, odd, "x").score(gallery, keys, ["a", "b"])) == "[nan, 1.0]"
    assert odd.seen == 2
    assert json.loads(next(tmp_path.glob("any-*.jsonl")).read_text().splitlines()[0])[1] is None


def test_a_scorer_with_a_wrong_count_is_an_error(tmp_path: Path) -> None:
    gallery = open_gallery(tmp_path)
    keys = gallery.paint(orders(2), batch=2)
    with pytest.raises(ModelError, match="shape"):
        Scorebook(tmp_path, AnyScorer(lambda images, prompts: torch.zeros(1)), "x").score(gallery, keys, ["a", "b"])


def test_pictures_of_any_size_and_mode_are_read_a_few_at_a_time(tmp_path: Path) -> None:
    kinds = [("RGB", (8, 8)), ("RGBA", (8, 8)), ("L", (8, 8)), ("P", (6, 4)), ("CMYK", (6, 4)), ("I;16", (6, 4))]
    paths = []
    for number, (mode, size) in enumerate(kinds):
        paths.append(tmp_path / f"{number}.{'jpg' if mode == 'CMYK' else 'png'}")
        Image.new(mode, size).save(paths[-1])
    found = [(places, tuple(images.shape)) for places, images in in_batches(paths, size=2)]
    assert found == [([0, 1], (2, 3, 8, 8)), ([2], (1, 3, 8, 8)), ([3, 4], (2, 3, 4, 6)), ([5], (1, 3, 4, 6))]
