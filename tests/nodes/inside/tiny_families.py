"""Small random models of three more families in ComfyUI's own classes, and a stand-in for their text encoders."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import stage
import tiny
import torch

TEXT, POOLED = 64, 32


@dataclass(frozen=True)
class Family:
    """How to build a model, and the shape of its latents."""

    name: str
    build: Callable[[], Any]
    channels: int


class Encoder:
    """Every text becomes random numbers of its own: a sequence, and a pooled vector as these families have it."""

    def tokenize(self, text: str) -> dict[str, Any]:
        return {"l": [[(text, 1.0)] * 77]}

    def encode_from_tokens_scheduled(self, tokens: dict[str, Any]) -> Any:
        draw = torch.Generator().manual_seed(zlib.crc32(tokens["l"][0][0][0].encode()))
        sequence = torch.randn([1, 77, TEXT], generator=draw)
        return [[sequence, {"pooled_output": torch.randn([1, POOLED], generator=draw)}]]

    def conditioning(self, df_text: str) -> Any:
        """Through NegOptEncode."""
        return stage.node("NegOptEncode").execute(clip=self, df_text=df_text).result[0]


def _patcher(model: Any) -> Any:
    import comfy.model_patcher

    draw = torch.Generator().manual_seed(5)
    for name, value in model.diffusion_model.state_dict().items():
        if value.ndim < 2:
            is_scale = name.endswith(("weight", "scale"))
            value.copy_(torch.ones_like(value) if is_scale else torch.zeros_like(value))
        else:
            value.copy_(torch.randn(value.shape, generator=draw) * 1.5 / value[0].numel() ** 0.5)
    cpu = torch.device("cpu")
    return comfy.model_patcher.ModelPatcher(model.eval(), load_device=cpu, offload_device=cpu)


def sdxl() -> Any:
    """A UNet with the vector input of SDXL: pooled text and six sizes.

    64 wide: the host normalises in 32 groups, and a group of one channel would wipe out what the vector adds to it.
    """
    import comfy.model_base
    import comfy.supported_models

    settings = {
        "image_size": 32,
        "in_channels": 4,
        "out_channels": 4,
        "model_channels": 64,
        "num_res_blocks": [1],
        "channel_mult": (1,),
        "num_heads": 4,
        "num_head_channels": -1,
        "use_spatial_transformer": True,
        "use_linear_in_transformer": True,
        "transformer_depth": [1],
        "transformer_depth_middle": 1,
        "transformer_depth_output": [1, 1],
        "context_dim": TEXT,
        "num_classes": "sequential",
        "adm_in_channels": POOLED + 6 * 256,
        "legacy": False,
        "dtype": torch.float32,
    }
    return _patcher(comfy.model_base.SDXL(_config(comfy.supported_models.SDXL, settings), device=torch.device("cpu")))


def sd3() -> Any:
    """A rectified-flow transformer in SD3's layout, two blocks of 128."""
    import comfy.model_base
    import comfy.supported_models

    settings = {
        "input_size": None,
        "patch_size": 2,
        "in_channels": 16,
        "out_channels": 16,
        "depth": 2,
        "pos_embed_scaling_factor": None,
        "pos_embed_max_size": 32,
        "num_patches": 32 * 32,
        "adm_in_channels": POOLED,
        "context_embedder_config": {
            "target": "torch.nn.Linear",
            "params": {"in_features": TEXT, "out_features": 128},
        },
        "dtype": torch.float32,
    }
    return _patcher(comfy.model_base.SD3(_config(comfy.supported_models.SD3, settings), device=torch.device("cpu")))


def flux() -> Any:
    """A rectified-flow transformer in Flux's layout with its distilled-guidance input, one block of each kind."""
    import comfy.ldm.flux.model
    import comfy.model_base
    import comfy.supported_models

    settings: dict[str, Any] = {
        "image_model": "flux",
        "in_channels": 16,
        "out_channels": 16,
        "patch_size": 2,
        "vec_in_dim": POOLED,
        "context_in_dim": TEXT,
        "hidden_size": 64,
        "mlp_ratio": 2.0,
        "num_heads": 4,
        "depth": 1,
        "depth_single_blocks": 1,
        "axes_dim": [4, 6, 6],
        "theta": 10000,
        "qkv_bias": True,
        "guidance_embed": True,
        "dtype": torch.float32,
    }
    if "txt_ids_dims" in comfy.ldm.flux.model.FluxParams.__dataclass_fields__:  # Flux 2 came in November 2025
        settings["txt_ids_dims"] = []
    return _patcher(comfy.model_base.Flux(_config(comfy.supported_models.Flux, settings), device=torch.device("cpu")))


def sdxl_clip() -> Any:
    """SDXL's own pair of text encoders and tokenizers, each half as wide as the model reads; L's words come first.

    Three layers: SDXL takes the last but one, and the host refuses that of two.
    """
    import comfy.sd
    import comfy.sdxl_clip
    import comfy.supported_models_base

    sizes = {
        "num_hidden_layers": 3,
        "hidden_size": TEXT // 2,
        "num_attention_heads": 4,
        "intermediate_size": TEXT,
    }
    target = comfy.supported_models_base.ClipTarget(comfy.sdxl_clip.SDXLTokenizer, comfy.sdxl_clip.SDXLClipModel)
    options = {"dtype": torch.float32, "clip_l_model_config": sizes, "clip_g_model_config": sizes}
    clip = comfy.sd.CLIP(target, model_options=options)
    for encoder in (clip.cond_stage_model.clip_l, clip.cond_stage_model.clip_g):
        encoder.load_sd(tiny._text_weights(encoder.transformer, TEXT // 2))
    return clip


def _config(kind: Any, settings: dict[str, Any]) -> Any:
    """The family's own configuration object with our sizes in it."""
    config = kind(dict(settings))
    config.unet_config = dict(settings)
    return config


FAMILIES = (Family("sdxl", sdxl, 4), Family("sd3", sd3, 16), Family("flux", flux, 16))
