"""Stable Diffusion pipelines of a few thousand random weights; sizes are unlike the real ones on purpose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

LENGTH = 20
"""Tokens of one row; not 77."""

LATENTS = 8
PIXELS = 16

_MERGES = ["c a", "ca t</w>", "d o", "do g</w>", "r e", "re d</w>", "b l", "bl u", "blu r", "l a", "n d", "e r</w>"]


def _byte_symbols() -> list[str]:
    """The printable stand-ins for the 256 bytes in byte-level BPE."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(code) for code in shown] + [chr(256 + place) for place in range(256 - len(shown))]


def tokenizer(folder: Path, pad: str = "<|endoftext|>") -> Any:
    """A CLIP tokenizer with a dozen merges: `cat` is one token, `blurry` is three."""
    folder.mkdir(parents=True)
    letters = _byte_symbols()
    words = [*letters, *[letter + "</w>" for letter in letters], *[merge.replace(" ", "") for merge in _MERGES]]
    words += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: place for place, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(_MERGES) + "\n")
    marks = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": LENGTH, "pad_token": pad, **marks}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return CLIPTokenizer.from_pretrained(folder)


def _text_config(words: Any, width: int, layers: int, **more: Any) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=2,
        max_position_embeddings=LENGTH,
        projection_dim=width,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
        **more,
    )


def _vae(channels: int) -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 8),
        norm_num_groups=4,
        latent_channels=channels,
        sample_size=PIXELS,
    ).eval()


def _unet(channels: int, text_width: int, **more: Any) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=LATENTS,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=(8, 16),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=4,
        cross_attention_dim=text_width,
        **more,
    ).eval()


def _scheduler(**more: Any) -> DDIMScheduler:
    noise = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    return DDIMScheduler(clip_sample=False, set_alpha_to_one=False, steps_offset=1, **noise, **more)


def _quiet(pipeline: Any) -> Any:
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def sd1(folder: Path) -> StableDiffusionPipeline:
    """Like Stable Diffusion 1.x: padding is EOS, no attention mask, last layer."""
    torch.manual_seed(1)
    words = tokenizer(folder)
    return _quiet(
        StableDiffusionPipeline(
            vae=_vae(4),
            text_encoder=CLIPTextModel(_text_config(words, 16, 3)).eval(),
            tokenizer=words,
            unet=_unet(4, 16),
            scheduler=_scheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    )


def sd2(folder: Path) -> StableDiffusionPipeline:
    """Like Stable Diffusion 2.x: padding is `!`, gelu, v-prediction; and masked padding, six latent channels."""
    torch.manual_seed(2)
    words = tokenizer(folder, pad="!")
    config = _text_config(words, 24, 2, hidden_act="gelu")
    config.use_attention_mask = True
    return _quiet(
        StableDiffusionPipeline(
            vae=_vae(6),
            text_encoder=CLIPTextModel(config).eval(),
            tokenizer=words,
            unet=_unet(6, 24),
            scheduler=_scheduler(prediction_type="v_prediction"),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    )


def sdxl(folder: Path) -> StableDiffusionXLPipeline:
    """Like Stable Diffusion XL: two encoders with different padding, layer before the last, pooled vector."""
    torch.manual_seed(3)
    words, words_2 = tokenizer(folder / "one"), tokenizer(folder / "two", pad="!")
    added = {
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 4,
        "projection_class_embeddings_input_dim": 6 * 4 + 24,
    }
    return _quiet(
        StableDiffusionXLPipeline(
            vae=_vae(4),
            text_encoder=CLIPTextModel(_text_config(words, 16, 3)).eval(),
            text_encoder_2=CLIPTextModelWithProjection(_text_config(words_2, 24, 3)).eval(),
            tokenizer=words,
            tokenizer_2=words_2,
            unet=_unet(4, 40, **added),
            scheduler=_scheduler(),
            add_watermarker=False,
        )
    )
