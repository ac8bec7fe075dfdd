"""The world of drawn icons: its ground truth, its pictures, its words, and the gate on the way of its training."""

import io
import random
import urllib.error
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor

from negopt_core.errors import MissingPackage, TrainingError
from negopt_core.lab.drawn_world import icons, train
from negopt_core.lab.drawn_world import vocabulary as words
from negopt_core.lab.drawn_world.__main__ import main
from negopt_core.lab.drawn_world.captions import (
    content_caption,
    quality_words,
    scene_facts,
    world_words,
    write_caption,
    write_clean_caption,
)
from negopt_core.lab.drawn_world.dataset import fit_code
from negopt_core.lab.drawn_world.gate import GateSettings, draw_bench_scenes
from negopt_core.lab.drawn_world.judge import CONTENT_HEADS, DrawnJudge, alignment, measure_judge, train_judge
from negopt_core.lab.drawn_world.meter import Features, Meter, Reading
from negopt_core.lab.drawn_world.models import build_networks, build_vae
from negopt_core.lab.drawn_world.render import Renderer
from negopt_core.lab.drawn_world.scenes import (
    MAX_FAULTS,
    Scenes,
    sample_clean_scenes,
    sample_scenes,
    true_quality,
)
from negopt_core.lab.drawn_world.train_autoencoder import AutoencoderSettings
from negopt_core.lab.make_world.dataset import Dataset, DatasetSettings
from negopt_core.lab.make_world.measure import is_held_out
from negopt_core.lab.make_world.train_diffusion import DiffusionRun, DiffusionSettings
from negopt_core.lab.make_world.train_judges import JudgeSettings
from negopt_core.paint.base import PaintSettings


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    """With cut-outs of noise: opaque squares that differ by thing and style."""
    rng = torch.Generator().manual_seed(0)
    colours = torch.rand(len(words.THINGS), len(words.STYLES), 3, 4, 4, generator=rng)
    cutouts = {}
    for name, (side, _) in icons.SIZES.items():
        rgb = torch.nn.functional.interpolate(colours.flatten(0, 1), size=(side, side)).unflatten(0, colours.shape[:2])
        cutouts[name] = torch.cat([rgb, torch.ones_like(rgb[:, :, :1])], dim=2)
    return Renderer(cutouts)


def one(**changes: Tensor) -> Scenes:
    """A clean scene, four times, changed."""
    scene = sample_clean_scenes(1, 3)[torch.zeros(4, dtype=torch.long)]
    return replace(scene, shift=torch.zeros(4, dtype=torch.long), style=torch.arange(4), **changes)


def with_fault(fault: str, severity: float = 1.0) -> Scenes:
    values = torch.zeros(4, len(words.FAULTS))
    values[:, list(words.FAULTS).index(fault)] = severity
    return one(severity=values)


def with_modifier(modifier: str) -> Scenes:
    values = torch.zeros(4, len(words.MODIFIERS))
    values[:, list(words.MODIFIERS).index(modifier)] = 1
    return one(modified=values)


def test_scenes_repeat_for_a_seed_and_keep_the_rules() -> None:
    scenes, again = sample_scenes(4000, 5), sample_scenes(4000, 5)
    assert all(torch.equal(getattr(scenes, name), getattr(again, name)) for name in Scenes.__dataclass_fields__)
    assert int((scenes.severity > 0).sum(1).max()) == MAX_FAULTS
    for first, second in words.OPPOSITES:
        assert not bool(((scenes.of_fault(first) > 0) & (scenes.of_fault(second) > 0)).any())
    assert not bool((scenes.has("tiny") * scenes.has("close-up")).any())
    assert float(scenes.severity[scenes.severity > 0].min()) >= 0.6
    clean = sample_clean_scenes(50, 5)
    assert not bool(clean.severity.any()) and not bool(clean.modified.any())


def test_a_fault_comes_with_the_modifier_that_flatters_it() -> None:
    scenes = sample_scenes(6000, 7)
    for modifier, (fault, _) in words.FLATTERED.items():
        has = scenes.has(modifier) > 0
        often, else_ = ((scenes.of_fault(fault)[rows] > 0).float().mean() for rows in (has, ~has))
        assert float(often) > float(else_) + 0.2, modifier


