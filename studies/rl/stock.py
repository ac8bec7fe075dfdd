"""A stock of more than 500 phrases, most of which do nothing here, and people who write them out of habit."""

from __future__ import annotations

import random
from pathlib import Path

from negopt_core.files import make_folder, write_text
from negopt_core.lab.data.pairs import Pair, write_pair
from negopt_core.lab.data.world_people import draw_negatives, negative_stock
from negopt_core.lab.make_world.measure import draw_prompts
from negopt_core.lab.train.tokenizer import fit_tokenizer
from negopt_core.text.prompt import Span

_HOW = (
    "bad, wrong, extra, missing, fused, broken, crooked, messy, mutated, malformed, twisted, floating, "
    "duplicate, uneven, unnatural, plastic, lazy, boring, poorly drawn, disconnected"
)
_WHAT = (
    "anatomy, hands, fingers, legs, arms, feet, eyes, face, teeth, ears, hair, skin, wheels, windows, "
    "letters, perspective, proportions, shadows, reflections, background, clothes, wings, fur, horizon"
)
_PAIRS, _VOCABULARY = 4000, 400
PAIRS, STOCK, TOKENIZER, TWO = "pairs.jsonl", "stock.txt", "tokenizer", "two.txt"
TIMED = ("dramatic", "vivid")
"""Of the world's modifiers those that its sweep finds best early and late."""


def useless_phrases() -> tuple[str, ...]:
    """480 phrases about things that no picture of the demo world has."""
    return tuple(f"{how} {what}" for what in _WHAT.split(", ") for how in _HOW.split(", "))


def large_stock() -> tuple[str, ...]:
    """The world's own phrases and the useless ones."""
    return (*negative_stock(), *useless_phrases())


def habits(seed: int) -> list[Pair]:
    """What the world's people write, and up to four useless phrases, the popular ones far more often (1 / rank)."""
    rng = random.Random(seed)
    popular = list(useless_phrases())
    random.Random(0).shuffle(popular)
    shares = [1.0 / (1 + rank) for rank in range(len(popular))]
    pairs = []
    for pair in draw_negatives(_PAIRS, 1000 + seed):
        more = dict.fromkeys(rng.choices(popular, shares, k=rng.randrange(5)))
        spans = [*pair.spans, *map(Span, more)]
        rng.shuffle(spans)
        pairs.append(Pair(pair.prompt, tuple(spans)))
    return pairs


def write_stock(folder: Path, seeds: int) -> None:
    """Stock, tokenizer with a token for each phrase, and the pairs of each seed; what is there stays."""
    make_folder(folder)
    if not (folder / STOCK).exists():
        tokenizer = fit_tokenizer(draw_prompts(2000, 1, part="train"), large_stock(), _VOCABULARY)
        tokenizer.save_pretrained(folder / TOKENIZER)
        write_text(folder / STOCK, "\n".join(large_stock()) + "\n")
    write_text(folder / TWO, "\n".join(TIMED) + "\n")
    for seed in range(seeds):
        if not (path := pairs_file(folder, seed)).exists():
            write_text(path, "".join(write_pair(pair, "negative") for pair in habits(seed)))


def pairs_file(folder: Path, seed: int) -> Path:
    """The pairs of a training seed."""
    return folder / f"{seed}-{PAIRS}"
