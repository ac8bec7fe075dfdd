"""Pictures and prompts in CLIP's space (arXiv 2103.00020), for every scorer that is built on one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..devices import put_on
from ..errors import ModelError
from ..needs import naming_what_is_missing
from ..quiet import quiet

HUB_PREFIX = "hf:"
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
"""Per channel, as OpenAI trained it; OpenCLIP's models use the same."""


@dataclass(frozen=True)
class Embedder:
    """A CLIP model and its tokenizer, frozen."""

    model: Any
    tokenizer: Any

    @classmethod
    @naming_what_is_missing()
    @quiet()
    def load(cls, source: str, device: str = "cpu") -> Embedder:
        """From a transformers folder, or `hf:owner/name`, the only form that uses the network; safetensors only."""
        from transformers import AutoTokenizer, CLIPModel

        is_on_hub = source.startswith(HUB_PREFIX)
        name = source.removeprefix(HUB_PREFIX) if is_on_hub else str(Path(source).expanduser())
        try:
            model: Any = CLIPModel.from_pretrained(name, use_safetensors=True, local_files_only=not is_on_hub)
            tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=not is_on_hub)
        except (OSError, ValueError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0][:200]
            raise ModelError(f"cannot load a CLIP model from {source!r}: {reason}") from error
        return cls(put_on(model, device).eval().requires_grad_(False), tokenizer)

    @torch.no_grad()
    def pictures(self, images: Tensor) -> Tensor:
        """[B, 3, H, W] in 0..1 -> [B, D] of length 1."""
        vision = self.model.vision_model
        pixels = prepare(images, int(vision.config.image_size)).to(self.model.device, self.model.dtype)
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
