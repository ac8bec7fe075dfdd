"""Stage 2 of `train world`: scenes rendered once into latents, with several captions each."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderTiny
from safetensors.torch import load_file
from torch import Tensor
from transformers import CLIPTokenizer

from ...torch_file import hash_tensors, save_tensors
from ...world.captions import scene_facts, write_caption
from ...world.render import render
from ...world.scenes import Scenes, sample_clean_scenes, sample_scenes
from ..jobs.progress import ProgressLog


@dataclass(frozen=True, slots=True)
class DatasetSettings:
    """How many pictures are rendered, and how many captions each of them gets."""

    mixed: int = 40_000
    """Scenes from the world's own distribution, with degradations and enhancements."""
    clean: int = 10_000
    """Scenes with nothing wrong, for the first part of training, where the model learns what things look like."""
    captions: int = 5
    seed: int = 21


@dataclass(frozen=True, slots=True)
class Dataset:
    """Latents [N, 6, 16, 16] in fp16 (the clean scenes first) and token ids [N, captions, 40]."""

    latents: Tensor
    tokens: Tensor
    clean: int


def build_dataset(
    folder: Path, vae: AutoencoderTiny, tokenizer: CLIPTokenizer, settings: DatasetSettings, batch_size: int = 200
) -> Dataset:
    """Render, encode and caption; kept in `folder`, and read back for the same settings and the same autoencoder."""
    drawn = f"{settings.clean}-{settings.mixed}-{settings.captions}-{settings.seed}"
    path = folder / f"dataset-{drawn}-{hash_tensors(vae.encoder.state_dict())[:12]}.safetensors"
    if not path.exists():
        latents, tokens = [], []
        total = settings.clean + settings.mixed
        pace = ProgressLog("data", total)
        for start in range(0, total, batch_size):
            is_clean = start < settings.clean
            scenes = _draw(is_clean, min(batch_size, total - start), settings.seed * 1_000_003 + start)
            with torch.inference_mode():
                latents.append(vae.encoder(render(scenes) * 2 - 1).half())
            tokens.append(_caption_tokens(scenes, tokenizer, settings.captions, settings.seed + start))
            pace.update(start + len(scenes))
        save_tensors(path, {"latents": torch.cat(latents), "tokens": torch.cat(tokens)})
    tensors = load_file(path)
    return Dataset(tensors["latents"], tensors["tokens"], settings.clean)


def _draw(is_clean: bool, count: int, seed: int) -> Scenes:
    return sample_clean_scenes(count, seed) if is_clean else sample_scenes(count, seed)


def _caption_tokens(scenes: Scenes, tokenizer: CLIPTokenizer, count: int, seed: int) -> Tensor:
    """[B, captions, 40] int16 ids."""
    rng = random.Random(seed)
    texts = [write_caption(facts, rng) for facts in scene_facts(scenes) for _ in range(count)]
    ids: Tensor = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids
    return ids.reshape(len(scenes), count, -1).to(torch.int16)
