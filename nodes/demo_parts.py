"""The demo world's networks in ComfyUI's own classes, filled from the diffusers folder that negopt ships.

No diffusers here: the folder's `config.json` files say the sizes, its safetensors files hold the weights.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import comfy.latent_formats
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.sd
import comfy.sd1_clip
import comfy.supported_models
import comfy.supported_models_base
import comfy.utils
import torch
from comfy.taesd.taesd import Block

from ..negopt_core.errors import ModelError

Weights = dict[str, torch.Tensor]


def read_part(folder: Path, part: str) -> tuple[dict[str, Any], Weights]:
    """(config, weights in float32) of one sub-folder of a diffusers pipeline; only safetensors are read."""
    config = folder / part / "config.json"
    found = sorted((folder / part).glob("*.safetensors"))
    if not config.is_file() or len(found) != 1:
        raise ModelError(f"the demo world is incomplete: {folder / part} needs config.json and one safetensors file")
    weights = comfy.utils.load_torch_file(str(found[0]), safe_load=True)
    return json.loads(config.read_text(encoding="utf-8")), {name: value.float() for name, value in weights.items()}


def build_model(folder: Path) -> Any:
    """MODEL: the UNet, velocity prediction, Stable Diffusion's noise schedule."""
    config, weights = read_part(folder, "unet")
    sizes = unet_sizes(config)
    host_config = comfy.supported_models.SD15(sizes)
    host_config.unet_config |= {"num_heads": sizes["num_heads"], "num_head_channels": -1, "dtype": torch.float32}
    host_config.negopt_demo_world = True
    host_config.latent_format = _latent_format(json.loads((folder / "vae" / "config.json").read_text(encoding="utf-8")))
    model = comfy.model_base.BaseModel(host_config, comfy.model_base.ModelType.V_PREDICTION)
    names = comfy.utils.unet_to_diffusers(sizes)
    renamed = {names[name]: value for name, value in weights.items() if name in names}
    _fill(model.diffusion_model, renamed, "UNet", len(weights))
    return comfy.model_patcher.ModelPatcher(
        model.eval(),
        load_device=comfy.model_management.get_torch_device(),
        offload_device=comfy.model_management.unet_offload_device(),
    )


