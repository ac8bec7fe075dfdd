"""Scenes rendered once into latents, with several captions each."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import CLIPTokenizer

from ...torch_file import hash_tensors, save_tensors
from ..jobs.progress import ProgressLog
from ..make_world.dataset import Dataset, DatasetSettings
from .captions import scene_facts, write_caption, write_clean_caption
from .latents import PatchCode, fit_patch_code
from .render import Renderer
from .scenes import Scenes, joined, sample_clean_scenes, sample_scenes

_AT_ONCE = 250
_FITTED = 1500
"""Clean scenes, and as many others, that the patch code is fitted to."""


def fit_code(folder: Path, renderer: Renderer, seed: int) -> PatchCode:
    """The patch code of the world's pictures; kept in `folder`, since its last digits depend on the machine."""
    path = folder / "code.safetensors"
    if not path.exists():
        scenes = joined(sample_clean_scenes(_FITTED, seed), sample_scenes(_FITTED, seed))
        code = fit_patch_code(renderer(scenes) * 2 - 1)
        save_tensors(path, {field.name: getattr(code, field.name) for field in fields(code)})
    return PatchCode(**load_file(path))


def build_dataset(
    folder: Path, renderer: Renderer, code: PatchCode, tokenizer: CLIPTokenizer, settings: DatasetSettings
) -> Dataset:
    """Render, encode and caption; kept in `folder`, and read back for the same settings and the same patch code."""
    drawn = f"{settings.clean}-{settings.mixed}-{settings.captions}-{settings.seed}"
    path = folder / f"dataset-{drawn}-{hash_tensors({'code': code.encoder})[:12]}.safetensors"
    if not path.exists():
        latents, tokens = [], []
        pace, done = ProgressLog("data", settings.clean + settings.mixed), 0
        for count, is_clean in _batches(settings):
            scenes = (sample_clean_scenes if is_clean else sample_scenes)(count, settings.seed * 1_000_003 + done)
            latents.append(code.encode(renderer(scenes) * 2 - 1).half().contiguous())
            tokens.append(_caption_tokens(scenes, tokenizer, settings, done, is_clean))
            done += count
            pace.update(done)
        save_tensors(path, {"latents": torch.cat(latents), "tokens": torch.cat(tokens)})
    tensors = load_file(path)
    return Dataset(tensors["latents"], tensors["tokens"], settings.clean)


def _batches(settings: DatasetSettings) -> Iterator[tuple[int, bool]]:
    """How many scenes at a time, and whether they are clean: the clean ones come first."""
    for total, is_clean in ((settings.clean, True), (settings.mixed, False)):
        for start in range(0, total, _AT_ONCE):
            yield min(_AT_ONCE, total - start), is_clean


def _caption_tokens(
    scenes: Scenes, tokenizer: CLIPTokenizer, settings: DatasetSettings, start: int, is_clean: bool
) -> Tensor:
    """[B, captions, 40] int16 ids; the last caption of a clean scene praises it."""
    rng = random.Random(settings.seed * 1_000_003 + start)
    texts = [
        write_clean_caption(facts, rng, praised=turn == settings.captions - 1)
        if is_clean
        else write_caption(facts, rng)
        for facts in scene_facts(scenes)
        for turn in range(settings.captions)
    ]
    ids: Tensor = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids
    return ids.reshape(len(scenes), settings.captions, -1).to(torch.int16)
