"""The families that people run, in sizes that paint in milliseconds: a table.

Only sizes are ours: the configuration class of each family, which is ComfyUI's own, says what is built of them. Two
blocks of each kind: what attention makes of a text shows in the block after.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

TEXT, POOLED = 64, 32

_ROPE = {"axes_dim": [4, 6, 6], "theta": 10000}
_SMALL = {"hidden_size": 64, "num_heads": 4, "depth": 2, "depth_single_blocks": 2, "patch_size": 2, **_ROPE}
_FLUX = {
    **_SMALL,
    "in_channels": 16,
    "out_channels": 16,
    "mlp_ratio": 2.0,
    "qkv_bias": True,
    "txt_ids_dims": [],
    "vec_in_dim": POOLED,
    "context_in_dim": TEXT,
    "guidance_embed": True,
}
# 64 channels: the host normalises in 32 groups, and a group of one channel would wipe out what a vector adds to it
_UNET = {
    "image_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 64,
    "num_res_blocks": [1],
    "channel_mult": (1,),
    "num_heads": 4,
    "num_head_channels": -1,
    "use_spatial_transformer": True,
    "transformer_depth": [1],
    "transformer_depth_middle": 1,
    "transformer_depth_output": [1, 1],
    "context_dim": TEXT,
    "legacy": False,
}
_SDXL = {"use_linear_in_transformer": True, "num_classes": "sequential", "adm_in_channels": POOLED + 6 * 256}
_SD3 = {
    "patch_size": 2,
    "in_channels": 16,
    "out_channels": 16,
    "depth": 2,
    "pos_embed_max_size": 32,
    "num_patches": 32 * 32,
    "adm_in_channels": POOLED,
    "context_embedder_config": {"target": "torch.nn.Linear", "params": {"in_features": TEXT, "out_features": 128}},
}
_HUNYUAN = {
    **_SMALL,
    "in_channels": 16,
    "out_channels": 16,
    "mlp_ratio": 2.0,
    "patch_size": [1, 2, 2],
    "qkv_bias": True,
    "vec_in_dim": POOLED,
    "context_in_dim": TEXT,
    "guidance_embed": True,
    "byt5": False,
    "meanflow": False,
    "use_cond_type_embedding": False,
    "vision_in_dim": None,
    "meanflow_sum": False,
}
_LUMINA = {
    "in_channels": 16,
    "dim": 64,
    "n_layers": 2,
    "n_refiner_layers": 1,
    "n_heads": 2,
    "multiple_of": 32,
    "qk_norm": True,
    "cap_feat_dim": TEXT,
    "axes_dims": [8, 12, 12],
    "axes_lens": [300, 512, 512],
}
_COSMOS = {
    "max_img_h": 64,
    "max_img_w": 64,
    "max_frames": 8,
    "in_channels": 16,
    "out_channels": 16,
    "patch_spatial": 2,
    "patch_temporal": 1,
    "model_channels": 64,
    "num_blocks": 2,
    "num_heads": 2,
    "crossattn_emb_channels": TEXT,
    "pos_emb_cls": "rope3d",
    "pos_emb_learnable": True,
    "use_adaln_lora": True,
    "adaln_lora_dim": 16,
    "rope_enable_fps_modulation": False,
}


@dataclass(frozen=True, eq=False)
class Family:
    """ComfyUI's configuration class, our sizes, the shape of its latents, and what its text encoder adds."""

    name: str
    config: str
    settings: dict[str, Any]
    latent: tuple[int, ...] = (1, 16, 8, 8)
    tokens: int = 77
    """Of a short text, as its text encoder pads it."""
    is_pooled: bool = False
    """True if the network reads a pooled vector of the text."""
    is_masked: bool = False
    """True if its text encoder tells which tokens are padding."""
    extras: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Further tensors of the conditioning, by name, with their shapes."""


VIDEO = (1, 16, 1, 8, 8)
FAMILIES = (
    Family("sd15", "SD15", _UNET, (1, 4, 8, 8)),
    Family("sd2", "SD20", _UNET, (1, 4, 8, 8)),
    Family("sdxl", "SDXL", {**_UNET, **_SDXL}, (1, 4, 8, 8), is_pooled=True),
    Family("sd3", "SD3", _SD3, is_pooled=True),
    Family("flux", "Flux", {**_FLUX, "image_model": "flux"}, is_pooled=True),
    Family(
        "flux2",
        "Flux2",
        {
            **_FLUX,
            "image_model": "flux2",
            "in_channels": 128,
            "out_channels": 128,
            "patch_size": 1,
            "axes_dim": [4, 4, 4, 4],
            "vec_in_dim": None,
            "qkv_bias": False,
            "ops_bias": False,
            "global_modulation": True,
            "mlp_silu_act": True,
            "txt_ids_dims": [3],
        },
        (1, 128, 4, 4),
    ),
    Family(
        "chroma",
        "Chroma",
        {
            **{name: value for name, value in _FLUX.items() if name != "guidance_embed"},
            "image_model": "chroma",
            "in_channels": 64,
            "out_channels": 64,
            "in_dim": 64,
            "out_dim": 64,
            "hidden_dim": 64,
            "n_layers": 2,
        },
    ),
    Family("hunyuan-video", "HunyuanVideo", {**_HUNYUAN, "image_model": "hunyuan_video"}, VIDEO, is_pooled=True),
    Family(
        "hunyuan-image",
        "HunyuanImage21",
        {
            **_HUNYUAN,
            "image_model": "hunyuan_video",
            "in_channels": 64,
            "out_channels": 64,
            "patch_size": [1, 1],
            "axes_dim": [8, 8],
            "vec_in_dim": None,
            "guidance_embed": False,
        },
        (1, 64, 8, 8),
    ),
    Family("lumina2", "Lumina2", {**_LUMINA, "image_model": "lumina2"}),
    Family(
        "z-image",
        "ZImage",
        {
            **_LUMINA,
            "image_model": "lumina2",
            "dim": 256,  # its vector of time is as wide
            "n_heads": 8,
            "z_image_modulation": True,
            "time_scale": 1000.0,
            "pad_tokens_multiple": 32,
        },
    ),
    Family(
        "qwen-image",
        "QwenImage",
        {
            "image_model": "qwen_image",
            "in_channels": 64,
            "num_layers": 2,
            "attention_head_dim": 16,
            "num_attention_heads": 4,
            "joint_attention_dim": TEXT,
            "axes_dims_rope": (4, 6, 6),
        },
        VIDEO,
    ),
    Family(
        "wan",
        "WAN21_T2V",
        {"image_model": "wan2.1", "dim": 64, "ffn_dim": 128, "text_dim": TEXT, "num_heads": 2, "num_layers": 2},
        VIDEO,
        tokens=512,
    ),
    Family("cosmos", "CosmosT2IPredict2", {**_COSMOS, "image_model": "cosmos_predict2"}, VIDEO),
    Family("anima", "Anima", {**_COSMOS, "image_model": "anima"}, VIDEO),
    Family(
        "ernie",
        "ErnieImage",
        {
            "hidden_size": 64,
            "num_attention_heads": 2,
            "num_layers": 2,
            "ffn_hidden_size": 128,
            "text_in_dim": TEXT,
            "rope_axes_dim": (8, 12, 12),
        },
        (1, 128, 4, 4),
    ),
    Family(
        "ltx",
        "LTXV",
        {
            "image_model": "ltxv",
            "in_channels": 128,
            "cross_attention_dim": 64,
            "attention_head_dim": 32,
            "num_attention_heads": 2,
            "caption_channels": TEXT,
            "num_layers": 2,
        },
        (1, 128, 1, 4, 4),
        is_masked=True,
    ),
    Family(
        "krea2",
        "Krea2",
        {
            "image_model": "krea2",
            "features": 64,
            "tdim": 32,
            "txtdim": TEXT // 2,
            "heads": 2,
            "kvheads": 2,
            "layers": 2,
            "txtlayers": 2,
            "txtheads": 2,
            "txtkvheads": 2,
        },
    ),
    Family(
        "hidream",
        "HiDream",
        {
            "image_model": "hidream",
            "patch_size": 2,
            "in_channels": 16,
            "out_channels": 16,
            "num_layers": 2,
            "num_single_layers": 2,
            "attention_head_dim": 32,
            "num_attention_heads": 2,
            "caption_channels": [TEXT, TEXT],
            "text_emb_dim": POOLED,
            "num_routed_experts": 2,
            "num_activated_experts": 1,
            "axes_dims_rope": [16, 8, 8],
            "max_resolution": [32, 32],
            "llama_layers": [0, 0, 0, 0],
        },
        is_pooled=True,
        extras={"conditioning_llama3": (1, 1, 16, TEXT)},
    ),
    Family(
        "kandinsky5",
        "Kandinsky5",
        {
            "image_model": "kandinsky5",
            "in_text_dim": TEXT,
            "in_text_dim2": POOLED,
            "time_dim": 32,
            "model_dim": 64,
            "ff_dim": 128,
            "num_text_blocks": 1,
            "num_visual_blocks": 2,
            "axes_dims": (8, 12, 12),
        },
        VIDEO,
        is_pooled=True,
    ),
)
