"""Loading painters from folders and files, and refusing what is missing, broken or pickled."""

from __future__ import annotations

import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from negopt_core import ModelError, PromptPair
from negopt_core.paint.base import PaintSettings
from negopt_core.paint.diffusers_painter import DiffusersPainter, load_painter
from negopt_core.paint.open import open_painter
from negopt_core.paint.placement import OFFLOADS, place
from negopt_core.paint.weights import open_pipeline
from tests.paint.single_file import write_single_file

SETTINGS = PaintSettings(steps=2)
PAIR = PromptPair.plain("a cat", "blurry")
PARTS = {"sd1": 3, "sd2": 3, "sdxl": 4}


@pytest.fixture(scope="session")
def folders(pipelines, tmp_path_factory):
    root = tmp_path_factory.mktemp("saved")
    for kind, pipeline in pipelines.items():
        pipeline.save_pretrained(root / kind, safe_serialization=True)
    return root


@pytest.fixture
def folder(folders, tmp_path):
    """A copy to break."""
    return shutil.copytree(folders / "sd1", tmp_path / "sd1")


def copy_weights(pipeline):
    """To memory of their own: where a file is mapped they lie as in the file, and some processors round by that."""
    for part in pipeline.components.values():
        for parameter in getattr(part, "parameters", list)():
            parameter.data = parameter.data.clone()


@pytest.mark.parametrize("kind", ["sd1", "sd2", "sdxl"])
def test_a_saved_folder_paints_what_the_pipeline_in_memory_paints(folders, pipelines, kind):
    painter = load_painter(str(folders / kind), SETTINGS, device="cpu")
    copy_weights(painter._pipeline)
    assert torch.equal(painter.paint([PAIR], [1]), DiffusersPainter(pipelines[kind], SETTINGS).paint([PAIR], [1]))
    assert painter.describe()["source"] == str(folders / kind)
    assert len(painter._files) == PARTS[kind]


def test_the_hash_is_over_the_weight_files_and_not_their_place(folders, folder):
    def fingerprint(place):
        return load_painter(str(place), SETTINGS, device="cpu").model_hash()

    first = fingerprint(folders / "sd1")
    assert len(first) == 16
    assert first == fingerprint(folder)
    (path,) = (folder / "vae").glob("*.safetensors")
    tensors = load_file(path)
    tensors["encoder.conv_in.bias"] += 1.0
    save_file(tensors, path, metadata={"format": "pt"})
    assert first != fingerprint(folder)


def test_the_dtype_is_what_was_asked_for(folders):
    told = load_painter(str(folders / "sd1"), SETTINGS, device="cpu", dtype=torch.bfloat16).describe()
    assert told["dtype"] == "bfloat16"
    assert open_painter(str(folders / "sd1"), SETTINGS, device="cpu", dtype="bfloat16").describe() == told
    assert open_painter(str(folders / "sd1"), SETTINGS, device="cpu").describe()["dtype"] == "float32"
    with pytest.raises(ModelError, match="'half'; use one of float32"):
        open_painter(str(folders / "sd1"), SETTINGS, device="cpu", dtype="half")


def test_half_precision_weights_are_painted_in_single_precision_on_a_cpu(folders, tmp_path):
    half = load_painter(str(folders / "sd1"), SETTINGS, device="cpu", dtype=torch.float16)
    half._pipeline.save_pretrained(tmp_path / "half")
    painter = load_painter(str(tmp_path / "half"), SETTINGS, device="cpu")
    kinds = {part.dtype for part in painter._pipeline.components.values() if hasattr(part, "dtype")}
    assert kinds == {torch.float32}
    painter.paint([PAIR], [1])


def test_a_folder_with_only_pickled_weights_is_refused_before_loading(folder):
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(ModelError, match=r"diffusion_pytorch_model\.bin is a pickle.*convert it to \.safetensors"):
        load_painter(str(folder), SETTINGS, device="cpu")


@pytest.mark.parametrize("suffix", [".ckpt", ".pt", ".pth", ".bin"])
def test_a_pickled_file_is_refused_whether_or_not_it_is_there(tmp_path, suffix):
    with pytest.raises(ModelError, match="is a pickle"):
        load_painter(str(tmp_path / f"model{suffix}"), SETTINGS)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("unet/diffusion_pytorch_model.safetensors", b"", "cannot be loaded"),
        ("unet/diffusion_pytorch_model.safetensors", b"x" * 100, "cannot be loaded"),
        ("unet/diffusion_pytorch_model.safetensors", None, "cannot be loaded"),
        ("unet/config.json", b"{", "cannot be loaded"),
        ("unet/config.json", b"{}", "cannot be loaded"),
        ("text_encoder/model.safetensors", b"\x00" * 8, "cannot be loaded"),
        ("scheduler/scheduler_config.json", None, "cannot be loaded"),
        ("model_index.json", None, "holds no model_index.json"),
        ("model_index.json", b"[]", "holds no JSON object"),
        ("model_index.json", b"\xff", "cannot be read"),
        ("model_index.json", b'{"_class_name": "KandinskyPipeline"}', "holds a KandinskyPipeline; negopt paints with"),
        ("model_index.json", b'{"_class_name": ["my.py", "Trojan"]}', "negopt paints with"),
    ],
)
def test_a_broken_folder_is_one_clear_error(folder, name, content, message):
    path = folder / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        load_painter(str(folder), SETTINGS, device="cpu")
    assert "\n" not in str(caught.value)


