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
from transformers import CLIPConfig, CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from tests.paint.tiny import tokenizer
from tests.published.original_names import clip_keys, open_clip_keys, state, unet_keys, vae_keys

WIDTHS = (32, 32, 64, 64)
TEXT = 32
WORDS = 49408
"""Of CLIP's vocabulary: single files leave the tokenizer out, so the real one reads their prompts."""


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


def clip_text(words: int, width: int = TEXT, layers: int = 12, projected: bool = False, **more: Any) -> Any:
    """CLIP's text side, 77 tokens."""
    shape = {"hidden_size": width, "intermediate_size": 4 * width, "num_hidden_layers": layers, "projection_dim": width}
    heads = max(1, width // 64)
    kind = CLIPTextModelWithProjection if projected else CLIPTextModel
    return kind(CLIPTextConfig(vocab_size=words, num_attention_heads=heads, **shape, **more)).eval()


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


def _json(path: Path, values: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=2))


# --- single files


def sd15_file(path: Path, **more: Tensor) -> None:
    """v1-5-pruned-emaonly.safetensors: the noise schedule and two numbers of the EMA are there too."""
    torch.manual_seed(1)
    weights = unet_keys(sd15_unet()) | vae_keys(vae())
    weights |= clip_keys(clip_text(WORDS), "cond_stage_model.transformer.")
    weights |= {"model_ema.decay": torch.tensor(0.9999), "model_ema.num_updates": torch.tensor(1, dtype=torch.int32)}
    _file(path, weights | {name: torch.linspace(0, 1, 1000) for name in ("betas", "alphas_cumprod")} | more)


def sd21_file(path: Path, predicts_v: bool = True, **more: Tensor) -> None:
    """v2-1_768-nonema-pruned.safetensors, or v2-1_512 with `predicts_v` false: OpenCLIP-H of 24 layers."""
    torch.manual_seed(2)
    weights = unet_keys(sd21_unet()) | vae_keys(vae())
    weights["model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias"] = torch.randn(WIDTHS[0]) * (
        0.2 if predicts_v else 0.02
    )
    prefix = "cond_stage_model.model."
    weights |= open_clip_keys(clip_text(WORDS, layers=24, hidden_act="gelu", projected=True), prefix)
    _file(path, weights | {f"{prefix}logit_scale": torch.tensor(4.6)} | more)


def sdxl_file(path: Path, **more: Tensor) -> None:
    """sd_xl_base_1.0.safetensors, and the same for Pony and Illustrious: CLIP-L and OpenCLIP-bigG."""
    torch.manual_seed(3)
    weights = unet_keys(sdxl_unet()) | vae_keys(vae())
    weights |= clip_keys(clip_text(WORDS), "conditioner.embedders.0.transformer.")
    second = clip_text(WORDS, width=2 * TEXT, layers=32, hidden_act="gelu", projected=True)
    prefix = "conditioner.embedders.1.model."
    weights |= open_clip_keys(second, prefix) | {f"{prefix}logit_scale": torch.tensor(4.6)}
    _file(path, weights | {"denoiser.sigmas": torch.linspace(0, 1, 1000)} | more)


def sd21_unet(widths: tuple[int, ...] = WIDTHS, text: int = TEXT, **more: Any) -> UNet2DConditionModel:
    """As 1.5, with 64 channels a head and linear projections."""
    heads = [max(1, width // 64) for width in widths]
    return sd15_unet(widths, text, **{"attention_head_dim": heads, "use_linear_projection": True, **more})


def sdxl_unet(widths: tuple[int, ...] = WIDTHS[1:], text: int = 3 * TEXT, pooled: int = 2 * TEXT) -> Any:
    """Three levels, with two and ten transformers in each attention of the lower ones."""
    return UNet2DConditionModel(
        sample_size=128,
        block_out_channels=widths,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2, 10),
        attention_head_dim=[max(1, width // 64) for width in widths],
        cross_attention_dim=text,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=pooled + 6 * 256,
    ).eval()


def _file(path: Path, weights: dict[str, Tensor]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    halves = {name: value.half() if value.is_floating_point() else value for name, value in weights.items()}
    save_file({name: value.contiguous() for name, value in halves.items()}, path, metadata={"format": "pt"})
