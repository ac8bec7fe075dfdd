"""What a person who reproduces a paper has on disk, as stand-ins: painter, scorers, language model, pairs."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from PIL import Image

from negopt_core.scorers.aesthetic import convert_head
from tests.fakes.clip import published_layers, save_clip
from tests.paint.tiny import sd1
from tests.published.language_models import gpt2, t5_small

SUBJECTS = ("cat", "dog", "ship", "castle", "forest", "robot", "woman", "lake", "city", "tree")
PLACES = ("by the sea", "at night", "in the rain", "on a hill", "in a room", "under stars")
NEGATIVES = ("blurry, low quality", "text, watermark", "ugly, low", "bad hands, blurry")
MODIFIERS = ("sharp focus, artstation", "oil painting", "by night, 8 k", "intricate, highly detailed")


def write_pairs(path: Path, side: str) -> Path:
    """60 prompts with an answer each; `side` is negative or modifiers."""
    answers = NEGATIVES if side == "negative" else MODIFIERS
    prompts = [f"a {subject} {place}" for subject in SUBJECTS for place in PLACES]
    rows = [{"prompt": prompt, side: answers[number % 4]} for number, prompt in enumerate(prompts)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def build_home(home: Path) -> Path:
    """`model`, `clip`, `head.safetensors`, `real`, `t5-base`, `gpt2-medium`, `negatives.jsonl`, `modifiers.jsonl`."""
    sd1(home / "words").save_pretrained(str(home / "model"))
    save_clip(home / "clip")
    torch.save(published_layers(), home / "head.pth")
    convert_head(home / "head.pth", home / "head.safetensors")
    (home / "real").mkdir()
    for number in range(4):
        Image.new("RGB", (32, 32), (60 * number, 90, 200 - 40 * number)).save(home / "real" / f"{number}.png")
    t5_small(home / "t5-base")
    gpt2(home / "gpt2-medium")
    write_pairs(home / "negatives.jsonl", "negative")
    write_pairs(home / "modifiers.jsonl", "modifiers")
    return home
