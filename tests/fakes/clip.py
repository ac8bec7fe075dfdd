"""A small random CLIP of the real architecture, and an aesthetic head for it in its published layout."""

from pathlib import Path

import torch
from transformers import CLIPConfig, CLIPModel

from negopt_core.lab.make_world.tokenizer import world_words, write_tokenizer

WIDTH = 16


def save_clip(place: Path) -> Path:
    """A CLIP folder as transformers writes it."""
    tokenizer = write_tokenizer(place, world_words())
    ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}
    torch.manual_seed(0)
    config = CLIPConfig(
        text_config={"vocab_size": len(tokenizer), "max_position_embeddings": 40, **sizes, **ids},
        vision_config={"image_size": 32, "patch_size": 8, **sizes},
        projection_dim=WIDTH,
    )
    CLIPModel(config).save_pretrained(str(place))
    return place


def published_layers(width: int = WIDTH) -> dict[str, torch.Tensor]:
    """The published aesthetic head's layout: linear layers 0, 2, 4, 6, 7, dropout between them."""
    draw = torch.Generator().manual_seed(3)
    sizes = {0: (20, width), 2: (12, 20), 4: (8, 12), 6: (4, 8), 7: (1, 4)}
    layers = {}
    for index, shape in sizes.items():
        layers[f"layers.{index}.weight"] = torch.randn(shape, generator=draw)
        layers[f"layers.{index}.bias"] = torch.randn(shape[0], generator=draw)
    return layers
