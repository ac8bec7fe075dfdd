"""Small random models in the file formats ComfyUI detects, made from ComfyUI's own module classes. Never committed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

WIDTH, TEXT = 320, 768  # what makes ComfyUI take a checkpoint for SD1.5
SMALL = 32  # where no detection is asked for


def _randomise(module: Any, seed: int, gain: float = 1.0) -> dict[str, torch.Tensor]:
    """Seeded weights of unit gain; norms stay identities, so that nothing dies or blows up."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, value in module.state_dict().items():
        if value.ndim < 2:
            weights[name] = torch.ones_like(value) if name.endswith("weight") else torch.zeros_like(value)
        else:
            fan_in = value[0].numel()
            weights[name] = torch.randn(value.shape, generator=generator) * gain / fan_in**0.5
    return weights


def _unet_settings(width: int = WIDTH, text: int = TEXT) -> dict[str, Any]:
    return {
        "image_size": 32,
        "in_channels": 4,
        "model_channels": width,
        "num_res_blocks": [1],
        "channel_mult": (1,),
        "num_heads": 4,
        "use_spatial_transformer": True,
        "transformer_depth": [1],
        "transformer_depth_middle": 1,
        "context_dim": text,
        "legacy": False,
    }


def _build(kind: Any, width: int, text: int, **settings: Any) -> Any:
    import comfy.ops

    return kind(operations=comfy.ops.disable_weight_init, **_unet_settings(width, text), **settings)


def _unet_weights(width: int, text: int) -> dict[str, torch.Tensor]:
    """One level, one residual block: the smallest UNet there is."""
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

    weights = _randomise(_build(UNetModel, width, text, out_channels=4, transformer_depth_output=[1, 1]), seed=1)
    for name in weights:  # words must show in the picture
        if name.endswith("attn2.to_out.0.weight"):
            weights[name] *= 6
    return weights


def small_model() -> Any:
    """A MODEL of ComfyUI's SD1.5 class, narrow enough for hundreds of runs; half a millisecond a call or so."""
    import comfy.model_base
    import comfy.model_patcher
    import comfy.supported_models

    cpu = torch.device("cpu")
    config = comfy.supported_models.SD15(
        {**_unet_settings(SMALL, SMALL), "out_channels": 4, "transformer_depth_output": [1, 1]}
    )
    config.unet_config |= {"num_heads": 4, "num_head_channels": -1, "dtype": torch.float32}
    model = comfy.model_base.BaseModel(config, device=cpu)
    model.diffusion_model.load_state_dict(_unet_weights(SMALL, SMALL))
    return comfy.model_patcher.ModelPatcher(model.eval(), load_device=cpu, offload_device=cpu)


def small_clip() -> Any:
    """A CLIP with ComfyUI's own tokenizer and text-encoder classes, one layer deep."""
    import comfy.sd
    import comfy.sd1_clip
    import comfy.supported_models_base

    config = {
        "num_hidden_layers": 1,
        "hidden_size": SMALL,
        "num_attention_heads": 4,
        "intermediate_size": 2 * SMALL,
        "hidden_act": "quick_gelu",
        "max_position_embeddings": 77,
        "vocab_size": 49408,
        "eos_token_id": 49407,
    }

    def encoder(device: Any, dtype: Any, model_options: Any) -> Any:
        return comfy.sd1_clip.SDClipModel(
            device, dtype=dtype, textmodel_json_config=config, model_options=model_options
        )

    def clip_model(**settings: Any) -> Any:
        return comfy.sd1_clip.SD1ClipModel(clip_model=encoder, **settings)

    target = comfy.supported_models_base.ClipTarget(comfy.sd1_clip.SD1Tokenizer, clip_model)
    clip = comfy.sd.CLIP(target, model_options={"dtype": torch.float32})
    clip.load_sd(_text_weights(clip.cond_stage_model.clip_l.transformer, SMALL))
    return clip


def _text_weights(module: Any, width: int) -> dict[str, torch.Tensor]:
    weights = _randomise(module, seed=2)
    for name in weights:
        if "embedding" in name:  # unit-size embeddings, not 1 / sqrt(width)
            weights[name] *= 0.5 * width**0.5
    return weights


def text_encoder() -> dict[str, torch.Tensor]:
    """CLIP-L's layer count is fixed by the host; all layers but the first are zero and pass their input on."""
    import comfy.clip_model
    import comfy.ops
    import comfy.sd1_clip

    config = json.loads(Path(comfy.sd1_clip.__file__).with_name("sd1_clip_config.json").read_text())
    model = comfy.clip_model.CLIPTextModel(config, torch.float32, "cpu", comfy.ops.disable_weight_init)
    weights = _text_weights(model, TEXT)
    for name in weights:
        if ".layers." in name and ".layers.0." not in name and weights[name].ndim > 1:
            weights[name].zero_()
    return {name: value for name, value in weights.items() if name.startswith("text_model.")}


def autoencoder() -> dict[str, torch.Tensor]:
    """TAESD, which ComfyUI accepts inside a checkpoint and which is small."""
    from comfy.taesd.taesd import TAESD

    weights = _randomise(TAESD(latent_channels=4), seed=3)
    weights["vae_scale"], weights["vae_shift"] = torch.tensor(0.18215), torch.tensor(0.0)
    return weights


def write_checkpoint(path: Path) -> Path:
    """A whole SD1.5 checkpoint for the stock loader node; about 290 MB, most of it the text encoder's vocabulary."""
    from safetensors.torch import save_file

    parts = {
        "model.diffusion_model.": _unet_weights(WIDTH, TEXT),
        "cond_stage_model.transformer.": text_encoder(),
        "first_stage_model.": autoencoder(),
    }
    tensors = {prefix + name: value.half() for prefix, part in parts.items() for name, value in part.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    return path


def controlnet() -> Any:
    """A CONTROL_NET for the small model: the encoder half of the same UNet, with random zero convolutions."""
    import comfy.controlnet
    import comfy.ops
    from comfy.cldm.cldm import ControlNet

    network = _build(ControlNet, SMALL, SMALL, hint_channels=3)
    network.load_state_dict(_randomise(network, seed=4))
    cpu = torch.device("cpu")
    return comfy.controlnet.ControlNet(network.eval(), load_device=cpu, manual_cast_dtype=None)


def lora() -> dict[str, torch.Tensor]:
    """Rank 4 on the text attention of the small model's middle block."""
    generator = torch.Generator().manual_seed(5)
    block = "diffusion_model.middle_block.1.transformer_blocks.0.attn2."
    weights = {}
    for name in ("to_k", "to_v"):
        weights[f"{block}{name}.lora_down.weight"] = torch.randn(4, SMALL, generator=generator) / SMALL**0.5
        weights[f"{block}{name}.lora_up.weight"] = torch.randn(SMALL, 4, generator=generator)
        weights[f"{block}{name}.alpha"] = torch.tensor(4.0)
    return weights