def test_weights_of_another_shape_are_refused(folder):
    config = folder / "unet" / "config.json"
    config.write_text(config.read_text().replace('"cross_attention_dim": 16', '"cross_attention_dim": 24'))
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_painter(str(folder), SETTINGS, device="cpu")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("nowhere/at/all", "there is no model at 'nowhere/at/all'"),
        ("", "there is no model at ''"),
    ],
)
def test_a_missing_model_is_one_clear_error(model, message):
    with pytest.raises(ModelError, match=message):
        load_painter(model, SETTINGS)


def test_a_single_file_without_a_folder_must_be_a_whole_checkpoint(folder, tmp_path):
    alone = shutil.copy(folder / "unet" / "diffusion_pytorch_model.safetensors", tmp_path / "alone.safetensors")
    with pytest.raises(ModelError, match="is a UNet alone"):
        load_painter(str(alone), SETTINGS)
    with pytest.raises(ModelError, match=r"there is no model_index\.json in .*nowhere"):
        load_painter(str(alone), SETTINGS, config=str(tmp_path / "nowhere"))
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(b"\x10\x00")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_painter(str(torn), SETTINGS)
    (tmp_path / "text.txt").write_text("hello")
    with pytest.raises(ModelError, match=r"is no \.safetensors file"):
        load_painter(str(tmp_path / "text.txt"), SETTINGS)


def test_an_unknown_device_is_refused(folders):
    with pytest.raises(ModelError, match="no device is called 'toaster'"):
        load_painter(str(folders / "sd1"), SETTINGS, device="toaster")


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("unet", "conv_norm_out.weight"),
        ("vae", "decoder.conv_in.bias"),
        ("text_encoder", "encoder.layers.0.layer_norm1.weight"),
    ],
)
def test_weights_that_lack_a_tensor_are_refused(folder, part, name):
    (path,) = (folder / part).glob("*.safetensors")
    tensors = load_file(path)
    (key,) = [key for key in tensors if key.endswith(name)]
    del tensors[key]
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=rf"lacks 1 weights, the first is {part}\..*{name}"):
        load_painter(str(folder), SETTINGS, device="cpu")


@pytest.mark.parametrize("offload", [True, "layers", "model"])
def test_offload_to_the_cpu_is_refused(folders, offload):
    with pytest.raises(ModelError, match="offload moves weights to a GPU"):
        load_painter(str(folders / "sd1"), SETTINGS, device="cpu", offload=offload)


def test_an_unknown_way_to_save_memory_is_refused(folders):
    with pytest.raises(ModelError, match="called 'most'; use one of none, vae, tiles, model, layers"):
        open_painter(str(folders / "sd1"), SETTINGS, offload="most")


@pytest.mark.parametrize("kind", ["sd1", "sdxl"])
@pytest.mark.parametrize("offload", [one for one in OFFLOADS if one != "layers"])
def test_what_saves_memory_changes_no_picture(folders, kind, offload):
    """With the CPU in the place of the GPU; accelerate cannot move single layers from there to there."""
    expected = load_painter(str(folders / kind), SETTINGS, device="cpu").paint([PAIR] * 2, [1, 2])
    pipeline, files = open_pipeline(str(folders / kind), torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    place(pipeline, torch.device("cpu"), offload)
    painter = DiffusersPainter(pipeline, SETTINGS, files=files)
    assert pipeline.vae.use_slicing == (offload != "none")
    for _ in range(2):
        assert torch.allclose(painter.paint([PAIR] * 2, [1, 2]), expected, atol=1e-5)
    assert painter.model_hash() == load_painter(str(folders / kind), SETTINGS, device="cpu").model_hash()


def test_memory_of_the_vae_can_be_saved_on_any_device(folders):
    for offload in ("vae", "tiles"):
        assert load_painter(str(folders / "sd1"), SETTINGS, device="cpu", offload=offload)._pipeline.vae.use_slicing


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
@pytest.mark.parametrize("offload", [False, True])
def test_a_gpu_that_is_not_there_is_one_clear_error(folders, offload):
    with pytest.raises(ModelError, match="cannot be put on cuda"):
        load_painter(str(folders / "sd1"), SETTINGS, device="cuda", dtype=torch.float32, offload=offload)


def test_a_single_file_with_the_folder_of_its_name_beside_it_paints_the_same_picture(folders, pipelines, tmp_path):
    write_single_file(pipelines["sd1"], tmp_path / "model.safetensors")
    without_weights = shutil.ignore_patterns("*.safetensors")
    shutil.copytree(folders / "sd1", tmp_path / "model", ignore=without_weights)
    file = str(tmp_path / "model.safetensors")
    painter = load_painter(file, SETTINGS, device="cpu")
    expected = DiffusersPainter(pipelines["sd1"], SETTINGS).paint([PAIR], [1])
    assert torch.allclose(painter.paint([PAIR], [1]), expected, atol=1e-5)
    (tmp_path / "model").rename(tmp_path / "elsewhere")
    again = load_painter(file, SETTINGS, device="cpu", config=str(tmp_path / "elsewhere"))
    assert again.model_hash() == painter.model_hash()
