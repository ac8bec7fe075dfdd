"""The PAE authors' released actor as a policy folder: the same numbers under transformers' names.

Their file is a dictionary with `model_state_dict`: a GPT-2 whose layers have other names and untransposed matrices, a
word head of its own (not tied to the embedding), and two heads without bias for weights and ranges.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel

from ...errors import ModelError
from ...text.prompt import Window
from ...torch_file import read_torch_file
from ..card import PolicyCard
from .folder import make_policy
from .model import LanguagePolicy

PAE_WINDOWS = (Window(0.5, 1.0), Window(0.0, 1.0), Window(0.0, 0.5))
"""Their ranges 0-0.5, 0-1, 0.5-1 are noise time; these are progress."""
PAE_WEIGHTS = (0.5, 0.75, 1.0, 1.25, 1.5)
HEAD_WIDTH = 64
"""Channels of an attention head in every GPT-2; their file does not say how many heads there are."""

_PLAIN = {
    "transformer.token_embedding_layer.weight": "transformer.wte.weight",
    "transformer.position_embedding_layer.weight": "transformer.wpe.weight",
    "transformer.ln.weight": "transformer.ln_f.weight",
    "transformer.ln.bias": "transformer.ln_f.bias",
    "lm_head.weight": "lm_head.weight",
}
_IN_BLOCK = {
    "ln1": "ln_1",
    "ln2": "ln_2",
    "mmsa.qkv_projection": "attn.c_attn",
    "mmsa.output_projection": "attn.c_proj",
    "ffn.fc1": "mlp.c_fc",
    "ffn.fc2": "mlp.c_proj",
}
_BLOCK = re.compile(r"transformer\.decoder_blocks\.(\d+)\.(.+)\.(weight|bias)")
_HEADS = {"predict_weight_token.weight": "weights", "predict_diffstep_token.weight": "windows"}


def read_actor(path: Path) -> dict[str, Tensor]:
    """The tensors of the released file, read without running anything in it; ModelError says what is wrong."""
    values = read_torch_file(path)
    tensors = values.get("model_state_dict") if isinstance(values, dict) else None
    if not isinstance(tensors, dict) or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise ModelError(f"{path} holds no model_state_dict with tensors, so it is no actor of PAE")
    state = {str(name).removeprefix("_orig_mod."): value.float() for name, value in tensors.items()}
    adapters = [name for name in state if "lora_" in name]
    if adapters:
        raise ModelError(f"{path} holds LoRA adapters ({adapters[0]}); merge them into the weights first")
    return {name: value for name, value in state.items() if not name.endswith(".mmsa.mask")}


def actor_policy(state: Mapping[str, Tensor], tokenizer: Any, name: str) -> LanguagePolicy:
    """The policy that the tensors make; every tensor has its place and every place its tensor, or ModelError."""
    rest = dict(state)
    heads = {_HEADS[key]: rest.pop(key) for key in _HEADS if key in rest}
    renamed = dict(_renamed(key, value) for key, value in rest.items())
    try:
        vocabulary, width = renamed["transformer.wte.weight"].shape
        positions = len(renamed["transformer.wpe.weight"])
        layers = 1 + max(int(key.split(".")[2]) for key in renamed if key.startswith("transformer.h."))
    except (KeyError, ValueError) as error:
        raise ModelError(f"these are not the tensors of PAE's actor: {error!r}") from error
    config = GPT2Config(
        vocab_size=vocabulary,
        n_embd=width,
        n_layer=layers,
        n_head=max(1, width // HEAD_WIDTH),
        n_positions=positions,
        tie_word_embeddings=False,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    if len(tokenizer) != vocabulary:
        raise ModelError(f"the tokenizer has {len(tokenizer)} entries, the actor {vocabulary}; it needs GPT-2's own")
    policy = make_policy(GPT2LMHeadModel(config), tokenizer, _card(name))
    _fill(policy, renamed, heads)
    return policy.eval()


def _renamed(key: str, value: Tensor) -> tuple[str, Tensor]:
    if key in _PLAIN:
        return _PLAIN[key], value
    match = _BLOCK.fullmatch(key)
    part = _IN_BLOCK.get(match.group(2)) if match else None
    if match is None or part is None:
        raise ModelError(f"{key!r} has no place in a GPT-2 with PAE's heads; is this the released actor?")
    is_matrix = match.group(3) == "weight" and value.dim() == 2  # transformers keeps them the other way round
    return f"transformer.h.{match.group(1)}.{part}.{match.group(3)}", value.T.contiguous() if is_matrix else value


def _fill(policy: LanguagePolicy, renamed: Mapping[str, Tensor], heads: Mapping[str, Tensor]) -> None:
    try:
        policy.model.load_state_dict(dict(renamed), strict=True)
        for channel in ("windows", "weights"):
            head = policy.heads[channel]
            head.load_state_dict({"weight": heads[channel], "bias": torch.zeros(len(heads[channel]))}, strict=True)
    except (RuntimeError, KeyError) as error:
        raise ModelError(f"the tensors do not fit PAE's actor: {str(error)[:300]}") from error


def _card(name: str) -> PolicyCard:
    return PolicyCard(
        kind="df",
        name=name,
        polarity="modifiers",
        base_model="CompVis/stable-diffusion-v1-4",
        families=("sd15",),
        windows=PAE_WINDOWS,
        weights=PAE_WEIGHTS,
        weighting="pae",
        settings={"temperature": 0.9, "top_k": 200},
        caveats=(
            "converted from PAE's released actor: a phrase's window and weight are chosen once, where it ends; PAE's "
            "own code lets its tokens vote",
        ),
        provenance={"made_by": "converted by negopt from PAE's actor (arXiv 2404.04095); its licence is not stated"},
    )
