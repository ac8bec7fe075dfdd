"""What an `eval` is asked for: one set of settings, from a recipe (JSON), from flags, or from both."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ...errors import PromptError
from ...flags import flag, nested, read
from ...paint.choice import MODEL_HELP, WORLD, OnDevice, Sampled
from ...scorers.table import NAMES, WORLD_JUDGES, Sources
from .arms import HELP

_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "studies"


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise ArgumentTypeError(f"numbers from 0 to 1 with commas between, got {text!r}") from error


@dataclass(frozen=True)
class EvalSettings(Sampled):
    """Everything that decides the figures. Fields are the names of a recipe, and come from flags too."""

    model: str = flag(WORLD, MODEL_HELP)
    prompts: str = flag("world", "NAME[:COUNT] of a set, a file, or world[:COUNT]", metavar="SET")
    arms: tuple[str, ...] = flag(("none", "policy-negative:rules"), HELP, "arm", metavar="ARM")
    sweeps: tuple[str, ...] = flag(
        (), "negative or modifiers of an arm from every --starts on", "sweep", metavar="SIDE=ARM"
    )
    starts: tuple[float, ...] = flag(
        (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
        "when the words of a sweep begin, as shares of the run",
        metavar="LIST",
        type=_numbers,
    )
    against: str = flag("", "the arm that others are compared with", metavar="ARM", shown="the first")
    metrics: tuple[str, ...] = flag(
        WORLD_JUDGES, f"of {', '.join(NAMES)}, is, fid, cmmd, world-is, world-fid", metavar="LIST", type=_names
    )
    seeds: int = flag(1, "pictures of each prompt in each arm")
    seed: int = flag(0, "first seed")
    same_noise: bool = flag(False, "the same seeds for every prompt")
    sampler: str = flag("model", "sampler; model: the model's own")
    weighting: str = flag("pae", "what a weight does")
    size: str | None = flag(None, "pixels", metavar="WxH", shown="the model's own")
    splits: int = flag(10, "splits of an Inception Score")


@dataclass(frozen=True, kw_only=True)
class EvalRun(OnDevice, Sources):
    """`eval`: the settings, and where things are; none of the latter changes what a figure means."""

    settings: EvalSettings = nested(EvalSettings)
    recipe: str | None = flag(None, "settings as JSON; flags take their place", metavar="NAME|FILE")
    prompt_folder: tuple[Path, ...] = flag((), "where prompt sets are", metavar="DIR", shown="data/eval")
    reference: Path | None = flag(None, "real pictures for fid, cmmd and world-fid", metavar="DIR")
    policies: tuple[Path, ...] = flag((), "folder to look for policies in", metavar="DIR")
    batch: int = flag(8, "pictures painted at the same time")
    offload: bool = flag(False, "keep weights in main memory")
    cache: Path | None = flag(None, "pictures and scores", metavar="DIR", shown="cache in the output")
    votes: tuple[Path, ...] = flag((), "votes exported from the page", metavar="FILE")
    wall: int = flag(24, "rows of pictures in the page")
    output: Path = flag(Path("out/eval"), "folder of the report", "o", "output", metavar="DIR")
    is_recipes_metrics: bool = False
    """The metrics are those that a recipe lists for any model."""


def make_run(given: Mapping[str, Any]) -> EvalRun:
    """A run from flags that were given, by their fields' names; what they leave out the recipe has, or the defaults."""
    run: EvalRun = read(EvalRun, given)
    flags = {one.name: given[one.name] for one in fields(EvalSettings) if one.name in given}
    settings = make_settings(read_recipe(run.recipe) if run.recipe else {}, flags)
    return replace(run, settings=settings, is_recipes_metrics=bool(run.recipe and not flags.get("metrics")))


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
