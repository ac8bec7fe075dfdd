"""What a user wants to leave out of training: sexual prompts, artists' names, anything on a list of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ...policy.words import phrase_key
from .pairs import Pair
from .settings import Rules

SEXUAL = (
    *("nsfw", "nude", "nudes", "nudity", "naked", "topless", "bottomless", "undressed", "lingerie", "porn", "porno"),
    *("pornographic", "pornography", "hentai", "ecchi", "erotic", "erotica", "sex", "sexual", "sexually", "sexy"),
    *(
        "lewd",
        "orgasm",
        "masturbation",
        "genitals",
        "penis",
        "vagina",
        "nipple",
        "breasts",
        "cleavage",
        "fetish",
        "bdsm",
    ),
)
"""English only, and only words that seldom mean anything else: a coarse sieve, not a promise."""

_WORK = "art|artwork|painting|illustration|photo|photograph|photography|drawing|render|design|style"
_DONE = "drawn|painted|illustrated|photographed|rendered|directed|designed|created|made"
_CREDIT = re.compile(
    rf"\A(?:(?:concept )?(?:{_WORK}|{_DONE}) )?by (?!(?:the|an?|my|his|her|its|their)\b)\w"
    r"|\A(?:in )?(?:the )?style of (?!(?:the|an?)\b)\w",
    re.IGNORECASE,
)


def iter_allowed(pairs: Iterable[Pair], polarity: str, rules: Rules, counts: dict[str, int]) -> Iterator[Pair]:
    """The pairs that the rules allow, as they come; `counts` says how many were left after each rule in force."""
    steps = []
    for name, is_on, banned in (
        ("safe", rules.is_safe, SEXUAL),
        ("without what you listed", bool(rules.without), rules.without),
    ):
        if is_on:
            counts[name] = 0
            keys = [f" {key} " for phrase in banned if (key := phrase_key(phrase))]
            steps.append((name, keys, polarity == "modifiers" or banned is not SEXUAL))
    for pair in pairs:
        kept = pair
        for name, keys, is_answer in steps:
            if _says(kept.prompt, keys):
                break
            kept = _without(kept, keys, is_answer)
            counts[name] += 1
        else:
            yield kept if not rules.no_artists or polarity != "modifiers" else _without_artists(kept)


def _without_artists(pair: Pair) -> Pair:
    return replace(pair, spans=tuple(span for span in pair.spans if not _CREDIT.match(span.text)))


def _without(pair: Pair, keys: Sequence[str], is_answer: bool) -> Pair:
    if not is_answer:
        return pair
    return replace(pair, spans=tuple(span for span in pair.spans if not _says(span.text, keys)))


def _says(text: str, keys: Sequence[str]) -> bool:
    words = f" {phrase_key(text)} "
    return any(key in words for key in keys)
