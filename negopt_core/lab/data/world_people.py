"""What people of the demo world write: prompts with negatives and modifiers, as uneven as real ones."""

from __future__ import annotations

import random
from collections.abc import Sequence

from ...text.prompt import Span
from ...world import vocabulary as words
from ...world.captions import read_prompt
from ..make_world.measure import draw_prompts
from .pairs import Pair

_BOILERPLATE = ("low quality", "worst quality", "ugly", "blurry", "watermark", "deformed")
_KNOWS, _COPIES = 0.35, 0.45
"""Shares of people who look at what goes wrong, and who paste what everybody pastes; the rest write odds and ends."""

_FUNCTION_WORDS = {"a", "of", "in", "the", "by", "at", "to", "next"}


def negative_stock() -> tuple[str, ...]:
    """Every phrase that may stand in a negative here: faults, generic words, fashion, and what pictures show."""
    faults = [word for synonyms in words.DEGRADATIONS.values() for word in synonyms]
    shown = [*words.MEDIUMS, *words.ENHANCEMENTS]
    return (*faults, *words.BAD_WORDS, *words.FASHION_WORDS, *shown)


def modifier_stock() -> tuple[str, ...]:
    """Every phrase that may be added to a prompt here."""
    return (*words.ENHANCEMENTS, *words.GOOD_WORDS, *words.FASHION_WORDS)


def draw_negatives(count: int, seed: int) -> list[Pair]:
    """Training prompts with the negatives that somebody used."""
    return human_negatives(draw_prompts(count, seed, part="train"), seed)


def human_negatives(prompts: Sequence[str], seed: int) -> list[Pair]:
    """What somebody would write into the negative of each prompt."""
    rng = random.Random(seed)
    return [Pair(prompt, tuple(map(Span, _negative(prompt, rng)))) for prompt in prompts]


def draw_modifiers(count: int, seed: int) -> list[Pair]:
    """Training prompts with the modifiers that somebody appended."""
    return human_modifiers(draw_prompts(count, seed, part="train"), seed)


def human_modifiers(prompts: Sequence[str], seed: int) -> list[Pair]:
    """What somebody would append to each prompt."""
    rng = random.Random(seed)
    return [Pair(prompt, tuple(map(Span, _modifiers(prompt, rng)))) for prompt in prompts]


def _negative(prompt: str, rng: random.Random) -> list[str]:
    kind = rng.random()
    if kind < _KNOWS:
        faults = rng.choices(list(words.DEGRADATIONS), _rates(prompt), k=rng.choice((1, 2, 2, 3)))
        phrases = [rng.choice(words.DEGRADATIONS[fault]) for fault in dict.fromkeys(faults)]
        phrases += rng.sample(words.BAD_WORDS, rng.choice((0, 1)))
    elif kind < _KNOWS + _COPIES:
        phrases = rng.sample(_BOILERPLATE, rng.choice((2, 3, 4)))
    else:
        phrases = rng.sample(negative_stock(), rng.choice((1, 2, 3, 4)))
    named = set(prompt.split()) - _FUNCTION_WORDS
    kept = [phrase for phrase in dict.fromkeys(phrases) if named.isdisjoint(phrase.split())]
    rng.shuffle(kept)
    return kept


def _rates(prompt: str) -> list[float]:
    request = read_prompt(prompt)
    medium, time, shape = (
        table[index or 0]
        for table, index in (
            (words.MEDIUMS, request.medium),
            (words.TIMES, request.time),
            (words.SHAPES, request.shape),
        )
    )
    return [
        words.degradation_rate(fault, medium, time, shape) * (words.quality_effect(fault, medium, time) < 0)
        for fault in words.DEGRADATIONS
    ]


def _modifiers(prompt: str, rng: random.Random) -> list[str]:
    medium = words.MEDIUMS[read_prompt(prompt).medium or 0]
    phrases = rng.sample(list(words.ENHANCEMENTS), rng.choice((0, 1, 1, 2)))
    if rng.random() < 0.5:
        phrases.append(words.MEDIUM_ENHANCEMENTS[medium])
    phrases += rng.sample(words.GOOD_WORDS, rng.choice((0, 1, 2)))
    phrases += rng.sample(words.FASHION_WORDS, rng.choice((0, 0, 1)))
    rng.shuffle(phrases)
    return list(dict.fromkeys(phrases))
