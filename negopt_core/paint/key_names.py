"""Names of tensors in single files, as the original code bases wrote them, in the words of diffusers and transformers.

Every function takes a name without its part's prefix. None is a tensor that nobody reads; what no rule knows keeps its
name, and then fits no module.
"""

from __future__ import annotations

import re

UNET = "model.diffusion_model."
VAE = "first_stage_model."
INNER = "text_model."
"""transformers before 5 puts this before a text encoder's names, newer ones do not."""

_RESNET = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
_UNET_TOP = {
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "label_emb.0.0": "add_embedding.linear_1",
    "label_emb.0.2": "add_embedding.linear_2",
    "input_blocks.0.0": "conv_in",
    "out.0": "conv_norm_out",
    "out.2": "conv_out",
    "middle_block.0": "mid_block.resnets.0",
    "middle_block.1": "mid_block.attentions.0",
    "middle_block.2": "mid_block.resnets.1",
}
_VAE_ATTENTION = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}
_OPEN_CLIP = {
    "positional_embedding": "embeddings.position_embedding.weight",
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight",
    "ln_final.bias": "final_layer_norm.bias",
    "text_projection": "text_projection.weight",
}
_OPEN_CLIP_LAYER = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
    "attn.out_proj": "self_attn.out_proj",
}
_UNREAD = {"embeddings.position_ids", "logit_scale", "attn_mask"}
_THREE = ("q_proj", "k_proj", "v_proj")


def unet_name(name: str, layers: int) -> str:
    """A UNet of `layers` layers a level."""
    for old, new in _UNET_TOP.items():
        if name.startswith(f"{old}."):
            return _resnet(new + name.removeprefix(old))
    found = re.fullmatch(r"(input|output)_blocks\.(\d+)\.(\d)\.(.+)", name)
    if found is None:
        return name
    side, place, part, rest = found[1], int(found[2]) - (found[1] == "input"), int(found[3]), found[4]
    level, layer = divmod(place, layers + 1)
    if side == "input" and rest.startswith("op."):
        return f"down_blocks.{level}.downsamplers.0.conv.{rest.removeprefix('op.')}"
    if side == "output" and part and rest.startswith("conv."):
        return f"up_blocks.{level}.upsamplers.0.{rest}"
    kind = "attentions" if part else "resnets"
    return _resnet(f"{'down' if side == 'input' else 'up'}_blocks.{level}.{kind}.{layer}.{rest}")


def _resnet(name: str) -> str:
    for old, new in _RESNET.items():
        name = name.replace(f".{old}.", f".{new}.")
    return name


def vae_name(name: str, levels: int) -> str | None:
    """An autoencoder of `levels` levels; the discriminator that it was trained with is not read."""
    if name.startswith(("loss.", "model_ema.")):
        return None
    name = re.sub(r"mid\.block_(\d)", lambda found: f"mid_block.resnets.{int(found[1]) - 1}", name)
    if ".mid.attn_1." in name:
        outer, _, rest = name.partition(".mid.attn_1.")
        inner, _, kind = rest.rpartition(".")
        return f"{outer}.mid_block.attentions.0.{_VAE_ATTENTION.get(inner, inner)}.{kind}"
    name = re.sub(r"down\.(\d)\.block\.(\d)", r"down_blocks.\1.resnets.\2", name)
    name = re.sub(r"down\.(\d)\.downsample\.", r"down_blocks.\1.downsamplers.0.", name)
    name = re.sub(r"up\.(\d)\.block\.(\d)", lambda f: f"up_blocks.{levels - 1 - int(f[1])}.resnets.{f[2]}", name)
    name = re.sub(r"up\.(\d)\.upsample\.", lambda f: f"up_blocks.{levels - 1 - int(f[1])}.upsamplers.0.", name)
    return name.replace(".norm_out.", ".conv_norm_out.").replace(".nin_shortcut.", ".conv_shortcut.")


def clip_name(name: str) -> str | None:
    """OpenAI's CLIP as transformers writes it, with or without the inner name; the result is without."""
    name = name.removeprefix(INNER)
    return None if name in _UNREAD or name == "text_projection.weight" else name


def open_clip_names(name: str, layers: int, is_projected: bool) -> tuple[str, ...]:
    """OpenCLIP's text side; three names where one tensor holds queries, keys and values, () where it is not read.

    Stable Diffusion 2 stores a last layer that it does not run, and a projection that it does not use.
    """
    if name in _UNREAD or (name == "text_projection" and not is_projected):
        return ()
    if name in _OPEN_CLIP:
        return (_OPEN_CLIP[name],)
    found = re.fullmatch(r"transformer\.resblocks\.(\d+)\.(.+)", name)
    if found is None:
        return (name,)
    if int(found[1]) >= layers:
        return ()
    layer, rest = f"encoder.layers.{found[1]}", found[2]
    if rest.startswith("attn.in_proj_"):
        return tuple(f"{layer}.self_attn.{one}.{rest.removeprefix('attn.in_proj_')}" for one in _THREE)
    inner, _, kind = rest.rpartition(".")
    return (f"{layer}.{_OPEN_CLIP_LAYER.get(inner, inner)}.{kind}",)
