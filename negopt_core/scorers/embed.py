"""Pictures and prompts in CLIP's space (arXiv 2103.00020), for every scorer that is built on one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..devices import AUTO, find_device, put_on
from ..errors import ModelError
from ..needs import naming_what_is_missing
from ..quiet import quiet
from .clip_folder import check_folder
from .recent import Recent

HUB_PREFIX = "hf:"
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
"""Per channel, as OpenAI trained it; OpenCLIP's models use the same."""


@dataclass(frozen=True)
class Embedder:
    """A CLIP model and its tokenizer, frozen."""

    model: Any
    tokenizer: Any
    recent: Recent = field(default_factory=Recent, repr=False, compare=False)

    @classmethod
    @naming_what_is_missing()
    @quiet()
    def load(cls, source: str, device: str = AUTO) -> Embedder:
        """From a transformers folder, or `hf:owner/name`, the only form that uses the network; safetensors only.

        ModelError for weights that are damaged, pickled, of another architecture or not all there.
        """
        from safetensors import SafetensorError
        from transformers import AutoTokenizer, CLIPModel

        is_on_hub = source.startswith(HUB_PREFIX)
        name = source.removeprefix(HUB_PREFIX) if is_on_hub else str(Path(source).expanduser())
        try:
            if not is_on_hub and (wrong := check_folder(Path(name))):
                raise ValueError(wrong)
            loaded: Any = CLIPModel.from_pretrained(
                name, use_safetensors=True, local_files_only=not is_on_hub, output_loading_info=True
            )
            model, info = loaded
            _check_keys(info)
            tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=not is_on_hub)
            if len(tokenizer) > (known := int(model.config.text_config.vocab_size)):
                raise ValueError(f"its tokenizer has {len(tokenizer)} entries, its model {known}")
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
            raise ModelError(f"cannot load a CLIP model from {source!r}: {reason}") from error
        where = find_device(device)
        network = model.float() if where == "cpu" else model  # half precision is for GPUs
        return cls(put_on(network, where).eval().requires_grad_(False), tokenizer)

    def pictures(self, images: Tensor) -> Tensor:
        """[B, 3, H, W] in 0..1 -> [B, D] of length 1; for the same tensor computed once, whoever asks."""
        return self.recent.of(images, self._embed)

    @torch.no_grad()
    def _embed(self, images: Tensor) -> Tensor:
        vision, device = self.model.vision_model, self.model.device
        images = images.to(device) if device.type == "cuda" else images  # mps cannot resize with antialias
        pixels = prepare(images, int(vision.config.image_size)).to(device, self.model.dtype)
        embedded: Tensor = self.model.visual_projection(vision(pixel_values=pixels).pooler_output)
        return functional.normalize(embedded.float(), dim=-1)

    @torch.no_grad()
    def prompts(self, texts: Sequence[str]) -> Tensor:
        """[B, D] of length 1; what exceeds the text encoder's 77 tokens is cut off."""
        limit = int(self.model.config.text_config.max_position_embeddings)
        tokens = self.tokenizer(list(texts), padding=True, truncation=True, max_length=limit, return_tensors="pt")
        tokens = tokens.to(self.model.device)
        read = self.model.text_model(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask)
        embedded: Tensor = self.model.text_projection(read.pooler_output)
        return functional.normalize(embedded.float(), dim=-1)

    @property
    def scale(self) -> float:
        """exp of the learned logit scale; 100 in OpenAI's models."""
        return float(self.model.logit_scale.exp())


def _check_keys(info: Mapping[str, Any]) -> None:
    """ValueError unless every tensor of the file has its place and every place its tensor."""
    for key, told in (("missing_keys", "lacks"), ("unexpected_keys", "has no place for")):
        names = sorted(name for name in info.get(key) or () if not name.endswith(".position_ids"))
        if names:
            raise ValueError(f"this CLIP {told} {len(names)} tensors, first {names[0]}; is it another architecture?")


def prepare(images: Tensor, size: int) -> Tensor:
    """Shorter side to `size` (bicubic, antialiased), centre crop, CLIP's normalisation.

    On tensors instead of PIL images: differs from the reference pipeline by rounding to 8 bits and by the last digits
    of the filter.
    """
    height, width = images.shape[-2:]
    factor = size / min(height, width)
    to = [max(size, round(height * factor)), max(size, round(width * factor))]
    images = functional.interpolate(images.float(), to, mode="bicubic", antialias=True).clamp(0, 1)
    top, left = (to[0] - size) // 2, (to[1] - size) // 2
    images = images[..., top : top + size, left : left + size]
    mean, deviation = (images.new_tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    return (images - mean) / deviation
