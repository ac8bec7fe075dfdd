"""Why a policy writes each phrase, in words for whoever reads them in a host."""

from __future__ import annotations

from collections.abc import Iterable

from .base import Policy
from .combined import CombinedPolicy
from .loglinear.choosing import Choice, Reason
from .loglinear.policy import NegOptPolicy
from .tuned.policy import TunedPolicy

_SHOWN = 3
"""Reasons of one phrase."""


def phrase_reasons(policy: Policy, prompt: str) -> dict[str, dict[str, str]]:
    """ "negative" and "modifiers" -> phrase -> its reasons, the strongest first; empty where the policy cannot say."""
    if isinstance(policy, CombinedPolicy):
        sides = {"negative": policy.negative, "modifiers": policy.modifiers}
        return {side: phrase_reasons(one, prompt)[side] for side, one in sides.items()}
    told: dict[str, dict[str, str]] = {"negative": {}, "modifiers": {}}
    if isinstance(policy, TunedPolicy):
        for row in policy.why(prompt):
            told[row["side"]][row["phrase"]] = f"adds {row['gain']:+.2f} to the score, from {row['pictures']} pictures"
    elif isinstance(policy, NegOptPolicy):
        found = policy.why(prompt)
        told["negative"] = _in_words(found.negative)
        told["modifiers"] = _in_words(found.modifiers)
    return told


def _in_words(choices: Iterable[Choice]) -> dict[str, str]:
    return {choice.phrase: "; ".join(_strongest(choice.reasons)) for choice in choices}


def _strongest(reasons: Iterable[Reason]) -> list[str]:
    helping = sorted((one for one in reasons if one.effect > 0), key=lambda one: -one.effect)
    return list(dict.fromkeys(map(_sentence, helping)))[:_SHOWN]


def _sentence(reason: Reason) -> str:
    if reason.source == "model":
        return f"usual for {reason.because} models"
    if reason.source == "knowledge":
        return f"goes with {reason.because}"
    if reason.source == "people":
        return f"people often write it for {reason.because}"
    if reason.source == "pictures":
        return f"helped in pictures of {reason.because}"
    return reason.because
