"""Painting models as they are published open and paint; what is none of them is refused in a line."""

import json
from pathlib import Path

import diffusers
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from negopt_core import ModelError, PromptPair
from negopt_core.cli import main
from negopt_core.paint.architectures import facts_of, text_config, unet_config, vae_config
from negopt_core.paint.base import PaintSettings
from negopt_core.paint.checkpoint import Checkpoint, identify
from negopt_core.paint.clip_words import clip_tokenizer
from negopt_core.paint.diffusers_painter import DiffusersPainter, load_painter
from negopt_core.paint.weights import open_pipeline
from tests.published import checkpoints, original_names

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


# --- single files, without a folder and without the network

FILES = {"sd15": checkpoints.sd15_file, "sd21": checkpoints.sd21_file, "sdxl": checkpoints.sdxl_file}
ORIGIN = {
    "sd15": ("StableDiffusionPipeline", "PNDMScheduler", "epsilon", 512),
    "sd21": ("StableDiffusionPipeline", "DDIMScheduler", "v_prediction", 768),
    "sdxl": ("StableDiffusionXLPipeline", "EulerDiscreteScheduler", "epsilon", 1024),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    home = tmp_path_factory.mktemp("downloads")
    for name, build in FILES.items():
        build(home / f"{name}.safetensors")
    return home


@pytest.mark.parametrize("name", FILES)
def test_a_file_as_downloaded_opens_and_paints(files, name):
    painter = load_painter(str(files / f"{name}.safetensors"), SMALL, device="cpu")
    pipeline, scheduler, prediction, pixels = ORIGIN[name]
    told = painter.describe()
    assert (told["pipeline"], told["scheduler"]) == (pipeline, scheduler)
    assert painter._pipeline.scheduler.config.prediction_type == prediction
    assert painter._pipeline.unet.config.sample_size * painter._pipeline.vae_scale_factor == pixels
    first, second = (painter.paint([PAIR], [seed]) for seed in (1, 2))
    assert torch.isfinite(first).all() and float(first.std()) > 0.0
    assert not torch.equal(first, second)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "steps"), [("sd15", 25), ("sd21", 25), ("sdxl", 30)])
