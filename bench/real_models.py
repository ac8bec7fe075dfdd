"""Painter, scorers and policies of the sizes that people use, with random weights; also tiny, to try the code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from negopt_core.lab.train.settings import Size
from negopt_core.lab.train.setup import load_tokenizer, new_policy
from negopt_core.paint.base import PaintSettings
from negopt_core.paint.diffusers_painter import DiffusersPainter
from negopt_core.policy.folder_check import STOCK_FILE
from negopt_core.policy.language import LanguagePolicy
from negopt_core.policy.store import SHIPPED, read_card
from negopt_core.scorers.aesthetic import AestheticScorer
from negopt_core.scorers.base import Reward, RewardTerm
from negopt_core.scorers.clip import ClipScorer, PickScorer
from negopt_core.scorers.embed import Embedder

_CLIP_TOKENS = 77


@dataclass(frozen=True)
class Clip:
    """Width, layers and heads of a CLIP's two halves, and the width they share."""

    text: tuple[int, int, int]
    vision: tuple[int, int, int]
    patch: int
    shared: int
    image: int = 224


@dataclass(frozen=True)
class Sizes:
    """Defaults: Stable Diffusion 1.5, CLIP ViT-L/14 and ViT-H/14, T5-base and GPT-2 medium."""

    channels: tuple[int, ...] = (320, 640, 1280, 1280)
    latents: int = 64
    text: tuple[int, int, int] = (768, 12, 12)
    autoencoder: tuple[int, ...] = (128, 256, 512, 512)
    large: Clip = Clip((768, 12, 12), (1024, 24, 16), 14, 768)
    huge: Clip = Clip((1024, 24, 16), (1280, 32, 16), 14, 1024)
    policies: dict[str, Size] = field(default_factory=lambda: {"seq2seq": Size(768, 12, 12), "df": Size(1024, 24, 16)})


TINY = Sizes(
    channels=(32, 32, 64, 64),
    latents=8,
    text=(32, 1, 2),
    autoencoder=(32, 32, 32, 32),
    large=Clip((16, 1, 2), (16, 1, 2), 14, 16, 28),
    huge=Clip((16, 1, 2), (16, 1, 2), 14, 16, 28),
    policies={"seq2seq": Size(16, 1, 2), "df": Size(16, 1, 2)},
)


def make_pipeline(sizes: Sizes, device: str, dtype: torch.dtype) -> Any:
    """A StableDiffusionPipeline; its words are the demo world's tokenizer, in rows of 77."""
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextModel

    tokenizer = _tokenizer()
    unet = UNet2DConditionModel(
        sample_size=sizes.latents,
        cross_attention_dim=sizes.text[0],
        attention_head_dim=8,
        block_out_channels=sizes.channels,
    )
    autoencoder = AutoencoderKL(
        block_out_channels=sizes.autoencoder,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
    )
    pipeline: Any = StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=CLIPTextModel(_text_config(tokenizer, sizes.text, sizes.text[0])),
        tokenizer=tokenizer,
        unet=unet,
        scheduler=DDIMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1, clip_sample=False
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device, dtype)


def make_painter(pipeline: Any, steps: int, cfg: float, batch: int) -> DiffusersPainter:
    """Guided, at the model's own size."""
    return DiffusersPainter(pipeline, PaintSettings(steps, cfg, batch_size=batch), source="random weights")


def make_reward(sizes: Sizes, device: str, dtype: torch.dtype) -> Reward:
    """PAE's: aesthetics and CLIP score on ViT-L/14, PickScore on ViT-H/14 (arXiv 2404.04095)."""
    large, huge = (_embedder(one, device, dtype) for one in (sizes.large, sizes.huge))
    aesthetic = AestheticScorer(large, torch.randn(sizes.large.shared), 5.0)
    return Reward((RewardTerm(aesthetic), RewardTerm(ClipScorer(large), 20.0), RewardTerm(PickScorer(huge))))


def make_policy(sizes: Sizes, kind: str, device: str) -> LanguagePolicy:
    """The card, the words and the tokenizer of a shipped policy around a new network of another size."""
    folder = SHIPPED / ("negopt-mini" if kind == "seq2seq" else "pae-mini")
    stock = (folder / STOCK_FILE).read_text(encoding="utf-8").splitlines()
    return new_policy(read_card(folder), load_tokenizer(str(folder)), stock, sizes.policies[kind], seed=0).to(device)


def _tokenizer() -> Any:
    tokenizer = load_tokenizer("world")
    tokenizer.model_max_length = _CLIP_TOKENS
    return tokenizer


def _text_config(tokenizer: Any, shape: tuple[int, int, int], shared: int) -> Any:
    from transformers import CLIPTextConfig

    width, layers, heads = shape
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=_CLIP_TOKENS,
        projection_dim=shared,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _embedder(clip: Clip, device: str, dtype: torch.dtype) -> Embedder:
    from transformers import CLIPConfig, CLIPModel, CLIPVisionConfig

    tokenizer = _tokenizer()
    width, layers, heads = clip.vision
    vision = CLIPVisionConfig(
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        patch_size=clip.patch,
        image_size=clip.image,
        projection_dim=clip.shared,
    )
    text = _text_config(tokenizer, clip.text, clip.shared)
    model = CLIPModel(
        CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=clip.shared)
    )
    return Embedder(model.to(device, dtype).eval().requires_grad_(False), tokenizer)
