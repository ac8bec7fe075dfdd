"""Training pairs from prompts as people wrote them: phrases, each once, cleaned of brackets and weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ...policy.phrases import without_prefix
from ...policy.words import phrase_key
from ...text.checks import embedding_names
from ...text.prompt import DFPrompt, Span
from .pairs import Pair

_BARE_WEIGHT = re.compile(r":\s*\d*\.\d+\s*\Z")
_EDGE = " \t.;:!?\"'`*_~-–|/\\"
_HAS_WORD = re.compile(r"[^\W_]")


def whole_phrases(spans: Iterable[Span]) -> list[Span]:
    """One span for each comma-separated phrase, cleaned, each phrase once, embedding names left out.

    A phrase that is only partly weighted, as in `a (red:1.2) ball`, gets weight and window of its longest part.
    """
    return _clean(_split(spans))


def pair_of_sides(
    positive: DFPrompt, negative: DFPrompt, polarity: str, written: str = "", weight: float = 1.0
) -> Pair:
    """What one picture's prompts teach. `written` is what the user wrote before a policy added to it, if known.

    Modifiers are what follows `written`, else what follows the first comma (PAE, arXiv 2404.04095).
    """
    if polarity == "negative":
        prompt = _line(written or all_words(positive)).rstrip(" ,")
        return Pair(prompt, tuple(whole_phrases(negative.spans)), weight)
    added = whole_phrases(without_prefix(positive, written) or ()) if written else []
    if added:
        return Pair(_line(written), tuple(added), weight)
    first, *rest = _split(positive.spans)
    return Pair(_line(_first_words(first)), tuple(_clean(rest)), weight)


def _clean(phrases: Iterable[Sequence[Span]]) -> list[Span]:
    kept: dict[str, Span] = {}
    for parts in phrases:
        text = _tidy(_first_words(parts))
        if not _HAS_WORD.search(text) or embedding_names(text):
            continue
        longest = max(parts, key=lambda part: len(part.text.strip()))
        kept.setdefault(phrase_key(text) or text.casefold(), Span(text, round(longest.weight, 3), longest.window))
    return list(kept.values())


def _split(spans: Iterable[Span]) -> list[list[Span]]:
    """The parts between commas and line ends; a part keeps the weight and window of the span it was in."""
    phrases: list[list[Span]] = [[]]
    for span in spans:
        head, *tail = re.split(r"[,\n]", span.text)
        phrases[-1] += [Span(head, span.weight, span.window)] if head else []
        phrases += [[Span(text, span.weight, span.window)] if text else [] for text in tail]
    return phrases


def all_words(prompt: DFPrompt) -> str:
    """The text of a prompt; of words that replace each other the first."""
    if all(span.window.is_full for span in prompt.spans):
        return prompt.text
    return ", ".join(map(_first_words, _split(prompt.spans)))


def _first_words(parts: Iterable[Span]) -> str:
    """The text of a phrase; of words that replace each other during the run, as in `[a:b:0.5] cat`, the first."""
    kept: list[str] = []
    last_start, first_end = 0.0, 1.0  # of what is kept: a window that overlaps these overlaps every one
    for part in parts:
        if part.window.start < first_end and last_start < part.window.end:
            kept.append(part.text)
            last_start, first_end = max(last_start, part.window.start), min(first_end, part.window.end)
    return "".join(kept)


def _tidy(text: str) -> str:
    text = _BARE_WEIGHT.sub("", _line(text)).strip(_EDGE)
    return text[1:-1].strip(_EDGE) if text.startswith("[") and text.endswith("]") else text


def _line(text: str) -> str:
    return " ".join(text.split())
