"""What the card of a trained policy tells: the settings of each training, hashes of what went in, sources of the data.

Nothing in it names a folder or a server of the machine that trained.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...files import hash_file
from ...flags import recorded
from ...paint.choice import paints_world
from ...policy.card import PolicyCard
from ...policy.loglinear.policy import family_named
from ...policy.phrase_kinds import NEGATIVE_TIMES, PRIOR_CAVEAT
from ...text.prompt import FULL
from .settings import PolicyRun, PPORun, RetrievalRun, SFTRun

if TYPE_CHECKING:
    from ...policy.language import LanguagePolicy
    from ..data.corpus import Modified, Row
    from .recipe import Recipe

_PLACES = {"pairs", "held_out", "prompts", "policy", "tokenizer", "stock", "model", "source"}
_LATER_SETTINGS = ("size", "augment", "paint_dtype", "lora")
"""Left out where they are off, so that runs go on that were begun before they existed."""
LICENCE = "Apache-2.0"


@dataclass(frozen=True, slots=True)
class Stage:
    """One training, as the card of its policy tells it."""

    how: str
    """In a few words."""
    settings: Mapping[str, Any]
    facts: Mapping[str, Any]
    """Hashes of what went in, and how much that was."""
    measured: Mapping[str, float]


def settings_of(kind: str, run: PolicyRun) -> dict[str, Any]:
    """Every setting that decides the result of `train KIND`, by its name in run folders and cards."""
    found = {"command": "train", "what": kind, **recorded(run)}
    return {name: value for name, value in found.items() if value or name not in _LATER_SETTINGS}


def digest(lines: Iterable[str]) -> str:
    """SHA-256 over texts in their order, each as a line of JSON."""
    total = hashlib.sha256()
    for line in lines:
        total.update(f"{json.dumps(line)}\n".encode())
    return total.hexdigest()


def hashes_in(facts: Mapping[str, Any]) -> dict[str, str]:
    """Those of the facts that tell one input from another; what is counted follows from them and the settings."""
    return {key: str(value) for key, value in facts.items() if key.endswith("_sha256") or key == "painter"}


def export(run: PolicyRun, seed: int, policy: LanguagePolicy, stage: Stage) -> Path:
    """Write the policy folder, with this training behind those that its card tells already; returns the folder."""
    from ...policy.language.folder import save_policy

    before = policy.card.provenance
    settings = {key: shown(key, value) for key, value in stage.settings.items() if value is not None}
    policy.card = replace(
        policy.card,
        name=run.name or run.export.name,
        metrics=dict(stage.measured),
        provenance={
            "made_by": f"negopt {__version__}",
            "seed": seed,
            **({"times": before["times"]} if "times" in before else {}),
            "history": [*before.get("history", []), stage.how],
            "stages": [
                *before.get("stages", []),
                {"settings": settings, **stage.facts, "measured": dict(stage.measured)},
            ],
        },
        licence=policy.card.licence or LICENCE,
    )
    save_policy(policy, run.export)
    return run.export


def sft_card(card: PolicyCard, run: SFTRun) -> PolicyCard:
    """The card behind supervised training: windows and weights are priors until pairs or pictures have taught them."""
    if run.sft.learns_schedule:
        return _with_times(card, "learned from pairs")
    return _with_times(card, "priors") if run.scheduled else card


def ppo_card(card: PolicyCard, run: PPORun, pipeline: str = "") -> PolicyCard:
    """The card behind training on pictures: made for the model that painted them, its windows and weights learned.

    The model's family is read off its name, else off the name of the diffusers pipeline, as far as that tells it.
    """
    card = _with_times(card, "learned from pictures")
    if paints_world(run.model):
        return card
    place, _, name = str(shown("model", run.model)).rpartition(":")
    name = name.partition("@")[0] if place == "hf" else name  # without the revision
    family = family_named(name) or (family_named("sdxl") if "XL" in pipeline else None)
    return replace(
        card,
        base_model=name,
        families=(family.name,) if family else tuple(one for one in card.families if one != "world"),
    )


def _with_times(card: PolicyCard, source: str) -> PolicyCard:
    """Where windows and weights come from; the caveat that they are priors stands only where they are."""
    if max(len(card.windows), len(card.weights)) == 1:
        return card
    others = tuple(caveat for caveat in card.caveats if caveat != PRIOR_CAVEAT)
    caveats = (*others, PRIOR_CAVEAT) if source == "priors" else others
    return replace(card, caveats=caveats, provenance={**card.provenance, "times": source})


def shown(name: str, value: Any) -> Any:
    """A setting as strangers may read it: of files and folders the last name, of servers only what they paint with."""
    if isinstance(value, list):
        return [shown(name, item) for item in value]
    if isinstance(value, Path):
        return value.name
    if not isinstance(value, str) or name not in _PLACES:
        return value
    role, sign, place = value.partition("=") if name == "source" else ("", "", value)
    if place.startswith("comfy:"):
        place = place.partition("http")[0].rstrip("@:")
    elif not place.startswith("hf:"):
        place = re.split(r"[/\\]", place.rstrip("/\\"))[-1]
    return f"{role}{sign}{place}"


def add_source(card: PolicyCard, file: Path) -> PolicyCard:
    """The card of a policy that was converted from a published file, whose name and hash it tells."""
    return replace(card, provenance={**card.provenance, "source": file.name, "source_sha256": hash_file(file)})


def _sources(rows: Iterable[Row | Modified]) -> list[str]:
    """Where rows come from, the most first."""
    counts = Counter((row.source, row.licence) for row in rows)
    return [f"{source} ({licence}): {count}" for (source, licence), count in counts.most_common()]


def mini_provenance(
    recipe: Recipe, rows: Iterable[Row | Modified], hashes: Mapping[str, str], before: Mapping[str, Any]
) -> dict[str, Any]:
    """Of a policy that a recipe and a corpus made; `before` is what the policy it started from told."""
    return {
        "made_by": f"negopt {__version__}, train mini {recipe.name}",
        "recipe": asdict(recipe),
        "data_sha256": dict(hashes),
        "sources": _sources(rows),
        **({"start": dict(before)} if recipe.start else {}),
    }


def retrieval_card(run: RetrievalRun, rows: Iterable[Row]) -> PolicyCard:
    """The card of a policy that lets the nearest rows vote."""
    return PolicyCard(
        kind="retrieval",
        name=run.name or run.output.name,
        polarity="negative",
        windows=tuple(dict.fromkeys(window for window, _ in NEGATIVE_TIMES.values())) if run.scheduled else (FULL,),
        settings={"threshold": run.threshold} | ({"scheduled": True} if run.scheduled else {}),
        caveats=(PRIOR_CAVEAT,) if run.scheduled else (),
        provenance={
            "made_by": f"negopt {__version__}",
            "data": run.pairs.name,
            "data_sha256": hash_file(run.pairs),
            "least_examples": run.least_examples,
            "least_phrases": run.least_phrases,
            "sources": _sources(rows),
        },
        licence=LICENCE,
    )