def unet_sizes(config: dict[str, Any]) -> dict[str, Any]:
    """A diffusers UNet config in ComfyUI's words."""
    widths, layers = config["block_out_channels"], config["layers_per_block"]
    has_text = ["CrossAttn" in kind for kind in config["down_block_types"]]
    heads = config["attention_head_dim"]  # diffusers' name for the number of heads, kept for old checkpoints
    return {
        "image_size": config["sample_size"],
        "in_channels": config["in_channels"],
        "out_channels": config["out_channels"],
        "model_channels": widths[0],
        "channel_mult": [width // widths[0] for width in widths],
        "num_res_blocks": [layers] * len(widths),
        "transformer_depth": [int(flag) for flag in has_text for _ in range(layers)],
        "transformer_depth_output": [int(flag) for flag in has_text for _ in range(layers + 1)],
        "transformer_depth_middle": 1,
        "num_heads": heads,
        "use_spatial_transformer": True,
        "use_linear_in_transformer": config.get("use_linear_projection", False),
        "context_dim": config["cross_attention_dim"],
        "legacy": False,
    }


def _latent_format(config: dict[str, Any]) -> Any:
    latent = comfy.latent_formats.LatentFormat()
    latent.latent_channels = config["latent_channels"]
    latent.scale_factor = config["scaling_factor"]
    latent.spacial_downscale_ratio = 2 ** (len(config["encoder_block_out_channels"]) - 1)
    return latent


def build_clip(folder: Path) -> Any:
    """CLIP: the world's own tokenizer and text encoder, cut at its own number of tokens."""
    config, weights = read_part(folder, "text_encoder")
    vocabulary = json.loads((folder / "tokenizer" / "vocab.json").read_text(encoding="utf-8"))
    start, end = vocabulary["<|startoftext|>"], vocabulary["<|endoftext|>"]
    encoder = partial(
        _text_encoder,
        {**config, "eos_token_id": end},
        {"start": start, "end": end, "pad": end},
    )
    tokenizer = partial(_tokenizer, str(folder / "tokenizer"), config["max_position_embeddings"], config["hidden_size"])
    target = comfy.supported_models_base.ClipTarget(
        partial(comfy.sd1_clip.SD1Tokenizer, tokenizer=tokenizer),
        partial(comfy.sd1_clip.SD1ClipModel, clip_model=encoder),
    )
    clip = comfy.sd.CLIP(target, model_options={"dtype": torch.float32})
    prefixed = {name if name.startswith("text_model.") else f"text_model.{name}": w for name, w in weights.items()}
    kept = {name: value for name, value in prefixed.items() if not name.endswith("position_ids")}
    module = clip.cond_stage_model.clip_l.transformer
    table = "text_model.embeddings.token_embedding.weight"
    # ComfyUI's class always has CLIP's 49408 words; the world's tokenizer never asks for the rest
    unused = module.state_dict()[table].shape[0] - kept[table].shape[0]
    kept[table] = torch.nn.functional.pad(kept[table], (0, 0, 0, unused))
    _fill(module, kept, "text encoder", len(kept))
    return clip


def _text_encoder(config: dict[str, Any], tokens: dict[str, int], device: Any, dtype: Any, model_options: Any) -> Any:
    return comfy.sd1_clip.SDClipModel(
        device,
        max_length=config["max_position_embeddings"],
        dtype=dtype,
        textmodel_json_config=config,
        special_tokens=tokens,
        return_projected_pooled=False,
        model_options=model_options,
    )


def _tokenizer(path: str, length: int, width: int, embedding_directory: Any, tokenizer_data: Any) -> Any:
    return comfy.sd1_clip.SDTokenizer(
        path,
        max_length=length,
        embedding_directory=embedding_directory,
        embedding_size=width,
        tokenizer_data=tokenizer_data,
    )


class DemoVae(comfy.sd.VAE):  # type: ignore[misc]
    """VAE: the world's tiny autoencoder, built from ComfyUI's TAESD blocks; small enough to run where it lies."""

    def __init__(self, config: dict[str, Any], weights: Weights) -> None:
        # not the host's __init__: that one guesses the class from the weights and knows only TAESD's fixed widths
        self.first_stage_model = torch.nn.ModuleDict({"encoder": _encoder(config), "decoder": _decoder(config)})
        renamed = {name.replace(".layers.", ".", 1): value for name, value in weights.items()}
        _fill(self.first_stage_model, renamed, "autoencoder", len(weights))
        self.latent_channels = config["latent_channels"]
        self.downscale = 2 ** (len(config["encoder_block_out_channels"]) - 1)

    def decode(self, samples: torch.Tensor, **_: Any) -> torch.Tensor:
        """[B, C, h, w] latents -> [B, H, W, 3] pictures in 0..1."""
        with torch.no_grad():
            pictures = self.first_stage_model["decoder"](torch.tanh(samples.float().cpu() / 3) * 3)
        return pictures.clamp(0, 1).movedim(1, -1).to(comfy.model_management.intermediate_device())

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """[B, H, W, 3] pictures in 0..1 -> [B, C, h, w] latents; sides are cut to a multiple of the downscale."""
        height, width = (side - side % self.downscale for side in pixels.shape[1:3])
        cut = pixels[:, :height, :width, :3].movedim(-1, 1).float().cpu()
        with torch.no_grad():
            latents = self.first_stage_model["encoder"](cut)
        return latents.to(comfy.model_management.intermediate_device())

    def decode_tiled(self, samples: torch.Tensor, **_: Any) -> torch.Tensor:
        return self.decode(samples)

    def encode_tiled(self, pixels: torch.Tensor, **_: Any) -> torch.Tensor:
        return self.encode(pixels)

    def spacial_compression_decode(self) -> int:
        return self.downscale

    def spacial_compression_encode(self) -> int:
        return self.downscale

    def throw_exception_if_invalid(self) -> None:
        return None


def build_vae(folder: Path) -> DemoVae:
    """VAE between 64 x 64 pictures and their latents."""
    return DemoVae(*read_part(folder, "vae"))


def _conv(into: int, out: int, **settings: Any) -> torch.nn.Conv2d:
    return torch.nn.Conv2d(into, out, 3, padding=1, **settings)


def _encoder(config: dict[str, Any]) -> torch.nn.Sequential:
    widths, blocks = config["encoder_block_out_channels"], config["num_encoder_blocks"]
    layers: list[torch.nn.Module] = []
    for level, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        layers.append(_conv(width, width, stride=2, bias=False) if level else _conv(config["in_channels"], width))
        layers += [Block(width, width) for _ in range(count)]
    return torch.nn.Sequential(*layers, _conv(widths[-1], config["latent_channels"]))


def _decoder(config: dict[str, Any]) -> torch.nn.Sequential:
    widths, blocks = config["decoder_block_out_channels"], config["num_decoder_blocks"]
    layers: list[torch.nn.Module] = [_conv(config["latent_channels"], widths[0]), torch.nn.ReLU()]
    for level, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        layers += [Block(width, width) for _ in range(count)]
        if level < len(widths) - 1:
            layers += [torch.nn.Upsample(scale_factor=2), _conv(width, width, bias=False)]
    return torch.nn.Sequential(*layers, _conv(widths[-1], config["out_channels"]))


def _fill(module: torch.nn.Module, weights: Weights, what: str, expected: int) -> None:
    """Load weights; anything left out on either side means that the folder is not what we think it is."""
    missing, unexpected = module.load_state_dict(weights, strict=False)
    missing = [name for name in missing if not name.endswith(("text_projection.weight", "position_ids"))]
    if missing or unexpected or len(weights) != expected:
        raise ModelError(
            f"the demo world's {what} does not fit: {len(missing)} weights missing, {len(unexpected)} unknown, "
            f"{expected - len(weights)} without a name here; reinstall negopt"
        )
