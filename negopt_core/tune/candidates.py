"""Which phrases are worth trying: those that a policy would say for the prompts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..policy.base import Policy
from ..policy.loglinear.knowledge import Side
from ..policy.loglinear.policy import NegOptPolicy, all_gains
from ..policy.suggest import SuggestOptions, suggest
from ..policy.tuned.effects import Option
from ..text.prompt import Span

_SHARE = 0.7
"""Of the places for negatives, where both sides are learned."""


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
            for phrase, gain in all_gains(prompt, family, side).items():
                found[phrase] += max(gain, 0.0)  # type: ignore[assignment]
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
