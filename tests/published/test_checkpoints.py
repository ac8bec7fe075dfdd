"""Painting models as they are published open and paint; what is none of them is refused in a line."""

import diffusers
import pytest
import torch

from negopt_core import PromptPair
from negopt_core.paint.base import PaintSettings
from negopt_core.paint.diffusers_painter import DiffusersPainter, load_painter
from negopt_core.paint.weights import open_pipeline
from tests.published import checkpoints

pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")

SMALL = PaintSettings(steps=1, height=64, width=64)
PAIR = PromptPair.plain("a cat", "blurry")


@pytest.fixture(scope="module")
def sd15_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published") / "stable-diffusion-v1-5"
    checkpoints.sd15_folder(folder)
    return folder


def test_a_safety_checker_that_flags_everything_blackens_nothing(sd15_folder):
    painter = load_painter(str(sd15_folder), SMALL, device="cpu")
    assert float(painter.paint([PAIR], [1]).std()) > 0.0
    assert len(painter._files) == 3


def test_nor_in_a_pipeline_that_was_opened_with_it(sd15_folder):
    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(sd15_folder, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    flagged = pipeline("a cat", num_inference_steps=1, height=64, width=64, output_type="pt")
    assert flagged.nsfw_content_detected == [True] and float(flagged.images.std()) == 0.0  # what diffusers would do
    for settings in (SMALL, PaintSettings(steps=2, init_image=torch.rand(3, 64, 64), strength=0.5)):
        assert float(DiffusersPainter(pipeline, settings).paint([PAIR], [1]).std()) > 0.0
    assert pipeline.safety_checker is not None


def test_one_that_is_a_pickle_is_not_in_the_way(sd15_folder, tmp_path):
    folder = tmp_path / "old"
    checkpoints.sd15_folder(folder)
    checker = folder / "safety_checker" / "model.safetensors"
    checker.rename(folder / "safety_checker" / "pytorch_model.bin")
    load_painter(str(folder), SMALL, device="cpu")


def test_the_hub_is_not_asked_for_it(sd15_folder, monkeypatch):
    asked = {}
    monkeypatch.setattr(
        diffusers.DiffusionPipeline, "download", lambda name, **wanted: asked.update(wanted) or sd15_folder
    )
    open_pipeline("hf:stable-diffusion-v1-5/stable-diffusion-v1-5", torch.float32)
    assert asked["safety_checker"] is None
