"""The drawn world's networks, in diffusers' and transformers' own classes."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel

from ..make_world.models import TEXT_WIDTH, Networks, build_text_encoder
from ..make_world.tokenizer import open_tokenizer
from .backdrops import SIZE
from .captions import world_words
from .latents import CHANNELS, PATCH


def build_unet() -> UNet2DConditionModel:
    """UNet over 8 x 8 latents; attention at 4 x 4 and in the middle only, norm groups of 32 as hosts expect."""
    return UNet2DConditionModel(
        sample_size=SIZE // PATCH,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        block_out_channels=(96, 160, 192),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        attention_head_dim=4,
        cross_attention_dim=TEXT_WIDTH,
        norm_num_groups=32,
    )


def build_vae() -> AutoencoderTiny:
    """Autoencoder from 64 x 64 pixels to 8 x 8 x 32 latents.

    Its decoder is twice as wide as the latents, since its first layer keeps nothing below 0. It clamps to -3..3, so
    latents of variance 1 are halved before it: that is the scaling factor.
    """
    return AutoencoderTiny(
        encoder_block_out_channels=(32, 32, 32, 32),
        decoder_block_out_channels=(64, 64, 64, 64),
        num_encoder_blocks=(0, 1, 1, 1),
        num_decoder_blocks=(2, 2, 1, 0),
        latent_channels=CHANNELS,
        scaling_factor=2.0,
    )


def build_networks(folder: Path, seed: int) -> Networks:
    """Fresh networks, with the tokenizer of `folder`; it is made if there is none."""
    tokenizer = open_tokenizer(folder / "tokenizer", world_words())
    torch.manual_seed(seed)
    return Networks(build_unet(), build_text_encoder(tokenizer), tokenizer, build_vae())
