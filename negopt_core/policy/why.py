"""Why a policy writes each phrase, as codes with their values; a host says them in its user's language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .base import Policy
from .combined import CombinedPolicy
from .loglinear.choosing import Choice, Reason
from .loglinear.model import ANY_PROMPT
from .loglinear.policy import NegOptPolicy
from .tuned.policy import TunedPolicy

_SHOWN = 3
"""Reasons of one phrase."""
_LEARNED = ("people", "pictures")


@dataclass(frozen=True, slots=True)
class PhraseReason:
    """One reason: `code` chooses the sentence, whose placeholders are `values`."""

    code: str
    """"unwanted", "model", "any-model", "knowledge", "people", "pictures", "people-any", "pictures-any" or "tuned"."""
    values: dict[str, str]


Told = dict[str, tuple[PhraseReason, ...]]
"""Phrase -> its reasons, the strongest first."""


def phrase_reasons(policy: Policy, prompt: str) -> dict[str, Told]:
    """ "negative" and "modifiers" -> phrase -> its reasons; empty where the policy cannot say."""
    if isinstance(policy, CombinedPolicy):
        sides = {"negative": policy.negative, "modifiers": policy.modifiers}
        return {side: phrase_reasons(one, prompt)[side] for side, one in sides.items()}
    told: dict[str, Told] = {"negative": {}, "modifiers": {}}
    if isinstance(policy, TunedPolicy):
        for row in policy.why(prompt):
            values = {"gain": f"{row['gain']:+.2f}", "pictures": str(row["pictures"])}
            told[row["side"]][row["phrase"]] = (PhraseReason("tuned", values),)
    elif isinstance(policy, NegOptPolicy):
        found = policy.why(prompt)
        is_known = bool(policy.card.families)
        told["negative"] = _by_phrase(found.negative, is_known)
        told["modifiers"] = _by_phrase(found.modifiers, is_known)
    return told


def _by_phrase(choices: Iterable[Choice], is_known: bool) -> Told:
    return {choice.phrase: _strongest(choice.reasons, is_known) for choice in choices}


def _strongest(reasons: Iterable[Reason], is_known: bool) -> tuple[PhraseReason, ...]:
    helping = sorted((one for one in reasons if one.effect > 0), key=lambda one: -one.effect)
    told: list[PhraseReason] = []
    for one in (_told(reason, is_known) for reason in helping):
        if one not in told:
            told.append(one)
    return tuple(told[:_SHOWN])


def _told(reason: Reason, is_known: bool) -> PhraseReason:
    """`is_known`: whether the policy was asked for a family; else it writes the words of one that was not named."""
    because = {"because": reason.because}
    if reason.source == "prompt":
        return PhraseReason("unwanted", {})
    if reason.source == "model":
        return PhraseReason("model", because) if is_known else PhraseReason("any-model", {})
    if reason.source not in _LEARNED:
        return PhraseReason("knowledge", because)
    return (
        PhraseReason(f"{reason.source}-any", {})
        if reason.because == ANY_PROMPT
        else PhraseReason(reason.source, because)
    )
