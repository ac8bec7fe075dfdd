"""Words with learned windows, and the same words in other windows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from negopt_core.lab.data.world_people import modifier_stock
from negopt_core.policy.language.pae_weights import PAE_WINDOWS
from negopt_core.policy.phrase_kinds import usual_time
from negopt_core.policy.phrases import append_phrases
from negopt_core.policy.tuned.effects import Option, Stock
from negopt_core.text.df_text import format_prompt
from negopt_core.text.prompt import DFPrompt, PromptPair, Span
from studies.learning.arms import learned_sets
from studies.learning.settings import LearningSettings
from studies.policies.arms import changed

TUNE_PICTURES = (3072,)
Pairs = tuple[PromptPair, ...]


def timed_stock() -> Stock:
    """Each modifier of the world in each of PAE's windows."""
    return Stock(tuple(Option("modifiers", Span(word, 1.0, one)) for word in modifier_stock() for one in PAE_WINDOWS))


def tuned_windows(prompts: Sequence[str], seed: int, dtype: str) -> dict[str, list[str]]:
    """What the engine of `tune` writes for each prompt, as DF-Prompt text, by the pictures it learned from."""
    settings = LearningSettings(budgets=TUNE_PICTURES, paint_dtype=dtype)
    sets = learned_sets(settings, seed, prompts, timed_stock())
    return {
        count: [
            format_prompt(append_phrases(DFPrompt.plain(prompt), [one.span for one in each]))
            for prompt, each in zip(prompts, found, strict=True)
        ]
        for count, found in sets.items()
    }


def in_other_windows(prompts: Sequence[str], pairs: Pairs, seed: int) -> Pairs:
    """The same modifiers with their weights, each in one of PAE's windows, drawn at random."""
    rng = random.Random(seed)
    return changed(prompts, pairs, lambda span: replace(span, window=rng.choice(PAE_WINDOWS)))


def in_published_windows(prompts: Sequence[str], pairs: Pairs) -> Pairs:
    """The same, each when published findings say that its kind acts."""
    return changed(prompts, pairs, lambda span: replace(span, window=usual_time(span.text, "modifiers")[0]))
