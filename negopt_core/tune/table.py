"""A tuned policy as a folder: card, table of effects, and the evidence that it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import PolicyError
from ..files import make_folder, write_text
from ..policy.card import PolicyCard, parse_card
from ..policy.folder_check import CARD, write_sums
from ..policy.tuned.effects import Stock
from ..policy.tuned.policy import KIND, TUNED_FILE, Table
from .audit import phrase_effects
from .evidence import EVIDENCE_FILE, Evidence, from_json, merge, to_json, without_prompts
from .posterior import Posterior, fit
from .rounds import Limits


def table_of(posterior: Posterior, evidence: Evidence, most: tuple[int, int]) -> Table:
    """The expected effects, as a policy reads them."""
    rows = phrase_effects(posterior, evidence.stock)
    return Table(
        evidence.stock,
        tuple(evidence.concept_names()),
        posterior.mean(),
        np.array([row.deviation for row in rows]),
        tuple(row.pictures for row in rows),
        most,
    )


def save_tuned(
    folder: Path,
    evidence: Evidence,
    weights: Mapping[str, float],
    limits: Limits,
    facts: Mapping[str, Any],
    metrics: Mapping[str, float],
) -> Path:
    """Write the folder of a policy that any host loads; prompts are left out of it. Returns the folder.

    PolicyError for a folder that holds another policy; the one of an earlier run on the same model is replaced.
    """
    _refuse_other(folder, evidence)
    shared = without_prompts(evidence)
    table = table_of(fit(shared.data(weights)), shared, limits.most)
    spans = [one.span for one in shared.stock.options]
    card = PolicyCard(
        kind=KIND,
        name=folder.name,
        polarity=_polarity(shared.stock),
        base_model=str(facts.get("model", shared.source.model)),
        families=(shared.source.family,) if shared.source.family else (),
        windows=tuple(sorted({one.window for one in spans}, key=lambda one: (one.start, one.end))),
        weights=tuple(sorted({one.weight for one in spans})),
        max_tokens=limits.tokens[0],
        settings={"reward": dict(weights), "tokens": list(limits.tokens), "most": list(limits.most)},
        provenance={"made_by": "negopt tune", **facts, "pictures": len(shared.pictures), "clicks": len(shared.clicks)},
        licence="Apache-2.0",
        metrics=dict(metrics),
    )
    make_folder(folder)
    write_text(folder / TUNED_FILE, json.dumps(table.to_json()) + "\n")
    write_text(folder / EVIDENCE_FILE, to_json(shared))
    write_sums(folder)
    write_text(folder / CARD, json.dumps(card.to_json(), indent=1) + "\n")
    return folder


def _refuse_other(folder: Path, evidence: Evidence) -> None:
    if not (folder / CARD).exists():
        return
    path = folder / EVIDENCE_FILE
    if not path.is_file() or from_json(path.read_bytes(), str(path)).source != evidence.source:
        raise PolicyError(f"{folder} holds another policy; choose another folder, or remove it first")


def _polarity(stock: Stock) -> str:
    sides = {one.side for one in stock.options}
    return "both" if len(sides) > 1 else sides.pop()


def merge_tuned(first: Path, second: Path, output: Path) -> Path:
    """One policy from the evidence of two: what one run on the pictures of both would have learned.

    PolicyError for folders without evidence, other models, other settings, or rewards that are not the same sum.
    """
    cards = [parse_card((folder / CARD).read_text(encoding="utf-8")) for folder in (first, second) if _has(folder)]
    rewards = [card.settings.get("reward", {}) for card in cards]
    if rewards[0] != rewards[1]:
        raise PolicyError(f"{first} learned {rewards[0]} and {second} {rewards[1]}: another reward is another aim")
    one, two = (
        from_json((folder / EVIDENCE_FILE).read_bytes(), str(folder / EVIDENCE_FILE)) for folder in (first, second)
    )
    settings = cards[0].settings
    limits = Limits(tuple(settings["tokens"]), tuple(settings["most"]))
    facts = {
        "model": cards[0].base_model,
        "merged": [card.name for card in cards],
    }
    return save_tuned(output, merge(one, two), rewards[0], limits, facts, {})


def _has(folder: Path) -> bool:
    for name in (CARD, EVIDENCE_FILE):
        if not (folder / name).is_file():
            raise PolicyError(f"{folder} has no {name}: only folders that `tune` made can be merged")
    return True
