"""How a policy is computed while it learns: device, precision, less memory for activations, adapters for weights."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from ...devices import put_on
from ...errors import TrainingError
from ...needs import need
from ...policy.language import LanguagePolicy
from .settings import AUTO, Compute

_LARGE = 30_000_000
"""Weights from which a model is computed in bfloat16 on a GPU: T5-small has twice as many."""
_ADAPTED = {"t5": ["q", "v"], "gpt2": ["c_attn"], "llama": ["q_proj", "v_proj"]}
"""What LoRA adapts by `model_type`: queries and values, as in arXiv 2106.09685; GPT-2 has them in one matrix."""
_ADAPTER = "lora_"


def device_of(named: str) -> str:
    """The device that a flag names; `auto` is the GPU if there is one, of several processes each one's own."""
    return ("cuda" if torch.cuda.is_available() else "cpu") if named == AUTO else named


def prepared(policy: LanguagePolicy, compute: Compute, device: str, seed: int) -> LanguagePolicy:
    """The policy itself, where and as it will be computed. MissingPackage for LoRA without peft."""
    if compute.lora:
        _add_adapters(policy, compute.lora, seed)
    if compute.checkpointing:
        model: Any = policy.model
        enable = getattr(model, "activation_checkpointing_enable", None)  # its name since transformers 5.24
        (enable or model.gradient_checkpointing_enable)({"use_reentrant": False})
    policy = put_on(policy, device_of(device))
    policy.precision = _precision(policy.model, compute.precision)
    return policy


def computed_in(policy: LanguagePolicy) -> dict[str, str]:
    """The precision, for the card, where it is not float32."""
    return {} if policy.precision == torch.float32 else {"precision": str(policy.precision).removeprefix("torch.")}


def _precision(model: nn.Module, named: str) -> torch.dtype:
    if named != AUTO:
        return torch.bfloat16 if named == "bfloat16" else torch.float32
    is_large = sum(one.numel() for one in model.parameters()) >= _LARGE
    on_gpu = next(model.parameters()).device.type == "cuda"
    return torch.bfloat16 if is_large and on_gpu and torch.cuda.is_bf16_supported() else torch.float32


def _add_adapters(policy: LanguagePolicy, rank: int, seed: int) -> None:
    """Adapters of a rank in the language model, whose own weights stop learning; the heads go on."""
    need("peft")
    peft: Any = importlib.import_module("peft")
    kind = policy.model.config.model_type
    config = peft.LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=_ADAPTED[kind], fan_in_fan_out=kind == "gpt2")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        peft.inject_adapter_in_model(config, policy.model)
    for name, parameter in policy.model.named_parameters():
        parameter.requires_grad_(_ADAPTER in name)


def merge_adapters(policy: LanguagePolicy) -> None:
    """Put what adapters have learned into the weights, and leave a model as it was before them."""
    modules = dict(policy.model.named_modules())
    for name, module in modules.items():
        if hasattr(module, "get_base_layer") and hasattr(module, "merge"):
            module.merge()
            parent, _, own = name.rpartition(".")
            setattr(modules[parent], own, module.get_base_layer())
    policy.model.requires_grad_(True)


@contextmanager
def recomputing(policy: LanguagePolicy) -> Iterator[None]:
    """Gradient checkpointing, if it is on, without dropout: transformers has it only in training mode."""
    layers = [one for one in policy.model.modules() if getattr(one, "gradient_checkpointing", False)]
    before = [layer.training for layer in layers]
    for layer in layers:
        layer.training = True
    try:
        yield
    finally:
        for layer, was in zip(layers, before, strict=True):
            layer.training = was


@contextmanager
def naming_full_memory() -> Iterator[None]:
    """TrainingError, in one line, where a GPU has no room left."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            "the GPU has no room left; the last checkpoint is intact, and the same command with a smaller --minibatch, "
            "with --checkpointing or --precision bfloat16 goes on from there"
        ) from error
