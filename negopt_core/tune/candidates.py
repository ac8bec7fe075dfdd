"""Which phrases are worth trying: those that a policy would say for the prompts."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from ..policy.base import Policy
from ..policy.loglinear.knowledge import Side
from ..policy.loglinear.policy import NegOptPolicy, prior_of
from ..policy.phrases import phrase_spans
from ..policy.suggest import SuggestOptions, suggest
from ..policy.tuned.effects import SIDES, Option, Stock
from ..text.df_text import parse_prompt
from ..text.prompt import Span
from .tune import OWN, PRIOR

log = logging.getLogger("negopt")

_SHARE = 0.7
"""Of the places for negatives, where both sides are learned."""
_LEAST_FRESH = 8


def candidates(policy: Policy, prompts: Sequence[str], sides: Sequence[Side], count: int) -> list[Option]:
    """At most `count` phrases, those first that the policy thinks most of for these prompts; at weight 1, all steps."""
    found: list[Option] = []
    for side in sides:
        room = count if len(sides) == 1 else round(count * (_SHARE if side == "negative" else 1 - _SHARE))
        found += [Option(side, Span(text)) for text, _ in _ranked(policy, prompts, side).most_common(room)]
    return found


def _ranked(policy: Policy, prompts: Sequence[str], side: Side) -> Counter[str]:
    """Phrase -> sum over the prompts of what is thought of it, or of how often it is said."""
    found: Counter[str] = Counter()
    if isinstance(policy, NegOptPolicy):
        family = policy.card.families[0] if policy.card.families else ""
        for prompt in prompts:
            prior = prior_of(prompt, family)
            for phrase, gain in prior.gains[side].items():
                if gain > 0 and not prior.is_blocked(side, phrase):
                    found[phrase] += gain  # type: ignore[assignment]
        return found
    for options in written_sets(policy, prompts, (side,)):
        found.update(one.span.text for one in options)
    return found


def written_sets(policy: Policy, prompts: Sequence[str], sides: Sequence[Side], seed: int = 0) -> list[list[Option]]:
    """What a policy writes for each prompt, with its own weights and windows, each phrase once."""
    sets = []
    for answer in suggest(policy, prompts, SuggestOptions(modes=tuple(sides), seed=seed)):
        spans: dict[Side, tuple[Span, ...]] = {"negative": answer.added_negative, "modifiers": answer.added_positive}
        sets.append(list({(side, one.text): Option(side, one) for side in sides for one in spans[side]}.values()))
    return sets


def own_options(negative: str, modifiers: str) -> list[Option]:
    """The phrases of a user's own DF-Prompt texts, each once, with their weights and windows."""
    spans = {
        "negative": phrase_spans(parse_prompt(negative).spans),
        "modifiers": phrase_spans(parse_prompt(modifiers).spans),
    }
    return list(dict.fromkeys(Option(side, span) for side in SIDES for span in spans[side]))


def split_prompts(prompts: Sequence[str]) -> tuple[list[str], list[str]]:
    """To learn on, and a fifth (at least 8) for the check; with fewer than 16 prompts both are all of them."""
    if len(prompts) < 2 * _LEAST_FRESH:
        log.warning("%d prompts are few: the last check has the same prompts, with noise of its own", len(prompts))
        return list(prompts), list(prompts)
    count = max(len(prompts) // 5, _LEAST_FRESH)
    fresh = list(prompts)[:: max(len(prompts) // count, 1)][:count]
    return [one for one in prompts if one not in set(fresh)], fresh


def rivals_of(
    policy: Policy, fresh: Sequence[str], own: Sequence[Option], stock: Stock, sides: Sequence[Side]
) -> tuple[dict[str, dict[str, tuple[int, ...]]], Stock]:
    """What the policy before and the user's own list write for the prompts of the check."""
    written = written_sets(policy, fresh, sides)
    more = Stock(tuple(dict.fromkeys((*stock.options, *(one for each in written for one in each)))))
    place = {option: number for number, option in enumerate(more.options)}
    rivals = {
        PRIOR: {
            prompt: tuple(sorted({place[one] for one in each})) for prompt, each in zip(fresh, written, strict=True)
        }
    }
    if own:
        rivals[OWN] = dict.fromkeys(fresh, tuple(sorted(place[one] for one in own)))
    return rivals, more
