"""A recipe: everything that decides a shipped policy, in one JSON file."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ...errors import TrainingError

RECIPES = Path(__file__).resolve().parents[2] / "assets" / "recipes"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Sizes, lengths and seeds of one policy."""

    name: str
    kind: str
    """seq2seq or df."""
    polarity: str
    start: str = ""
    """A policy to go on from, by shipped name or folder; empty for a fresh one."""
    seed: int = 1
    vocabulary: int = 3072
    """Entries of the tokenizer before the phrases of the stock."""
    stock: int = 1200
    """Phrases of the closed stock at most."""
    least: int = 2
    """Answers that a phrase of the stock stands in at least."""
    width: int = 192
    layers: int = 2
    heads: int = 6
    max_words: int = 40
    """Words of a prompt that are read."""
    max_phrases: int = 20
    word_steps: int = 400
    """Steps of learning words from prompts."""
    phrase_steps: int = 900
    """Steps of learning answers."""
    scheduled: bool = False
    """Whether phrases get windows and weights, from priors by their kind."""
    batch_size: int = 32
    phrase_batch_size: int = 0
    """Examples in a step of learning answers; 0 for as many as in one of learning words."""
    learning_rate: float = 1e-3
    smoothing: float = 0.0
    copies: int = 3
    """Prompts made from each template."""
    hints: bool = True
    """Whether the nearest examples' phrases are read."""

    def __post_init__(self) -> None:
        if self.kind not in ("seq2seq", "df") or self.polarity not in ("negative", "modifiers"):
            raise TrainingError(f"a recipe needs kind seq2seq or df, polarity negative or modifiers, got {self}")
        if min(self.stock, self.least, self.width, self.layers, self.heads, self.batch_size) < 1:
            raise TrainingError(f"sizes of a recipe are at least 1, got {self}")


def read_recipe(source: str) -> Recipe:
    """A recipe by name (of a shipped policy) or from a file; TrainingError says what is wrong in it."""
    path = Path(source)
    path = path if path.suffix == ".json" else RECIPES / f"{source}.json"
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot read the recipe {path}: {error}") from error
    known = {item.name: type(getattr(_SAMPLE, item.name)) for item in fields(Recipe)}
    if not isinstance(values, dict) or not {"name", "kind", "polarity"} <= set(values):
        raise TrainingError(f"the recipe {path} is a JSON object with at least name, kind and polarity")
    for key, value in values.items():
        if key not in known:
            raise TrainingError(f"the recipe {path} has {key!r}, which is none of {', '.join(known)}")
        if not isinstance(value, known[key]) and not (known[key] is float and isinstance(value, int)):
            raise TrainingError(f"in the recipe {path} {key} is {value!r}; a {known[key].__name__} is needed")
    return Recipe(**values)


_SAMPLE = Recipe("", "df", "modifiers")
