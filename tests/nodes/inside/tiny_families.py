"""Small random models of many families in ComfyUI's own classes, and a stand-in for their text encoders."""

from __future__ import annotations

import zlib
from functools import cache
from typing import Any

import stage
import tiny
import torch
from tiny_table import FAMILIES, POOLED, TEXT, Family


class Encoder:
    """Every text becomes random numbers of its own, as many and of the shapes that a family reads."""

    def __init__(self, family: Family, tokens: int = 0) -> None:
        self.family, self.tokens = family, tokens or family.tokens

    def tokenize(self, text: str) -> dict[str, Any]:
        return {"l": [[(text, 1.0)] * self.tokens]}

    def encode_from_tokens_scheduled(self, tokens: dict[str, Any]) -> Any:
        draw = torch.Generator().manual_seed(zlib.crc32(tokens["l"][0][0][0].encode()))
        sequence = torch.randn([1, self.tokens, TEXT], generator=draw)
        extras = {name: torch.randn(shape, generator=draw) for name, shape in self.family.extras.items()}
        if self.family.is_masked:
            extras["attention_mask"] = torch.ones([1, self.tokens], dtype=torch.long)
        extras["pooled_output"] = torch.randn([1, POOLED], generator=draw) if self.family.is_pooled else None
        return [[sequence, extras]]

    def conditioning(self, df_text: str) -> Any:
        """Through NegOptEncode."""
        return stage.node("NegOptEncode").execute(clip=self, df_text=df_text).result[0]


@cache
def built(family: Family) -> Any:
    """A MODEL on the CPU with seeded weights. Anima's adapter of the text, larger than all else, is left out."""
    import comfy.ldm.flux.model
    import comfy.supported_models

    settings = {**family.settings, "dtype": torch.float32}
    if "txt_ids_dims" not in comfy.ldm.flux.model.FluxParams.__dataclass_fields__:  # Flux 2 came in November 2025
        settings.pop("txt_ids_dims", None)
    config = getattr(comfy.supported_models, family.config)(dict(settings))
    config.unet_config = settings
    model = config.get_model({}, device=torch.device("cpu"))
    if hasattr(model.diffusion_model, "llm_adapter"):
        del model.diffusion_model.llm_adapter
    return _patcher(model)


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


def known() -> tuple[Family, ...]:
    """The families that this ComfyUI has."""
    import comfy.supported_models

    return tuple(family for family in FAMILIES if hasattr(comfy.supported_models, family.config))
