"""HPSv3 (arXiv 2508.03789): Qwen2-VL that people's choices taught to say how good a picture is for its prompt."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..devices import AUTO, find_device, put_on
from ..errors import ModelError
from ..needs import naming_what_is_missing
from ..quiet import quiet
from .embed import DEVIATION, MEAN
from .hpsv3_folder import HEAD, HEAD_LAYERS, WORDS, find_folders, place_tensors, read_weights
from .hpsv3_text import IMAGE_TOKEN, REWARD_TOKEN, full_text

PIXELS = 256 * 28 * 28
"""Of every picture, whatever its size: about 448 x 448, as HPSv3 was trained."""
_LONGEST = 200
"""Times the shorter side; Qwen2-VL takes no narrower picture."""
_AT_ONCE = 8
"""Pictures in one pass of the model."""


@dataclass(frozen=True)
class Hpsv3Scorer:
    """The mean of HPSv3's normal distribution of a picture's worth, with no bounds; better pictures have more.

    The model stays in the precision of its file (published: bfloat16, 17 GB), on the CPU too; the head is float32.
    """

    model: Any
    """Qwen2-VL; where it would write words its last hidden states come out, [B, L, D]."""
    head: nn.Module
    """[B, D] -> [B, 2]: mean and spread."""
    tokenizer: Any
    name: str = "hpsv3"

    @classmethod
    @naming_what_is_missing()
    @quiet()
    def load(cls, source: str, device: str = AUTO) -> Hpsv3Scorer:
        """From a folder or `hf:owner/name`, the only form that uses the network; safetensors only.

        ModelError for weights that are missing, damaged, pickled or of another architecture, and for a transformers
        without Qwen2-VL.
        """
        from safetensors import SafetensorError

        try:
            kind = _qwen2_vl()
            weights, words = find_folders(source)
            state, parts = read_weights(weights)
            tokenizer = _tokenizer(words, len(state[WORDS]))
            model = _model(kind, words, state, tokenizer)
            head = _head(parts, state[WORDS].shape[1])
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
            raise ModelError(f"cannot load HPSv3 from {source!r}: {reason}") from error
        where = find_device(device)
        model, head = (put_on(network, where).eval().requires_grad_(False) for network in (model, head))
        return cls(model, head, tokenizer)

    @torch.no_grad()
    def __call__(self, images: Tensor, prompts: Sequence[str]) -> Tensor:
        """Score pictures [B, 3, H, W] in 0..1, each against its own prompt -> [B]; ModelError for one without size."""
        starts = range(0, len(images), _AT_ONCE)
        scores = [self._score(images[at : at + _AT_ONCE], prompts[at : at + _AT_ONCE]) for at in starts]
        return torch.cat(scores) if scores else torch.zeros(0)

    def _score(self, images: Tensor, prompts: Sequence[str]) -> Tensor:
        model, sight = self.model, self.model.config.vision_config
        images = images.to(model.device) if model.device.type == "cuda" else images  # mps cannot resize with antialias
        patches, grid = cut(images, sight.patch_size, sight.spatial_merge_size, sight.temporal_patch_size)
        places = grid[0] * grid[1] // sight.spatial_merge_size**2
        rows = [self.tokenizer(full_text(prompt, places)).input_ids for prompt in prompts]
        longest = max(map(len, rows))
        tokens = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
        there = torch.arange(longest) < torch.tensor([[len(row)] for row in rows])
        # HPSv3's own code counts a picture's tokens one by one like words, not in rows and columns as Qwen2-VL does
        order = torch.arange(longest).expand(3, len(rows), -1)
        hidden = model(
            input_ids=tokens.to(model.device),
            attention_mask=there.long().to(model.device),
            position_ids=order.to(model.device),
            pixel_values=patches.flatten(0, 1).to(model.device, model.dtype),
            image_grid_thw=torch.tensor([[1, *grid]] * len(rows), device=model.device),
            use_cache=False,
        ).logits
        ends = torch.tensor([len(row) - 1 for row in rows])
        scores: Tensor = self.head(hidden[torch.arange(len(rows)), ends].float())[:, 0]
        return scores.cpu()


def _qwen2_vl() -> Any:
    import transformers

    kind = getattr(transformers, "Qwen2VLForConditionalGeneration", None)
    if kind is None:
        raise ValueError(
            f"Qwen2-VL needs transformers 4.45 or newer, this Python has {transformers.__version__}; score from a "
            "Python of its own, or with another scorer"
        )
    return kind


@quiet()
def _tokenizer(folder: Path, known: int) -> Any:
    """Qwen2-VL's with the reward token behind its last entry; ValueError if `known` rows of the model are too few."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    tokenizer.add_tokens([REWARD_TOKEN], special_tokens=True)
    if len(tokenizer) > known:
        raise ValueError(f"its tokenizer has {len(tokenizer)} entries with {REWARD_TOKEN}, its model {known}")
    return tokenizer


