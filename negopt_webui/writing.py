"""Asking a policy, and taking from its answer just the words that it adds."""

from __future__ import annotations

from dataclasses import dataclass, field

from negopt_core.policy import Policy, SuggestOptions, suggest
from negopt_core.policy.phrases import append_phrases, phrase_spans
from negopt_core.policy.structure import why_structured
from negopt_core.policy.token_estimate import roomy_budget
from negopt_core.text.df_text import format_prompt
from negopt_core.text.prompt import DFPrompt, Span

from .native import add_words, plain_words, write_words


@dataclass(frozen=True, slots=True)
class UserPrompts:
    """What a policy is asked: the user's two prompts in the webui's notation, and what is scheduled on each side."""

    prompt: str
    negative: str
    scheduled_prompt: DFPrompt = field(default_factory=DFPrompt)
    scheduled_negative: DFPrompt = field(default_factory=DFPrompt)
    modes: tuple[str, ...] = ("negative", "modifiers")
    seed: int = 0
    model_family: str | None = None
    """Family of the painting model; None if unknown."""
    embeddings: frozenset[str] | None = None
    """Names of the embedding files that the webui can load; None if unknown."""


@dataclass(frozen=True, slots=True)
class AddedWords:
    """The words that a policy adds on each side, and what the user should know."""

    positive: DFPrompt
    negative: DFPrompt
    policy: str
    fingerprint: str
    warnings: tuple[str, ...]


def ask(policy: Policy, prompts: UserPrompts) -> AddedWords:
    """What the policy adds to the user's words and to what is scheduled already; nothing of it is said twice."""
    positive = DFPrompt.plain(prompts.prompt)
    if not why_structured(prompts.prompt):  # else words behind it, scheduled ones too, would hide what it is
        positive = append_phrases(
            DFPrompt.plain(plain_words(prompts.prompt)), phrase_spans(prompts.scheduled_prompt.spans)
        )
    negative = append_phrases(
        DFPrompt.plain(plain_words(prompts.negative)), phrase_spans(prompts.scheduled_negative.spans)
    )
    (own, own_negative) = (format_prompt(positive), format_prompt(negative))
    options = SuggestOptions(
        modes=prompts.modes,
        negative=own_negative,
        seed=prompts.seed,
        max_tokens=roomy_budget(prompts.model_family, own, own_negative),
        embeddings=prompts.embeddings,
        model_family=prompts.model_family,
    )
    (answer,) = suggest(policy, [own], options)
    return AddedWords(
        append_phrases(DFPrompt(), answer.added_positive),
        append_phrases(DFPrompt(), answer.added_negative),
        answer.policy,
        policy.fingerprint,
        answer.warnings,
    )


def as_text(added: DFPrompt) -> str:
    """The words in the webui's notation, with their weights and without their windows: they act in every step."""
    phrases = [Span(phrase.text, phrase.weight) for phrase in phrase_spans(added.spans)]
    return write_words(tuple((span.text, span.weight) for span in append_phrases(DFPrompt(), phrases).spans))


def into_prompt(prompt: str, added: DFPrompt, is_negative: bool) -> str:
    """The prompt box after the words were written into it."""
    return add_words(prompt, as_text(added), is_negative)


def joined(first: DFPrompt, second: DFPrompt) -> DFPrompt:
    """Both, as one comma-separated list."""
    return append_phrases(first, phrase_spans(second.spans))


def count_windows(added: DFPrompt) -> int:
    """How many phrases do not act in every step."""
    return sum(not phrase.window.is_full for phrase in phrase_spans(added.spans))
