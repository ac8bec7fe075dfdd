"""One table says how each kind of model is painted; names, files, folders, painters and pipelines find their row."""

import json

import pytest
import torch

from negopt_core import ModelError, PromptPair
from negopt_core.errors import PromptError
from negopt_core.paint.base import PaintSettings
from negopt_core.paint.choice import choose, policy_name
from negopt_core.paint.comfy_server import ComfyPainter
from negopt_core.paint.defaults import TABLE, Defaults, defaults_for
from negopt_core.paint.diffusers_painter import DiffusersPainter, load_painter
from negopt_core.policy.loglinear.policy import family_named
from negopt_core.world import world_dir
from tests.published import checkpoints

SERVER = "http://127.0.0.1:8188"


def test_every_row_is_a_family_that_the_policy_negopt_knows():
    assert all(row.family == name for name, row in TABLE.items())
    assert {row.name for row in map(family_named, TABLE) if row} == set(TABLE) - {"world"}


def test_the_papers_and_the_makers_numbers():
    def told(name):
        row = TABLE[name]
        return row.pixels, row.steps, row.guidance_scale, row.sampler, row.clip_skip

    assert told("sd15") == (512, 25, 7.5, "model", 1)
    assert told("sd2") == (768, 25, 7.5, "model", 1)
    assert told("sdxl")[0] == 1024 and 5.0 <= TABLE["sdxl"].guidance_scale <= 7.0
    assert told("pony") == (1024, 25, 7.0, "euler-a", 2)
    assert told("world") == (64, 20, 2.5, "model", None)


def test_the_worlds_numbers_are_the_worlds_alone():
    others = [row for name, row in TABLE.items() if name != "world"]
    assert all(row.guidance_scale >= 5.0 and row.steps >= 25 for row in others)
    assert choose("world", world_steps=12).steps == 12
    assert choose(f"comfy:sd_xl_base_1.0.safetensors@{SERVER}", world_steps=12).steps == 30


@pytest.mark.parametrize(
    ("model", "family", "pixels"),
    [
        ("world", "world", 64),
        (str(world_dir()), "world", 64),
        (f"comfy:{SERVER}", "world", 64),
        (f"comfy:v1-5-pruned.safetensors@{SERVER}", "sd15", 512),
        (f"comfy:v2-1_768-ema-pruned.safetensors@{SERVER}", "sd2", 768),
        (f"comfy:sd_xl_base_1.0.safetensors@{SERVER}", "sdxl", 1024),
        (f"comfy:ponyDiffusionV6XL.safetensors@{SERVER}", "pony", 1024),
        ("hf:stable-diffusion-v1-5/stable-diffusion-v1-5", "sd15", None),
        ("hf:stabilityai/stable-diffusion-2-1@main", "sd2", None),
        ("hf:stabilityai/stable-diffusion-xl-base-1.0", "sdxl", None),
        ("hf:OnomaAIResearch/Illustrious-xl-early-release-v0", "illustrious", None),
        ("nothing/known", "sd15", 512),
    ],
)
def test_a_name_finds_its_row(model, family, pixels):
    found = defaults_for(model)
    assert (found.family, found.pixels) == (family, pixels)


def test_what_only_a_server_paints_has_its_familys_usual_guidance():
    assert defaults_for(f"comfy:flux1-dev.safetensors@{SERVER}").guidance_scale == 1.0
    assert defaults_for(f"comfy:sd3.5_large.safetensors@{SERVER}").guidance_scale == 4.0


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    home = tmp_path_factory.mktemp("files")
    checkpoints.sd15_file(home / "mymix.safetensors")
    checkpoints.sd15_file(home / "anything-v5.safetensors")
    checkpoints.sd21_file(home / "v.safetensors")
    checkpoints.sd21_file(home / "base.safetensors", predicts_v=False)
    checkpoints.sdxl_file(home / "epicrealism-xl.safetensors")
    checkpoints.sdxl_file(home / "ponyDiffusionV6XL.safetensors")
    return home


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "family", "pixels", "layers"),
    [
        ("mymix", "sd15", 512, None),
        ("anything-v5", "illustrious", 512, 1),  # an anime model on 1.5
        ("v", "sd2", 768, None),
        ("base", "sd2", 512, None),
        ("epicrealism-xl", "sdxl", 1024, None),  # a name of 1.5, an architecture of XL
        ("ponyDiffusionV6XL", "pony", 1024, None),  # clip skip 2 is what XL reads anyway
    ],
)
def test_a_file_is_what_its_tensors_say(files, name, family, pixels, layers):
    model = str(files / f"{name}.safetensors")
    found = defaults_for(model)
    assert (found.family, found.pixels, found.layers_left_out) == (family, pixels, layers)
    painter = load_painter(model, device="cpu")
    assert painter.settings == found.settings()
    assert defaults_for(painter) == found
    assert painter.describe()["height"] == pixels


