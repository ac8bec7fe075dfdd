"""Taking prompts apart into comma-separated phrases, and putting phrases onto prompts."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..text.prompt import DFPrompt, Span
from .token_estimate import CountTokens

SEPARATOR = ", "
_ENDS = (",", ".", "!", "?", "。", "！", "？", "，", "、")
"""After these no comma is put."""


def phrase_spans(spans: Iterable[Span]) -> list[Span]:
    """One span for each phrase, trimmed, with the weight and window of the span it was in."""
    return [
        Span(phrase, span.weight, span.window)
        for span in spans
        for part in re.split(r"[,\n]", span.text)
        if (phrase := part.strip())
    ]


def append_phrases(prompt: DFPrompt, phrases: Iterable[Span]) -> DFPrompt:
    """The prompt, untouched, followed by the phrases; a separator it already ends with is not doubled."""
    spans = list(prompt.spans)
    joiner = _joiner(prompt.text)
    for phrase in phrases:
        if joiner:
            spans.append(Span(joiner))
        spans.append(phrase)
        joiner = SEPARATOR
    return DFPrompt(tuple(spans))


def fitting_phrases(prompt: DFPrompt, phrases: list[Span], max_tokens: int, count_tokens: CountTokens) -> list[Span]:
    """The phrases, from the first on, that can be appended while the whole stays within `max_tokens`."""
    if not phrases or count_tokens(append_phrases(prompt, phrases).text) <= max_tokens:
        return phrases
    fits, too_many = 0, len(phrases)
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if count_tokens(append_phrases(prompt, phrases[:middle]).text) <= max_tokens:
            fits = middle
        else:
            too_many = middle
    return phrases[:fits]


def without_prefix(prompt: DFPrompt, text: str) -> list[Span] | None:
    """What follows `text` in the prompt, or None if the prompt does not begin with it in plain words."""
    if not text:
        return list(prompt.spans)
    first = prompt.spans[0] if prompt.spans else None
    if first is None or not first.is_plain or not first.text.startswith(text):
        return None
    rest = first.text[len(text) :]
    return [*([Span(rest)] if rest else []), *prompt.spans[1:]]


def phrases_behind(text: str, prompt: DFPrompt) -> list[Span]:
    """The phrases that follow `text` in a prompt of which only the words are known; none if it begins otherwise.

    A `Suggestion` says itself what was added (`added_positive`); this is for prompts from files and pages.
    """
    return phrase_spans(without_prefix(prompt, text) or ())


def _joiner(text: str) -> str:
    if not text.strip():
        return ""
    if text.rstrip().endswith(_ENDS):
        return "" if text[-1].isspace() else " "
    return SEPARATOR
