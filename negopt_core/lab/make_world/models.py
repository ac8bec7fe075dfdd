"""The world's networks, in diffusers' and transformers' own classes, and the folder they are shipped in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from diffusers import AutoencoderTiny, DPMSolverMultistepScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from ...quiet import quiet
from ...world.render import SIZE
from .tokenizer import MAX_TOKENS, copy_tokenizer, open_tokenizer, world_words

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline

LATENT_CHANNELS = 6
DOWNSCALE = 4
"""Pixels per latent position along one side."""
TEXT_WIDTH = 128


@dataclass(frozen=True, slots=True)
class Networks:
    """The trained parts of the diffusion model."""

    unet: UNet2DConditionModel
    text_encoder: CLIPTextModel
    tokenizer: CLIPTokenizer
    vae: AutoencoderTiny


def build_vae() -> AutoencoderTiny:
    """Autoencoder from 64 x 64 pixels to 16 x 16 x 6 latents, 24 channels wide."""
    return AutoencoderTiny(
        encoder_block_out_channels=(24, 24, 24),
        decoder_block_out_channels=(24, 24, 24),
        num_encoder_blocks=(0, 2, 2),
        num_decoder_blocks=(2, 2, 1),
        latent_channels=LATENT_CHANNELS,
        scaling_factor=1.0,
    )


def build_unet() -> UNet2DConditionModel:
    """UNet over 16 x 16 latents; norm groups of 32 so that hosts with SD's fixed group count can hold it."""
    return UNet2DConditionModel(
        sample_size=SIZE // DOWNSCALE,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=(64, 128, 128),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        attention_head_dim=4,
        cross_attention_dim=TEXT_WIDTH,
        norm_num_groups=32,
    )


def build_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """CLIP text model of two layers, trained together with the UNet.

    Its word vectors start 25 times longer than CLIP's own initial ones: every word is told apart from the first step
    on. Otherwise rare words stay invisible for most of the training.
    """
    model = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=TEXT_WIDTH,
            intermediate_size=4 * TEXT_WIDTH,
            projection_dim=TEXT_WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=MAX_TOKENS,
            hidden_act="quick_gelu",
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    words = model.get_input_embeddings()
    assert isinstance(words, torch.nn.Embedding)
    torch.nn.init.normal_(words.weight, std=0.5)
    return model


def build_scheduler() -> DPMSolverMultistepScheduler:
    """Stable Diffusion's noise schedule, predicting velocity, starting from the last training step."""
    return DPMSolverMultistepScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        steps_offset=1,
    )


def build_networks(folder: Path, seed: int) -> Networks:
    """Fresh networks, with the tokenizer of `folder`; it is made if there is none."""
    tokenizer = open_tokenizer(folder / "tokenizer", world_words())
    torch.manual_seed(seed)
    return Networks(build_unet(), build_text_encoder(tokenizer), tokenizer, build_vae())


@quiet()
def build_pipeline(networks: Networks) -> StableDiffusionPipeline:
    """The networks as stock diffusers paints with them, without a safety checker."""
    from diffusers import StableDiffusionPipeline  # says what it would like to have installed

    return StableDiffusionPipeline(
        vae=networks.vae,
        text_encoder=networks.text_encoder,
        tokenizer=networks.tokenizer,
        unet=networks.unet,
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


@quiet()
def save_pipeline(networks: Networks, folder: Path) -> None:
    """Write the diffusers folder: fp16 safetensors, no safety checker, tokenizer as vocabulary and merges only."""
    pipeline = build_pipeline(networks)
    pipeline.to(torch.float16)
    pipeline.save_pretrained(str(folder), safe_serialization=True)
    pipeline.to(torch.float32)
    # tokenizer.json does not travel back to older tokenizers; vocab.json and merges.txt load everywhere
    (folder / "tokenizer" / "tokenizer.json").unlink(missing_ok=True)
    copy_tokenizer(networks.tokenizer, folder / "tokenizer")
    _edit_json(folder / "model_index.json", remove=("_name_or_path", "image_encoder"))
    # half precision on disk only: without this, transformers would load the text encoder in fp16 beside an fp32 UNet
    _edit_json(folder / "text_encoder" / "config.json", remove=("torch_dtype",), dtype="float32")
    _edit_json(folder / "vae" / "config.json", remove=("block_out_channels", "force_upcast", "_name_or_path"))
    for path in folder.rglob("*.safetensors"):
        path.chmod(0o644)


def _edit_json(path: Path, remove: tuple[str, ...] = (), **values: object) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    kept = {key: value for key, value in content.items() if key not in remove} | values
    path.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