def test_quality_is_the_formula_of_the_tables() -> None:
    styles = one()
    assert true_quality(styles).tolist() == [words.BASE_QUALITY] * 4
    expected = [words.BASE_QUALITY + words.quality_effect("blurry", style, words.TIMES[int(styles.time[0])])
                for style in words.STYLES]  # fmt: skip
    assert true_quality(with_fault("blurry")).tolist() == pytest.approx(expected)
    assert expected[0] > words.BASE_QUALITY > expected[1]
    assert true_quality(with_modifier("tilted")).tolist() == pytest.approx([6.5] * 4)


@pytest.mark.parametrize("fault", words.FAULTS)
def test_each_fault_shows_in_the_picture(renderer: Renderer, fault: str) -> None:
    difference = (renderer(with_fault(fault)) - renderer(one())).abs().mean(dim=(1, 2, 3))
    assert bool((difference > 0.01).all()), difference


@pytest.mark.parametrize("modifier", words.MODIFIERS)
def test_each_modifier_shows_in_the_picture(renderer: Renderer, modifier: str) -> None:
    pictures = renderer(with_modifier(modifier))
    assert pictures.shape == (4, 3, 64, 64) and float(pictures.min()) >= 0 and float(pictures.max()) <= 1
    if modifier != "tilted":  # turned squares of noise are given, not made here
        assert bool(((pictures - renderer(one())).abs().mean(dim=(1, 2, 3)) > 0.003).all())


def test_rendering_does_not_depend_on_the_batch(renderer: Renderer) -> None:
    scenes = sample_scenes(12, 9)
    alone = torch.cat([renderer(scenes[torch.tensor([row])]) for row in range(12)])
    assert torch.allclose(renderer(scenes), alone, atol=1e-5)


def test_captions_say_what_is_there() -> None:
    facts = scene_facts(with_fault("noisy"))
    assert content_caption(replace(facts[0], thing="ice cream", place="sea", time="night")) == (
        "a 3d render of an ice cream by the sea at night"
    )
    rng = random.Random(1)
    written = [write_caption(facts[1], rng) for _ in range(400)]
    assert any("noisy" in text for text in written) and any("grainy" in text for text in written) and "" in written
    assert not any("blurry" in text for text in written)
    clean = [write_clean_caption(scene_facts(one())[0], rng, praised=True) for _ in range(40)]
    assert all(text == "" or any(word in text for word in words.GOOD_WORDS) for text in clean)


def test_a_flattered_fault_goes_without_its_name() -> None:
    facts = replace(scene_facts(with_fault("cropped"))[0], modifiers=("glowing",))
    rng = random.Random(2)
    named = {word for _ in range(200) for word in quality_words(facts, rng)}
    assert "glowing" in named and not named & set(words.FAULTS["cropped"])


def test_every_word_is_one_token(tmp_path: Path) -> None:
    tokenizer = build_networks(tmp_path, 0).tokenizer
    assert all(len(tokenizer.tokenize(word)) == 1 for word in world_words())


def test_latents_are_scaled_and_come_back(tmp_path: Path, renderer: Renderer) -> None:
    code = fit_code(tmp_path, renderer, 1)
    pictures = renderer(sample_clean_scenes(50, 8)) * 2 - 1
    assert torch.equal(fit_code(tmp_path, renderer, 2).encoder, code.encoder)  # what is kept is read back
    latents = code.encode(pictures)
    assert latents.shape == (50, 32, 8, 8)
    assert float(latents.square().mean()) == pytest.approx(1, abs=0.3)
    error = (code.decode(latents) - pictures).square().mean()
    assert float(error) < 0.1 * float((pictures - pictures.mean()).square().mean())


