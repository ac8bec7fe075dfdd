"""Which metrics an evaluation can measure: asked once, before anything is painted."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import MissingPackage, ModelError, PolicyError, PromptError
from ...needs import missing_package
from ...scorers import features
from ...scorers.embed import HUB_PREFIX
from ...scorers.table import (
    INCEPTION,
    NAMES,
    SCORERS,
    SET_METRICS,
    Loader,
    Places,
    identify,
    place_of,
    refuse_toys,
    toys_among,
)
from .study import Metrics, list_pictures

log = logging.getLogger("negopt")

_LEAST = {"fid": 2, "world-fid": 2, "cmmd": 1}
"""Pictures on either side that the formula needs."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be measured, on what."""

    names: tuple[str, ...]
    places: Places
    """Where weights are."""
    model: str
    """What paints: the demo world's judges know its pictures alone."""
    pictures: int
    """Of an arm."""
    splits: int = 10
    """Of an Inception Score."""
    reference: Path | None = None
    """Real pictures for `fid`, `cmmd` and `world-fid`."""
    is_recipes: bool = False
    """The names are a recipe's for any model: what cannot be measured is left out with its reason, not refused."""
    device: str = "auto"


def load_metrics(wanted: Wanted) -> Metrics:
    """Everything that is measured, loaded. PromptError or ModelError, in one line, for what cannot be.

    To be called once, before anything is painted. For a recipe's names the reasons are in `Metrics.absent`; the demo
    world's judges are not even there for another model. Nothing at all to measure is refused in any case.
    """
    names = names_for(wanted)
    if wanted.reference is not None:
        list_pictures(wanted.reference)
    reasons = {name: why for name in names if (why := why_not(name, wanted))}
    if reasons and not wanted.is_recipes:
        raise PromptError(f"nothing was painted: {_told(reasons)}")
    loader = Loader(wanted.places, "eval", wanted.device)
    found, sets = [], []
    for name in names:
        if name in reasons:
            continue
        try:
            if name in SET_METRICS:
                sets.append(features.load_set_metric(name, wanted.places, wanted.splits, loader))
            else:
                found.append((loader.scorer(name), identify(name, wanted.places, "eval")))
        except (ModelError, PromptError, PolicyError, MissingPackage) as error:
            if not wanted.is_recipes:
                raise
            reasons[name] = str(error)
    if not found and not sets:
        raise PromptError(f"nothing was painted, for nothing can be measured: {_told(reasons)}")
    for name, why in reasons.items():
        log.warning("%s is not measured: %s", name, why)
    return Metrics(tuple(found), tuple(sets), wanted.reference, reasons)


def why_not(name: str, wanted: Wanted) -> str:
    """Why a metric cannot be measured, with the remedy; "" if nothing is known against it. Loads nothing."""
    needs = SET_METRICS[name] if name in SET_METRICS else SCORERS[name].needs
    lacking = [why for need in needs if (why := _no_weights(need, wanted.places))]
    return lacking[0] if lacking else _no_package(needs) or _too_few(name, wanted)


def names_for(wanted: Wanted) -> list[str]:
    """The names, each once, without what is never asked of these pictures; PromptError for what does not exist."""
    names = list(dict.fromkeys(wanted.names))
    every = (*NAMES, *SET_METRICS)
    if strange := [name for name in names if name not in every]:
        raise PromptError(f"no metric is called {strange[0]!r}; there are {', '.join(every)}")
    toys = toys_among(wanted.model, names)
    rest = [name for name in names if name not in toys]
    if not (wanted.is_recipes and rest):
        refuse_toys(wanted.model, names, "--metrics")
    if not rest:
        raise PromptError(f"an evaluation needs at least one metric of {', '.join(every)}")
    scores = [name for name in rest if name in features.INCEPTION_SCORES]
    if scores and not 1 <= wanted.splits <= wanted.pictures:
        raise PromptError(
            f"{scores[0]} over {wanted.pictures} pictures an arm cannot have {wanted.splits} splits; use --splits "
            f"{wanted.pictures} or less"
        )
    return rest


def _no_weights(need: str, places: Places) -> str:
    try:
        place = place_of(need, places)
    except PromptError as error:
        return str(error)
    is_there = place.startswith(HUB_PREFIX) or Path(place).expanduser().exists()
    return "" if is_there else f"there is no {place}; say where the weights of {need} are with --source {need}=PLACE"


def _no_package(needs: tuple[str, ...]) -> str:
    package = "torch_fidelity"
    if INCEPTION not in needs or importlib.util.find_spec(package) is not None:
        return ""
    return str(missing_package(ModuleNotFoundError(f"No module named {package!r}", name=package)))


def _too_few(name: str, wanted: Wanted) -> str:
    """Too few pictures, in an arm or in the reference, for a metric that compares the two."""
    if name not in _LEAST:
        return ""
    if wanted.reference is None:
        return "it needs real pictures to compare with: --reference FOLDER"
    there = len(list_pictures(wanted.reference))
    if min(there, wanted.pictures) < _LEAST[name]:
        return (
            f"it needs at least {_LEAST[name]} pictures on each side, an arm has {wanted.pictures} and "
            f"{wanted.reference} {there}; take more --prompts or --seeds"
        )
    return ""


def _told(reasons: Mapping[str, str]) -> str:
    return "; ".join(f"{name} cannot be measured: {why}" for name, why in reasons.items())