def test_a_folder_is_what_its_configurations_say(tmp_path):
    checkpoints.sd15_folder(tmp_path / "model")
    assert defaults_for(str(tmp_path / "model")) == TABLE["sd15"]
    config = tmp_path / "model" / "unet" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"use_linear_projection": True, "sample_size": 96}))
    assert defaults_for(str(tmp_path / "model")) == TABLE["sd2"]
    config.write_text("{")
    assert defaults_for(str(tmp_path / "model")) == TABLE["sd15"]  # load_painter says what is wrong


def test_what_load_painter_refuses_is_refused(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="cut short"):
        defaults_for(str(tmp_path / "x.safetensors"))
    with pytest.raises(ModelError, match="there are no settings for int"):
        defaults_for(3)


def test_a_pipeline_without_settings_is_painted_as_its_kind(pipelines):
    expected = {"sd1": ("sd15", 7.5), "sd2": ("sd15", 7.5), "sdxl": ("sdxl", 5.0)}  # the tiny 2.x has 1.x's projections
    for kind, pipeline in pipelines.items():
        settings = DiffusersPainter(pipeline).settings
        row = defaults_for(pipeline)
        assert (row.family, settings.guidance_scale) == expected[kind]
        assert settings.height == settings.width == 16


def test_a_server_without_settings_is_asked_for_its_kind():
    settings = ComfyPainter([SERVER], "sd_xl_base_1.0.safetensors").settings
    assert (settings.width, settings.height, settings.guidance_scale) == (1024, 1024, 5.0)
    assert ComfyPainter([SERVER]).settings.steps == 20


def test_what_is_given_wins_and_is_checked():
    row = TABLE["pony"]
    settings = row.settings(steps=3, guidance_scale=None, width=512, batch_size=2)
    assert settings == PaintSettings(3, 7.0, 1024, 512, sampler="euler-a", batch_size=2)
    image = torch.zeros(3, 64, 64)
    assert row.settings(init_image=image).height is None
    with pytest.raises(PromptError, match="steps needs"):
        row.settings(steps=0)


def test_clip_skip_is_counted_as_hosts_count():
    assert [Defaults("x", "sd15", 512, 25, 7.5, clip_skip=skip).layers_left_out for skip in (None, 1, 2)] == [
        None,
        None,
        1,
    ]
    assert [Defaults("x", "sdxl", 512, 25, 7.5, clip_skip=skip).layers_left_out for skip in (2, 3)] == [None, 1]


def test_the_demo_world_paints_without_settings_what_it_paints_with_its_own():
    pair = PromptPair.plain("a red circle")
    told = load_painter(str(world_dir()), PaintSettings(20, 2.5), device="cpu").paint([pair], [1])
    assert torch.equal(load_painter(str(world_dir()), device="cpu").paint([pair], [1]), told)


def test_every_command_chooses_by_the_same_table():
    choice = choose(f"comfy:ponyDiffusionV6XL.safetensors@{SERVER}", cfg=4.0)
    assert (choice.steps, choice.cfg, choice.family) == (25, 4.0, "pony")
    settings = choice.settings(batch_size=2, width=None)
    assert settings == PaintSettings(25, 4.0, 1024, 1024, sampler="euler-a", batch_size=2)


@pytest.mark.parametrize(
    ("checkpoint", "rules"),
    [
        ("sd_xl_base_1.0", "rules:sdxl"),
        ("ponyDiffusionV6XL", "rules:pony"),
        ("noobaiXL", "rules:anime"),
        ("x", "rules:sd15"),
    ],
)
def test_rules_are_those_of_the_models_family(checkpoint, rules):
    assert policy_name("rules", choose(f"comfy:{checkpoint}.safetensors@{SERVER}")) == rules


def test_what_a_command_paints_with_comes_from_the_table_unless_it_is_said() -> None:
    pony = choose("comfy:ponyDiffusionV6XL.safetensors@http://127.0.0.1:1")
    made = pony.settings(sampler="model", height=None, width=None)
    assert (made.sampler, made.steps, made.guidance_scale, made.height) == ("euler-a", 25, 7.0, 1024)
    assert pony.settings(sampler="ddim", height=768, width=512).sampler == "ddim"
    assert choose("world").settings(sampler="model").height is None
