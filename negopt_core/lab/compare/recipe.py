"""What an `eval` is asked for: one set of settings, from a recipe (JSON), from flags, or from both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ...errors import PromptError

_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "studies"


@dataclass(frozen=True, slots=True)
class EvalSettings:
    """Everything that decides the figures. Fields are the names of a recipe and, with dashes, of the flags."""

    model: str = "world"
    prompts: str = "world"
    arms: tuple[str, ...] = ("none", "policy-negative:rules")
    sweeps: tuple[str, ...] = ()
    """`SIDE=ARM`, with SIDE negative or modifiers."""
    starts: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    """When the words of a sweep begin, 0..1 of the run."""
    against: str = ""
    metrics: tuple[str, ...] = ("world-quality", "world-alignment")
    seeds: int = 1
    seed: int = 0
    same_noise: bool = False
    steps: int | None = None
    cfg: float | None = None
    sampler: str = "model"
    weighting: str = "pae"
    size: str | None = None
    splits: int = 10
    """Of an Inception Score."""


def read_recipe(name: str) -> dict[str, Any]:
    """The settings in a JSON file, or in a recipe that comes with negopt; PromptError for settings that do not exist.

    Keys that begin with an underscore are remarks.
    """
    path = Path(name).expanduser()
    if not path.is_file():
        path = _FOLDER / f"{name}.json"
    if not path.is_file():
        raise PromptError(f"there is no recipe {name!r}: it is no file, and negopt has {', '.join(recipe_names())}")
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise PromptError(f"cannot read the recipe {path}: {error}") from error
    if not isinstance(values, dict):
        raise PromptError(f"the recipe {path} is no JSON object of settings")
    return {key: value for key, value in values.items() if not key.startswith("_")}


def recipe_names() -> list[str]:
    """The recipes that come with negopt."""
    return sorted(path.stem for path in _FOLDER.glob("*.json"))


def make_settings(recipe: Mapping[str, Any], flags: Mapping[str, Any]) -> EvalSettings:
    """Settings from a recipe, with flags that were given (not None) in their place."""
    kinds = {field.name: field.default for field in fields(EvalSettings)}
    unknown = recipe.keys() - kinds
    if unknown:
        raise PromptError(f"a recipe has no setting {sorted(unknown)[0]!r}; there are {', '.join(kinds)}")
    chosen = {**recipe, **{name: value for name, value in flags.items() if value is not None}}
    for name, value in chosen.items():
        _check(name, value, kinds[name])
    if chosen.get("model") == "":
        raise PromptError("this recipe is for the pictures of a real model; name yours with --model")
    values: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in chosen.items()}
    return EvalSettings(**values)


def _check(name: str, value: Any, default: Any) -> None:
    """PromptError unless a value is of the kind of its default."""
    if isinstance(default, tuple):
        kind = int | float if name == "starts" else str
        is_right = isinstance(value, list | tuple) and all(isinstance(one, kind) for one in value)
    elif default is None:
        is_right = value is None or isinstance(value, str if name == "size" else int | float)
    else:
        is_right = type(value) is type(default)
    if not is_right:
        raise PromptError(f"the setting {name!r} cannot be {value!r}; its usual value is {default!r}")