@quiet()
def _model(kind: Any, folder: Path, state: Mapping[str, Tensor], tokenizer: Any) -> nn.Module:
    """Qwen2-VL of `state`, without the layer that writes words."""
    config = kind.config_class.from_pretrained(str(folder), local_files_only=True)
    if tokenizer.convert_tokens_to_ids(IMAGE_TOKEN) != config.image_token_id:
        raise ValueError(f"its tokenizer has no {IMAGE_TOKEN} at {config.image_token_id}; is it another model's?")
    getattr(config, "text_config", config).vocab_size = len(state[WORDS])
    with torch.device("meta"):
        expected = kind(config).state_dict()
    tensors = place_tensors(state, expected)
    model: nn.Module = kind.from_pretrained(None, config=config, state_dict=tensors, torch_dtype=state[WORDS].dtype)
    model.lm_head = nn.Identity()
    return model


def _head(parts: Mapping[str, Tensor], width: int) -> nn.Module:
    """The head of `width` channels, in float32; ValueError if its layers do not fit each other."""
    layers: list[nn.Module] = []
    for place in HEAD_LAYERS:
        weight, bias = parts[f"{HEAD}{place}.weight"].float(), parts[f"{HEAD}{place}.bias"].float()
        rows = 2 if place == HEAD_LAYERS[-1] else len(weight)
        if weight.shape != (rows, width) or bias.shape != (rows,):
            raise ValueError(f"its {HEAD}{place}.weight is {list(weight.shape)}, not [{rows}, {width}]")
        layer = nn.Linear(width, rows, device="meta")
        layer.load_state_dict({"weight": weight, "bias": bias}, assign=True)
        layers += [layer, nn.ReLU()]
        width = rows
    return nn.Sequential(*layers[:-1])


def fit(height: int, width: int, unit: int) -> tuple[int, int]:
    """The size in multiples of `unit` to which a picture is brought: its own shape, about `PIXELS`.

    ModelError for a picture without size or too narrow. Rounding is Qwen2-VL's: down for large ones, up for small.
    """
    if min(height, width) < 1 or max(height, width) > _LONGEST * min(height, width):
        raise ModelError(
            f"HPSv3 takes no picture of {height} x {width} pixels; neither side may be 0 or {_LONGEST} x the other"
        )
    near = [max(unit, round(side / unit) * unit) for side in (height, width)]
    if (area := near[0] * near[1]) == PIXELS:
        return near[0], near[1]
    if area > PIXELS:
        factor = math.sqrt(height * width / PIXELS)
        sides = [math.floor(side / factor / unit) for side in (height, width)]
    else:
        factor = math.sqrt(PIXELS / (height * width))
        sides = [math.ceil(side * factor / unit) for side in (height, width)]
    return max(1, sides[0]) * unit, max(1, sides[1]) * unit


def cut(images: Tensor, patch: int, merge: int, frames: int) -> tuple[Tensor, tuple[int, int]]:
    """Pictures [B, 3, H, W] in 0..1 -> normalised patches [B, rows * columns, 3 * frames * patch^2], (rows, columns).

    Patches that Qwen2-VL merges into one token, `merge` x `merge`, follow each other; a picture is `frames` alike.
    """
    if images.ndim != 4 or images.shape[1] != 3:
        raise ModelError(f"HPSv3 takes pictures [B, 3, H, W], got {list(images.shape)}")
    height, width = fit(images.shape[2], images.shape[3], patch * merge)
    pixels = functional.interpolate(images.float(), (height, width), mode="bicubic", antialias=True).clamp(0, 1)
    mean, deviation = (pixels.new_tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    pixels = ((pixels * 255).round() / 255 - mean) / deviation  # as a picture of 8 bits would be
    rows, columns = height // patch, width // patch
    parts = pixels.reshape(len(images), 3, rows // merge, merge, patch, columns // merge, merge, patch)
    parts = parts.permute(0, 2, 5, 3, 6, 1, 4, 7)[:, :, :, :, :, :, None]  # B, rows, columns, merge, merge, 3, ...
    parts = parts.expand(*parts.shape[:6], frames, patch, patch)
    return parts.reshape(len(images), rows * columns, -1), (rows, columns)