def test_the_command_paints_with_it_as_its_kind_is_painted(files, name, steps, tmp_path, capsys):
    line = ["paint", "a cat", "--policy", "rules", "--size", "64x64", "--model", str(files / f"{name}.safetensors")]
    assert main([*line, "-o", str(tmp_path), "--device", "cpu", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)["record"]
    assert record["steps"] == steps and record["width"] == 64
    assert list(tmp_path.glob("*.png"))


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_its_numbers_are_where_diffusers_puts_them(files, name, tmp_path):
    file = str(files / f"{name}.safetensors")
    ours, _ = open_pipeline(file, torch.float32)
    ours.save_pretrained(tmp_path)
    for weights in tmp_path.glob("*/*.safetensors"):
        weights.unlink()
    theirs, _ = open_pipeline(file, torch.float32, config=str(tmp_path))
    for part, module in ours.components.items():
        if isinstance(module, torch.nn.Module):
            expected, found = getattr(theirs, part).state_dict(), module.state_dict()
            assert found.keys() == expected.keys()
            assert all(torch.equal(found[key], expected[key]) for key in found), part
    pictures = [DiffusersPainter(one, SMALL).paint([PAIR], [1]) for one in (ours, theirs)]
    assert torch.allclose(*pictures, atol=1e-5)


COUNTS = {
    # parameters of the published models, in the order UNet, VAE, text encoders
    "sd15": (859_520_964, 83_653_863, 123_060_480),
    "sd2": (865_910_724, 83_653_863, 340_387_840),
    "sdxl": (2_567_463_684, 83_653_863, 123_060_480, 694_659_840),
}
HEADS = {"sd15": (8, 12), "sd2": ([5, 10, 20, 20], 16), "sdxl": ([5, 10, 20], 12, 20)}


def published_shapes(kind):
    """Names and shapes of the real files; no numbers."""
    wide = (320, 640, 1280, 1280)
    with torch.device("meta"):
        weights = original_names.vae_keys(checkpoints.vae((128, 256, 512, 512)))
        if kind == "sdxl":
            first, second = checkpoints.clip_text(49408, 768), checkpoints.clip_text(49408, 1280, 32, True)
            weights |= original_names.unet_keys(checkpoints.sdxl_unet((320, 640, 1280), 2048, 1280))
            weights |= original_names.clip_keys(first, "conditioner.embedders.0.transformer.")
            weights |= original_names.open_clip_keys(second, "conditioner.embedders.1.model.")
        elif kind == "sd2":
            weights |= original_names.unet_keys(checkpoints.sd21_unet(wide, 1024))
            second = checkpoints.clip_text(49408, 1024, 24, True)
            weights |= original_names.open_clip_keys(second, "cond_stage_model.model.")
        else:
            weights |= original_names.unet_keys(checkpoints.sd15_unet(wide, 768))
            weights |= original_names.clip_keys(checkpoints.clip_text(49408, 768), "cond_stage_model.transformer.")
    return Checkpoint(Path("x.safetensors"), {name: tuple(value.shape) for name, value in weights.items()}, {})


@pytest.mark.parametrize("kind", COUNTS)
def test_at_the_published_widths_the_models_are_the_published_ones(kind):
    real = published_shapes(kind)
    assert identify(real) == kind
    facts = facts_of(kind)
    kinds = {"CLIPTextModel": CLIPTextModel, "CLIPTextModelWithProjection": CLIPTextModelWithProjection}
    with torch.device("meta"):
        modules = [
            diffusers.UNet2DConditionModel.from_config(unet_config(real, facts, is_v=False)),
            diffusers.AutoencoderKL.from_config(vae_config(real, facts)),
            *(kinds[text["class"]](CLIPTextConfig(**text_config(real, text))) for text in facts["text"]),
        ]
    assert tuple(sum(one.numel() for one in module.parameters()) for module in modules) == COUNTS[kind]
    encoders = [module.config.num_attention_heads for module in modules[2:]]
    assert (modules[0].config.attention_head_dim, *encoders) == HEADS[kind]


def test_the_words_are_clips():
    words = clip_tokenizer("!")
    assert words("a photo of a cat")["input_ids"] == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert words("A Photo")["input_ids"] == words("a photo")["input_ids"]
    assert (len(words), words.pad_token_id, words.model_max_length) == (49408, 0, 77)
    assert clip_tokenizer("<|endoftext|>").pad_token_id == 49407


def same_picture(file, other):
    first, second = (load_painter(str(one), SMALL, device="cpu").paint([PAIR], [1]) for one in (file, other))
    return torch.allclose(first, second, atol=1e-5)


def test_what_tools_leave_in_a_file_changes_nothing(files, tmp_path):
    """An EMA beside the weights, leftovers of a merged LoRA, single precision, no inner name of the text encoder."""
    weights = load_file(files / "sd15.safetensors")
    unet = {name: value for name, value in weights.items() if name.startswith(UNET)}
    averaged = {f"model_ema.{name.removeprefix('model.').replace('.', '')}": value * 0 for name, value in unet.items()}
    older = {name.replace("transformer.text_model.", "transformer."): value for name, value in weights.items()}
    merged = {"lora_unet_mid_block.lora_up.weight": torch.zeros(2), "lora_te_1.alpha": torch.tensor(1.0)}
    changed = {**older, **averaged, **merged, "first_stage_model.loss.logvar": torch.tensor(0.0)}
    changed = {name: value.float() if value.is_floating_point() else value for name, value in changed.items()}
    save_file(changed, tmp_path / "changed.safetensors", metadata={"sd_merge_models": "{}"})
    assert same_picture(files / "sd15.safetensors", tmp_path / "changed.safetensors")


def test_which_of_the_two_kinds_of_2_1_it_is_is_told_by_its_numbers_or_its_metadata(files, tmp_path):
    checkpoints.sd21_file(tmp_path / "base.safetensors", predicts_v=False)
    base = load_painter(str(tmp_path / "base.safetensors"), SMALL, device="cpu")
    assert base._pipeline.scheduler.config.prediction_type == "epsilon"
    assert base._pipeline.unet.config.sample_size == 64
    metadata = {"modelspec.prediction_type": "v"}
    save_file(load_file(tmp_path / "base.safetensors"), tmp_path / "told.safetensors", metadata)
    told = load_painter(str(tmp_path / "told.safetensors"), SMALL, device="cpu")
    assert told._pipeline.scheduler.config.prediction_type == "v_prediction"
    assert told._pipeline.unet.config.sample_size == 96


def test_an_sdxl_that_predicts_v_says_so_by_a_marker(tmp_path):
    marks = {"v_pred": torch.tensor([]), "ztsnr": torch.tensor([])}
    checkpoints.sdxl_file(tmp_path / "noob.safetensors", **marks)
    painter = load_painter(str(tmp_path / "noob.safetensors"), SMALL, device="cpu")
    config = painter._pipeline.scheduler.config
    assert (config.prediction_type, config.rescale_betas_zero_snr) == ("v_prediction", True)
    assert torch.isfinite(painter.paint([PAIR], [1])).all()


def without(weights, prefix):
    return {name: value for name, value in weights.items() if not name.startswith(prefix)}


def only(weights, prefix, new=""):
    return {new + name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


UNET, VAE, TEXT = "model.diffusion_model.", "first_stage_model.", "cond_stage_model.transformer."
INPUT = f"{UNET}input_blocks.0.0.weight"
REFUSED = {
    "inpainting": (lambda w: {**w, INPUT: torch.zeros(32, 9, 3, 3)}, "for inpainting: its UNet takes 9 channels"),
    "depth": (lambda w: {**w, INPUT: torch.zeros(32, 5, 3, 3)}, "for depth maps"),
    "refiner": (
        lambda w: without(w, TEXT) | {"conditioner.embedders.0.model.ln_final.bias": torch.zeros(2)},
        "is the refiner of Stable Diffusion XL",
    ),
    "edm": (lambda w: w | {"edm_mean": torch.zeros(4)}, "EDM"),
    "lora": (lambda w: {"lora_unet_mid.lora_up.weight": torch.zeros(2)}, "is a LoRA.*lora_unet_mid.lora_up.weight"),
    "peft": (lambda w: {"unet.mid.to_q.lora_A.weight": torch.zeros(2)}, "is a LoRA"),
    "vae": (lambda w: only(w, VAE), "is a VAE alone"),
    "vae in its place": (lambda w: only(w, VAE, VAE), "is a VAE alone"),
    "unet": (lambda w: only(w, UNET), "is a UNet alone"),
    "no vae": (lambda w: without(w, VAE), r"no VAE \(first_stage_model"),
    "no text encoder": (lambda w: without(w, TEXT), "no text encoder.*tensors such as"),
    "controlnet": (lambda w: {"control_model.zero.weight": torch.zeros(2)}, "is a ControlNet"),
    "words": (lambda w: {"emb_params": torch.zeros(2, 8)}, "is a textual inversion"),
    "flux": (
        lambda w: {f"{UNET}double_blocks.0.img_mod.lin.weight": torch.zeros(2)},
        "no model that negopt knows .*double_blocks",
    ),
    "language model": (lambda w: {"h.0.attn.weight": torch.zeros(2)}, "no model that negopt knows.* h.0.attn.weight"),
    "nothing": (lambda w: {}, "no tensors"),
    "a stranger": (lambda w: w | {f"{UNET}label_emb.weight": torch.zeros(2)}, "has model.*label_emb.weight, which no"),
    "a hole": (lambda w: without(w, f"{UNET}out.2.bias"), "lacks 1 weights of model.*conv_out.bias"),
    "a hole in the text": (lambda w: without(w, f"{TEXT}text_model.final_layer_norm.bias"), "lacks 1 weights of cond"),
    "no widths": (lambda w: without(w, f"{VAE}encoder.down.1."), "lacks first_stage_model.encoder.down.1"),
    "another shape": (lambda w: {**w, f"{VAE}quant_conv.bias": torch.zeros(7)}, "quant_conv.bias as 7, where 8 fits"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_whole_checkpoint_is_refused_in_a_line(files, tmp_path, kind):
    change, told = REFUSED[kind]
    file = tmp_path / "model.safetensors"
    save_file(change(load_file(files / "sd15.safetensors")), file)
    with pytest.raises(ModelError, match=told) as refused:
        load_painter(str(file), SMALL, device="cpu")
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 500


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (lambda whole: whole[: len(whole) // 2], "cannot be loaded.*cut short"),
        (lambda whole: whole[:100], "cannot be loaded.*cut short"),
        (lambda whole: b"", "cannot be loaded.*cut short"),
        (lambda whole: b"PK\x03\x04" + bytes(100), r"is a pickle by another name.*convert it to \.safetensors"),
        (lambda whole: b"\x80\x02}q\x00" + bytes(100), "is a pickle by another name"),
        (lambda whole: b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "is a Git LFS pointer"),
        (lambda whole: b"<!DOCTYPE html><html>", "is a web page"),
    ],
)
def test_so_is_what_is_no_safetensors_file(files, tmp_path, content, told):
    file = tmp_path / "model.safetensors"
    file.write_bytes(content((files / "sd15.safetensors").read_bytes()))
    with pytest.raises(ModelError, match=told) as refused:
        load_painter(str(file), SMALL, device="cpu")
    assert "\n" not in str(refused.value)