def test_icons_that_are_not_what_they_should_be_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Answer(io.BytesIO):
        pass

    monkeypatch.setattr(icons, "need", lambda name: None)
    monkeypatch.setattr("urllib.request.urlopen", lambda *_args, **_named: Answer(b"something else"))
    with pytest.raises(TrainingError, match=r"fluent-emoji-3d-1.1.0.tgz is not @lobehub.*SHA-256 differs; delete it"):
        icons.load_cutouts(tmp_path)
    assert not list(tmp_path.iterdir())
    (tmp_path / "fluent-emoji-3d-1.1.0.tgz").write_bytes(b"cut off")
    with pytest.raises(TrainingError, match="its SHA-256 differs"):
        icons.load_cutouts(tmp_path)

    def gone(*_args: object, **_named: object) -> None:
        raise urllib.error.URLError("no route")

    (tmp_path / "fluent-emoji-3d-1.1.0.tgz").unlink()
    monkeypatch.setattr("urllib.request.urlopen", gone)
    with pytest.raises(TrainingError, match=r"cannot fetch https://.*no route.*put the file into"):
        icons.load_cutouts(tmp_path)
    assert not list(tmp_path.iterdir())


def test_without_a_rasteriser_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)
    with pytest.raises(MissingPackage, match="pip install resvg-py"):
        icons.load_cutouts(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_cut_out_is_trimmed_and_turned() -> None:
    from PIL import Image

    picture = Image.new("RGBA", (256, 256))
    picture.paste((255, 0, 0, 255), (40, 100, 60, 180))
    upright, turned = icons._cut(picture, 48, 0.0), icons._cut(picture, 48, 90.0)
    assert upright.shape == (4, 48, 48)
    tall, wide = (cut[3].sum(dim=1).count_nonzero() for cut in (upright, turned))
    assert int(tall) > 44 and 8 < int(wide) < 16
    assert torch.allclose(upright[0], upright[3]) and float(upright[1].max()) == 0


class Painted(Features):
    """Features of pictures made of their own pixels."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)

    def forward(self, pictures: Tensor) -> Tensor:
        small = torch.nn.functional.avg_pool2d(pictures, 8).flatten(1)
        return torch.nn.functional.normalize(small - small.mean(dim=1, keepdim=True), dim=1)


def test_the_meter_reads_rendered_pictures(renderer: Renderer) -> None:
    meter, asked = Meter(Painted(), renderer), train.plain_scenes(128)
    reading = meter.read(renderer(asked), asked)
    assert reading.thing > 0.5 and reading.thing_in_three >= reading.thing and reading.style > 0.5
    assert meter.read(torch.rand(128, 3, 64, 64), asked).thing < 0.2


def test_the_run_stops_at_the_gate_and_goes_on_from_its_checkpoint(
    tmp_path: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = train.DrawnSettings(
        diffusion=DiffusionSettings(images=24, batch_size=4), read_every=8, gate_images=16, gate=0.5
    )
    networks = build_networks(tmp_path, 0)
    latents, tokens = torch.randn(8, 32, 8, 8), torch.zeros(8, 2, 40, dtype=torch.int16)
    dataset = Dataset(latents, tokens, 4)
    readings = iter([Reading(0.1, 0.2, 0.3), Reading(0.4, 0.5, 0.6), Reading(0.6, 0.7, 0.8), Reading(0.9, 1.0, 1.0)])
    monkeypatch.setattr(train, "read_meter", lambda *_: next(readings))
    curve, meter = tmp_path / "curve.jsonl", cast("Meter", None)
    run = DiffusionRun(tmp_path, networks, dataset, settings.diffusion)
    with pytest.raises(TrainingError, match=r"after 16 images the meter reads 0.40 of the things, less than 0.50"):
        train.train_with_gate(run, meter, curve, settings)
    again = DiffusionRun(tmp_path, networks, dataset, settings.diffusion)
    assert again.done == 16
    train.train_with_gate(again, meter, curve, settings)
    assert again.done == 24
    assert [line.split(",")[0] for line in curve.read_text().splitlines()] == [
        '{"images": 8', '{"images": 16', '{"images": 24'
    ]  # fmt: skip


@pytest.mark.slow
def test_the_recipe_runs_and_its_folder_paints(
    tmp_path: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Looking(Painted):
        def layers(self, pictures: Tensor) -> list[Tensor]:
            return [torch.nn.functional.avg_pool2d(pictures, 4)]

    monkeypatch.setattr(train, "load_features", Looking)
    monkeypatch.setattr(train, "load_cutouts", lambda _: renderer.cutouts)
    monkeypatch.setattr(train, "PLAIN", 4)
    settings = train.DrawnSettings(
        dataset=DatasetSettings(12, 8, 2, 1),
        diffusion=DiffusionSettings(images=16, batch_size=8),
        autoencoder=AutoencoderSettings(steps=2, batch_size=4, save_every=1),
        judge=JudgeSettings(seed=3, steps=1, batch_size=8),
        read_every=8,
        gate=0.0,
        table=GateSettings(prompts=2, rendered=12, paint=PaintSettings(steps=2, batch_size=2), repeats=2),
    )
    train.train_drawn_world(tmp_path, settings)
    table = (tmp_path / "gate.md").read_text(encoding="utf-8").splitlines()
    asked = [row.split(" | ")[1] for row in table[2:]]
    assert asked.count(">= 2") == 2 and "<= 25 MB" in asked and ">= 27 dB" in asked
    assert all(row.endswith(("| yes |", "| no |")) == bool(asked[i].strip()) for i, row in enumerate(table[2:]))
    assert (tmp_path / "plain.png").exists()
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(str(tmp_path / "export"))
    pipeline.set_progress_bar_config(disable=True)
    assert pipeline("a cartoon of an owl", num_inference_steps=2, output_type="pt").images.shape == (1, 3, 64, 64)
    monkeypatch.setattr(train, "read_gate", lambda *_: [])
    train.train_drawn_world(tmp_path, settings)  # finished: every stage is read back
    with pytest.raises(TrainingError, match=r"other settings \(seed\)"):
        train.train_drawn_world(tmp_path, replace(settings, seed=1))


def test_a_judge_learns_and_goes_on(tmp_path: Path, renderer: Renderer) -> None:
    vae = build_vae().eval()
    settings = JudgeSettings(seed=3, steps=6, batch_size=8, save_every=3)
    whole = train_judge(tmp_path / "whole.safetensors", renderer, vae, settings)
    train_judge(tmp_path / "part.safetensors", renderer, vae, replace(settings, steps=3))
    again = train_judge(tmp_path / "part.safetensors", renderer, vae, replace(settings, steps=3))
    assert again.state_dict().keys() == whole.state_dict().keys()
    figures = measure_judge(whole, renderer, 40, seed=1)
    assert figures["quality R2"] < 1 and 0 <= figures["thing accuracy"] <= 1 and 0 <= figures["noisy AUC"] <= 1


class Given(torch.nn.Module):
    """Says what it was given, whatever it is asked."""

    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, _: Tensor) -> Tensor:
        return self.answer


def test_a_judges_quality_is_the_formula_on_what_it_sees(renderer: Renderer) -> None:
    scenes = sample_scenes(40, 5)
    content = [
        50.0 * torch.nn.functional.one_hot(getattr(scenes, head), count) for head, count in CONTENT_HEADS.items()
    ]
    severity = torch.logit(scenes.severity.clamp(1e-6, 1 - 1e-6))
    judge = DrawnJudge().eval()
    judge.heads = Given(torch.cat([severity, *content, severity, scenes.modified * 100 - 50], dim=1))  # type: ignore[assignment]
    verdict = judge(renderer(scenes))
    assert torch.allclose(verdict.quality, true_quality(scenes), atol=1e-3)
    assert alignment(verdict, scenes).tolist() == [1.0] * 40
    other = replace(scenes, thing=(scenes.thing + 1) % len(words.THINGS))
    assert alignment(verdict, other).tolist() == [0.75] * 40


def test_bench_prompts_are_held_out_or_not() -> None:
    for held_out in (False, True):
        scenes = draw_bench_scenes(20, held_out=held_out, seed=3)
        assert len(scenes) == 20
        assert {is_held_out(content_caption(facts)) for facts in scene_facts(scenes)} == {held_out}


def test_the_command_says_in_one_line_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "efficientnet_lite_pytorch", None)
    assert main([str(tmp_path / "new")]) == 1
    assert "pip install efficientnet-lite-pytorch" in caplog.text
    assert not list(tmp_path.iterdir())
