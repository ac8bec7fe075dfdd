"""The figures of an audit or a tune, as plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..policy.phrases import append_phrases
from ..text.df_text import format_prompt
from ..text.prompt import DFPrompt
from .audit import HURTS, NOTHING, OPEN, AuditPlan, PhraseEffect, compare, examples, phrase_effects
from .journal import Journal
from .rounds import Ask
from .tune import TunePlan

Arms = Mapping[str, Mapping[str, tuple[int, ...]]]
"""Of the last check: name -> prompt -> set."""


def audit_report(plan: AuditPlan, journal: Journal) -> dict[str, Any]:
    """Each phrase with its effect and two pairs of pictures, what to drop, and the last check."""
    effects = plan.effects(journal)
    arms = plan.arms(journal, effects)
    each = {name: dict.fromkeys(plan.prompts, options) for name, options in arms.items()}
    check = compare(journal, each, plan.referee or plan.weights)
    kept = [place for place, row in enumerate(effects) if row.verdict not in (HURTS, NOTHING)]
    dropped = [row.text for row in effects if row.verdict in (HURTS, NOTHING)]
    return {
        "kind": "audit",
        "reward": dict(plan.weights),
        "pictures": len(journal.scores),
        "clicks": len(journal.clicks),
        "checks": len(journal.asks("check")),
        "phrases": [_phrase(row, journal, place) for place, row in enumerate(effects)],
        "drop": dropped,
        "undecided": [row.text for row in effects if row.verdict == OPEN],
        "shortened": _text(plan, kept, "negative"),
        "shortened_modifiers": _text(plan, kept, "modifiers"),
        **check,
        "scores": _by_scorer(journal, each, {**plan.weights, **plan.referee}),
    }


def _text(plan: AuditPlan, places: Sequence[int], side: str) -> str:
    spans = [plan.reader.stock.options[one].span for one in places if plan.reader.stock.options[one].side == side]
    return format_prompt(append_phrases(DFPrompt(), spans))


def _by_scorer(journal: Journal, arms: Arms, weights: Mapping[str, float]) -> dict[str, Any]:
    """The last check by each scorer alone: what one gains, another may pay for."""
    return {name: compare(journal, arms, {name: 1.0}) for name in weights}


def tune_report(plan: TunePlan, journal: Journal) -> dict[str, Any]:
    """What was learned of each phrase, and the last check."""
    return {
        "kind": "tune",
        "reward": dict(plan.weights),
        "pictures": len(journal.scores),
        "clicks": len(journal.clicks),
        "phrases": tune_phrases(plan, journal),
        **plan.verdict(journal),
        "scores": _by_scorer(journal, plan.arms(journal), {**plan.weights, **plan.referee}),
    }


def audit_phrases(plan: AuditPlan, journal: Journal) -> list[dict[str, Any]]:
    """Each phrase with its effect so far, in the order of the list."""
    return [_phrase(row, journal, place) for place, row in enumerate(plan.effects(journal))]


def tune_phrases(plan: TunePlan, journal: Journal) -> list[dict[str, Any]]:
    """Each phrase that was tried with its effect so far, the best first. ModelError while nothing is known."""
    posterior, evidence = plan.posterior(journal)
    effects = phrase_effects(posterior, evidence.stock)
    rows = [_phrase(row, journal, place) for place, row in enumerate(effects) if row.pictures]
    for row, option in zip(
        rows, [one for one, e in zip(evidence.stock.options, effects, strict=True) if e.pictures], strict=True
    ):
        row |= {"weight": option.span.weight, "window": [option.span.window.start, option.span.window.end]}
    rows.sort(key=lambda row: -row["effect"]["value"])
    return rows


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


def click_pairs(journal: Journal) -> list[tuple[Any, Any]]:
    """Pairs of the same prompt and noise that nobody has compared yet."""
    known = {frozenset((one.better, one.worse)) for one in journal.clicks}
    by_group: dict[str, list[Any]] = {}
    for one in journal.asks("learn", "refine"):
        by_group.setdefault(one.group, []).append(one.key)
    pairs = [(keys[0], keys[1]) for keys in by_group.values() if len(keys) > 1]
    return [pair for pair in pairs if frozenset(pair) not in known]


def check_pairs(journal: Journal, arms: Arms) -> list[tuple[Any, Any]]:
    """Pairs of the last check that nobody has compared yet: the first of `arms` (name -> prompt -> set) and another."""
    known = {frozenset((one.better, one.worse)) for one in journal.clicks}
    first, *others = arms.values()
    pairs = []
    for group, prompt in {one.group: one.prompt for one in journal.asks("check")}.items():
        pairs += [
            ((group, first[prompt]), (group, other[prompt])) for other in others if first[prompt] != other[prompt]
        ]
    return [pair for pair in dict.fromkeys(pairs) if frozenset(pair) not in known]
