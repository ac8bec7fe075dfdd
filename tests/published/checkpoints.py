"""Painting models as they are published: files, key names and structure of the originals, tiny random numbers.

Levels, layers and heads are the originals'; widths are not. The sources are the file listings of the repositories
named there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPConfig, CLIPTextConfig, CLIPTextModel

from tests.paint.tiny import tokenizer

WIDTHS = (32, 32, 64, 64)
TEXT = 32


def sd15_folder(folder: Path) -> None:
    """stable-diffusion-v1-5/stable-diffusion-v1-5: with its safety checker, which here flags every picture."""
    torch.manual_seed(0)
    words = tokenizer(folder / "tokenizer")
    _save(folder / "unet", sd15_unet())
    _save(folder / "vae", vae())
    text = clip_text(len(words), bos_token_id=words.bos_token_id, eos_token_id=words.eos_token_id)
    _save(folder / "text_encoder", text, "text_model.", "model")
    _save(folder / "safety_checker", _safety_checker(), "", "model")
    _json(folder / "feature_extractor" / "preprocessor_config.json", {"image_processor_type": "CLIPImageProcessor"})
    noise = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "skip_prk_steps": True}
    scheduler = {"_class_name": "PNDMScheduler", "steps_offset": 1, "clip_sample": False, **noise}
    _json(folder / "scheduler" / "scheduler_config.json", scheduler)
    _json(
        folder / "model_index.json",
        {
            "_class_name": "StableDiffusionPipeline",
            "_diffusers_version": "0.6.0",
            "feature_extractor": ["transformers", "CLIPImageProcessor"],
            "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
            "scheduler": ["diffusers", "PNDMScheduler"],
            "text_encoder": ["transformers", "CLIPTextModel"],
            "tokenizer": ["transformers", "CLIPTokenizer"],
            "unet": ["diffusers", "UNet2DConditionModel"],
            "vae": ["diffusers", "AutoencoderKL"],
        },
    )


def sd15_unet(widths: tuple[int, ...] = WIDTHS, text: int = TEXT, **more: Any) -> UNet2DConditionModel:
    """Four levels of two layers, eight heads, attention on all but the lowest."""
    return UNet2DConditionModel(
        sample_size=64,
        block_out_channels=widths,
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        cross_attention_dim=text,
        **{"attention_head_dim": 8, **more},
    ).eval()


def vae(widths: tuple[int, ...] = WIDTHS) -> AutoencoderKL:
    """The autoencoder of every Stable Diffusion up to XL."""
    return AutoencoderKL(
        block_out_channels=widths,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        latent_channels=4,
        sample_size=512,
    ).eval()


def clip_text(words: int, width: int = TEXT, layers: int = 12, **more: Any) -> CLIPTextModel:
    """CLIP's text side, 77 tokens."""
    shape = {"hidden_size": width, "intermediate_size": 4 * width, "num_hidden_layers": layers, "projection_dim": width}
    heads = max(1, width // 64)
    return CLIPTextModel(CLIPTextConfig(vocab_size=words, num_attention_heads=heads, **shape, **more)).eval()


def _safety_checker() -> StableDiffusionSafetyChecker:
    layers = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = {**layers, "image_size": 224, "patch_size": 32}
    config = CLIPConfig(text_config={**layers, "vocab_size": 64}, vision_config=vision, projection_dim=16)
    checker = StableDiffusionSafetyChecker(config)
    for embeddings in ("concept_embeds", "special_care_embeds"):
        torch.nn.init.normal_(getattr(checker, embeddings))
        getattr(checker, f"{embeddings}_weights").data.fill_(-2.0)  # no cosine is as low
    return checker.eval()


def _save(folder: Path, module: Any, prefix: str = "", name: str = "diffusion_pytorch_model") -> None:
    """As the original's files, whose text encoders have a prefix that transformers 5 leaves out."""
    module.save_pretrained(folder)
    for file in folder.glob("*.safetensors"):
        file.unlink()
    weights = {f"{prefix}{key.removeprefix(prefix)}": value for key, value in state(module).items()}
    save_file(weights, folder / f"{name}.safetensors", metadata={"format": "pt"})


def state(module: Any) -> dict[str, Tensor]:
    """Its numbers, each in memory of its own."""
    return {name: value.detach().clone().contiguous() for name, value in module.state_dict().items()}


def _json(path: Path, values: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=2))
