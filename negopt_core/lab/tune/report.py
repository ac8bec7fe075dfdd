"""The report of an audit or a tune: figures as JSON, and one page that opens without a network."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...policy.phrases import append_phrases
from ...text.df_text import format_prompt
from ...text.prompt import DFPrompt
from ...tune.audit import HURTS, NOTHING, OPEN, AuditPlan, PhraseEffect, compare, examples, phrase_effects
from ...tune.journal import Journal
from ...tune.rounds import Ask
from ...tune.tune import TunePlan
from ..compare.page import thumbnail

_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "report"
_CLICK_PAIRS = 24


def audit_report(plan: AuditPlan, journal: Journal) -> dict[str, Any]:
    """Each phrase with its effect and two pairs of pictures, what to drop, and the last check."""
    effects = plan.effects(journal)
    arms = plan.arms(journal)
    check = compare(
        journal,
        {name: dict.fromkeys(plan.prompts, options) for name, options in arms.items()},
        plan.referee or plan.weights,
    )
    kept = [place for place, row in enumerate(effects) if row.verdict not in (HURTS, NOTHING)]
    dropped = [row.text for row in effects if row.verdict in (HURTS, NOTHING)]
    return {
        "kind": "audit",
        "reward": dict(plan.weights),
        "pictures": len(journal.scores),
        "clicks": len(journal.clicks),
        "phrases": [_phrase(row, journal, place) for place, row in enumerate(effects)],
        "drop": dropped,
        "undecided": [row.text for row in effects if row.verdict == OPEN],
        "shortened": _text(plan, kept, "negative"),
        "shortened_modifiers": _text(plan, kept, "modifiers"),
        **check,
        "scores": _by_scorer(plan, journal, arms),
    }


def _text(plan: AuditPlan, places: Sequence[int], side: str) -> str:
    spans = [plan.reader.stock.options[one].span for one in places if plan.reader.stock.options[one].side == side]
    return format_prompt(append_phrases(DFPrompt(), spans))


def _by_scorer(plan: AuditPlan, journal: Journal, arms: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """The last check by each scorer alone: what the sum gains, one may pay for."""
    each = {name: dict.fromkeys(plan.prompts, options) for name, options in arms.items()}
    return {name: compare(journal, each, {name: 1.0}) for name in {**plan.weights, **plan.referee}}


def tune_report(plan: TunePlan, journal: Journal) -> dict[str, Any]:
    """What was learned of each phrase, and the last check."""
    posterior, evidence = plan.posterior(journal)
    effects = phrase_effects(posterior, evidence.stock)
    rows = [_phrase(row, journal, place) for place, row in enumerate(effects) if row.pictures]
    for row, option in zip(
        rows, [one for one, e in zip(evidence.stock.options, effects, strict=True) if e.pictures], strict=True
    ):
        row |= {"weight": option.span.weight, "window": [option.span.window.start, option.span.window.end]}
    rows.sort(key=lambda row: -row["effect"]["value"])
    return {
        "kind": "tune",
        "reward": dict(plan.weights),
        "pictures": len(journal.scores),
        "clicks": len(journal.clicks),
        "phrases": rows,
        **plan.verdict(journal),
    }


def _phrase(row: PhraseEffect, journal: Journal, place: int) -> dict[str, Any]:
    pairs = examples(journal, place)
    return {
        "text": row.text,
        "side": row.side,
        "verdict": row.verdict,
        "effect": row.effect.plain(),
        "pictures": row.pictures,
        "examples": [[_key(one), _key(two)] for one, two in pairs],
    }


def _key(ask: Ask) -> list[Any]:
    return [ask.group, list(ask.options)]


def write_report(report: Mapping[str, Any], journal: Journal, paths: Mapping[Any, Path], title: str) -> str:
    """The page: bars with intervals, pairs of pictures, the last check, and pairs to click."""
    wanted = [tuple_key(key) for row in report["phrases"] for pair in row["examples"] for key in pair]
    clicks = _click_pairs(journal)
    wanted += [key for pair in clicks for key in pair]
    images = {_name(key): thumbnail(paths[key])["src"] for key in dict.fromkeys(wanted) if key in paths}
    content = {
        **report,
        "images": images,
        "clickable": [[list(map(_listed, pair)), [_name(key) for key in pair]] for pair in clicks],
    }
    parts = {name: (_FOLDER / f"learned.{name}").read_text(encoding="utf-8") for name in ("html", "css", "js")}
    page = parts["html"].replace("{{title}}", html.escape(title)).replace("{{style}}", parts["css"])
    before, after = page.split("{{data}}")
    data = json.dumps(content).replace("<", "\\u003c")
    return before + data + after.replace("{{script}}", parts["js"])


def tuple_key(key: Sequence[Any]) -> tuple[str, tuple[int, ...]]:
    """A picture's key as it is looked up."""
    return key[0], tuple(key[1])


def _listed(key: tuple[str, tuple[int, ...]]) -> list[Any]:
    return [key[0], list(key[1])]


def _name(key: tuple[str, tuple[int, ...]]) -> str:
    return f"{key[0]}-{'-'.join(map(str, key[1]))}"


def _click_pairs(journal: Journal) -> list[tuple[Any, Any]]:
    """Pairs of the same prompt and noise that nobody has compared yet."""
    known = {frozenset((one.better, one.worse)) for one in journal.clicks}
    by_group: dict[str, list[Any]] = {}
    for one in journal.asks("learn", "refine"):
        by_group.setdefault(one.group, []).append(one.key)
    pairs = [(keys[0], keys[1]) for keys in by_group.values() if len(keys) > 1]
    return [pair for pair in pairs if frozenset(pair) not in known][:_CLICK_PAIRS]
