"""PAE's released actor: the names and the file of `actor_step3000.pt` (arXiv 2404.04095), small random numbers."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

WIDTH, LAYERS, POSITIONS = 128, 2, 40


def actor_state(vocabulary: int) -> dict[str, Tensor]:
    """Its tensors: a GPT-2 with untransposed matrices, a head of its own, PAE's two heads, and causal masks."""
    torch.manual_seed(0)
    shapes = {
        "transformer.token_embedding_layer.weight": (vocabulary, WIDTH),
        "transformer.position_embedding_layer.weight": (POSITIONS, WIDTH),
        "transformer.ln.weight": (WIDTH,),
        "transformer.ln.bias": (WIDTH,),
        "lm_head.weight": (vocabulary, WIDTH),
        "predict_weight_token.weight": (5, WIDTH),
        "predict_diffstep_token.weight": (3, WIDTH),
    }
    for block in range(LAYERS):
        start = f"transformer.decoder_blocks.{block}"
        shapes |= {f"{start}.{norm}.{part}": (WIDTH,) for norm in ("ln1", "ln2") for part in ("weight", "bias")}
        for name, rows, columns in (
            ("mmsa.qkv_projection", 3 * WIDTH, WIDTH),
            ("mmsa.output_projection", WIDTH, WIDTH),
            ("ffn.fc1", 4 * WIDTH, WIDTH),
            ("ffn.fc2", WIDTH, 4 * WIDTH),
        ):
            shapes |= {f"{start}.{name}.weight": (rows, columns), f"{start}.{name}.bias": (rows,)}
    state = {name: torch.randn(shape) * 0.1 for name, shape in shapes.items()}
    masks = {f"transformer.decoder_blocks.{block}.mmsa.mask": torch.ones(1, 1, 4, 4) for block in range(LAYERS)}
    return state | masks


def save_actor(path: Path, state: dict[str, Tensor]) -> Path:
    """As their trainer writes it: under `model_state_dict`, beside the step and the optimizer."""
    torch.save({"step": 3000, "model_state_dict": state, "optimizer_state_dict": {"state": {}}}, path)
    return path
