"""Findings as `report.json`: plain values, with everything needed to paint and to check them again."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import numpy

from ... import __version__
from ...measure.statistics import CONFIDENCE, Comparison, compare, holm, mean_interval, prompt_means
from ...text.df_text import format_prompt
from .gallery import Gallery
from .study import Findings

SCHEMA = 1
KIND = "negopt-eval"
FEW_PROMPTS = 30
FID_PICTURES = 2048
"""Channels of Inception's features."""


def make_report(findings: Findings, gallery: Gallery, settings: Mapping[str, Any], seed: int = 0) -> dict[str, Any]:
    """Everything as JSON values; what is not a finite number is None. `seed` draws the signs of p's test."""
    results = _results(findings, seed)
    pictures = _pictures(findings, gallery)
    return {
        "kind": KIND,
        "id": hashlib.sha256("".join(one["key"] for one in pictures).encode()).hexdigest()[:12],
        "schema": SCHEMA,
        "negopt": __version__,
        "settings": dict(settings),
        "model": gallery.model,
        "model_hash": gallery.model_hash,
        "painter": {name: _plain(value) for name, value in gallery.about.items() if name not in ("source", "servers")},
        "reference": findings.design.reference,
        "prompts": [item.prompt for item in findings.design.items],
        "seeds": findings.design.numbers,
        "arms": _arms(findings),
        "metrics": [{"name": name, "higher_is_better": True} for name in findings.scores],
        "results": results,
        "sets": [
            {"metric": metric, "arm": arm, "value": _plain(value), "spread": _plain(spread)}
            for metric, rows in findings.sets.items()
            for arm, (value, spread) in rows.items()
        ],
        "absent": dict(findings.absent),
        "groups": _groups(findings),
        "sweeps": _sweeps(findings),
        "pictures": pictures,
        "notes": [*notes(results), *_set_notes(findings)],
    }


def _arms(findings: Findings) -> list[dict[str, Any]]:
    return [
        {
            "name": arm.name,
            "kind": arm.kind,
            "value": "" if arm.kind == "file" else arm.value,
            **findings.cards[arm.name],
            "texts": [
                {"positive": format_prompt(pair.positive), "negative": format_prompt(pair.negative)}
                for pair in findings.pairs[arm.name]
            ],
        }
        for arm in findings.design.every_arm
    ]


def _results(findings: Findings, seed: int) -> list[dict[str, Any]]:
    """A row for each metric and arm; comparisons are adjusted together."""
    reference = findings.design.reference
    rows: list[dict[str, Any]] = []
    for metric, arms in findings.scores.items():
        for arm, values in arms.items():
            row: dict[str, Any] = {
                "metric": metric,
                "arm": arm,
                "pictures": int(numpy.isfinite(values).sum()),
                "excluded": int((~numpy.isfinite(values)).sum()),
                "mean": mean_interval(prompt_means(values)).plain(),
            }
            if arm != reference:
                row |= _compared(compare(values, arms[reference], seed=seed))
            rows.append(row)
    compared = [row for row in rows if "p" in row]
    for row, adjusted in zip(compared, holm([_number(row["p"]) for row in compared]), strict=True):
        row["p_holm"] = _plain(adjusted)
    return rows


def _groups(findings: Findings) -> list[dict[str, Any]]:
    """Means and paired differences by the set's own kinds of prompts; nothing if it has not at least two."""
    kinds = [item.group for item in findings.design.items]
    if len(set(kinds)) < 2:
        return []
    places = {kind: [row for row, one in enumerate(kinds) if one == kind] for kind in dict.fromkeys(kinds)}
    rows: list[dict[str, Any]] = []
    for metric, arms in findings.scores.items():
        reference = arms[findings.design.reference]
        for arm, values in arms.items():
            for kind, chosen in places.items():
                row: dict[str, Any] = {"group": kind, "metric": metric, "arm": arm, "prompts": len(chosen)}
                row["mean"] = mean_interval(prompt_means(values[chosen])).plain()
                if arm != findings.design.reference:
                    changes = prompt_means(values[chosen] - reference[chosen])
                    row["difference"] = mean_interval(changes).plain()
                rows.append(row)
    return rows


def _set_notes(findings: Findings) -> list[str]:
    """What a reader of FID has to know."""
    pictures = len(findings.design.items) * findings.design.seeds
    if "fid" not in findings.sets or pictures >= FID_PICTURES:
        return []
    return [
        f"fid over {pictures} pictures an arm is too high by an amount that depends on that number (below "
        f"{FID_PICTURES:,} its features have no full covariance): compare these arms with each other, not with papers."
    ]


def _compared(comparison: Comparison) -> dict[str, Any]:
    return {
        "prompts": comparison.prompts,
        "pairs": comparison.pairs,
        "pairs_excluded": comparison.excluded,
        "difference": comparison.difference.plain(),
        "effect": _plain(comparison.effect),
        "win_rate": comparison.win_rate.plain(),
        "p": _plain(comparison.p),
    }


def _sweeps(findings: Findings) -> list[dict[str, Any]]:
    from .arms import delayed

    by_name = {arm.name: arm for arm in findings.design.arms}
    return [
        {
            "side": sweep.side,
            "arm": sweep.arm,
            "points": [
                {"start": start, "arm": delayed(by_name[sweep.arm], sweep.side, start).name} for start in sweep.starts
            ],
        }
        for sweep in findings.design.sweeps
    ]


def _pictures(findings: Findings, gallery: Gallery) -> list[dict[str, Any]]:
    return [
        {
            "arm": arm,
            "prompt": place,
            "seed": seed,
            "key": key,
            "file": gallery.path(key).relative_to(gallery.folder).as_posix(),
            "scores": {metric: _plain(float(arms[arm][place, k])) for metric, arms in findings.scores.items()},
        }
        for arm, rows in findings.keys.items()
        for place, (row, seeds) in enumerate(zip(rows, findings.design.numbers, strict=True))
        for k, (key, seed) in enumerate(zip(row, seeds, strict=True))
    ]


def notes(results: list[dict[str, Any]]) -> list[str]:
    """What a reader has to know to read the table right."""
    tests = sum("p" in row for row in results)
    lines = [
        f"Intervals are Student's at {CONFIDENCE:.0%} over prompts (seeds of a prompt are averaged first); "
        "differences are paired: same prompt, same noise. Effect is Cohen's d of the paired differences.",
    ]
    if tests > 1:
        lines.append(
            f"{tests} comparisons are made here. Each interval stands alone: about {tests * (1 - CONFIDENCE):.1f} of "
            "them would miss 0 by chance if no arm did anything. p (Holm) is adjusted for all of them together."
        )
    fewest = min((row["prompts"] for row in results if "prompts" in row), default=FEW_PROMPTS)
    if fewest < FEW_PROMPTS:
        lines.append(
            f"Only {fewest} prompts: below about {FEW_PROMPTS}, intervals lean on a normal distribution; trust p more."
        )
    excluded = sum(row["excluded"] for row in results)
    if excluded:
        lines.append(
            f"{excluded} scores were not finite numbers; those pictures are left out of that metric and counted."
        )
    return lines


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _plain(value: Any) -> Any:
    """A value JSON can hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)
