"""Prompts as people wrote them for a host, made into training pairs: brackets, weights and tags become phrases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from ..df_text import parse_prompt
from ..dialects import Imported, import_dialect
from ..errors import DialectError, PromptError
from ..inspect import embedding_names
from ..policy.phrases import append_phrases, phrase_spans, without_prefix
from ..policy.words import phrase_key
from ..prompt import DFPrompt, PromptPair, Span
from .pairs import Pair

Notation = Literal["a1111", "comfy", "df"]

_STEPS = 20  # of a text whose picture does not say how many it had
_NETWORK = re.compile(r"<\w+:[^<>]*>")
_NAMED_EMBEDDING = re.compile(r"(?<!\w)embedding:[\w.\-/\\]+")
_SPLITTER = re.compile(r"\b(?:BREAK|AND(?=\s|\Z))")
_COMFY_LITERAL = re.compile(r"(?<!\\)[\[\]|]")
_WEIGHT = re.compile(r":\s*-?[\d.]+\s*(?=[)\]])")
_BARE_WEIGHT = re.compile(r":\s*\d*\.\d+\s*\Z")
_BRACKET = re.compile(r"\\(?=[()\[\]\\:|])|[()\[\]{}]")
_MARK = re.compile(r"\\.|[()\[\]{}|:]", re.DOTALL)
_CLOSES = {")": "(", "]": "[", "}": "{"}
_DEEPEST = 20  # brackets within each other that are looked at; nobody writes more
_NUMBER = re.compile(r"\s*\d*\.?\d+\s*%?\s*")
_EDGE = " \t.;:!?\"'`*_~-–|/\\"
_HAS_WORD = re.compile(r"[^\W_]")


def read_written(text: str, notation: Notation, steps: int = _STEPS) -> DFPrompt:
    """What a person asked for: as `read_host`, but of words that take turns only the first, all the time."""
    return read_host(_settled(text, notation), notation, steps).prompt


def read_written_pair(positive: str, negative: str, notation: Notation, steps: int = _STEPS) -> PromptPair:
    """Two prompts as `read_written`; what one of them weighs below zero goes to the other."""
    return with_opposites(*(read_host(_settled(text, notation), notation, steps) for text in (positive, negative)))


def read_host_pair(positive: str, negative: str, notation: Notation, steps: int = _STEPS) -> PromptPair:
    """Two prompts as `read_host`; what one of them weighs below zero goes to the other."""
    return with_opposites(*(read_host(text, notation, steps) for text in (positive, negative)))


def _settled(text: str, notation: Notation) -> str:
    return _first_in_turn(text, with_edits=False) if notation == "a1111" else text


def read_host(text: str, notation: Notation, steps: int = _STEPS) -> Imported:
    """A prompt as its host read it, without LoRA tags and embedding names, which mean nothing without their files.

    `steps` are the host's own total. Text that its notation cannot explain keeps its words and loses its brackets and
    weights.
    """
    if notation == "df":
        return Imported(parse_prompt(text), DFPrompt(), ())
    text = _SPLITTER.sub(",", _NAMED_EMBEDDING.sub("", _NETWORK.sub("", text))).replace("#", " ")
    if notation == "comfy":  # ComfyUI weighs with round brackets only
        text = _COMFY_LITERAL.sub(r"\\\g<0>", text)
    try:
        # the comma: a text that ends in `:1.2` would be the weight of everything before it
        return import_dialect(f"{text},", "a1111", max(1, steps))
    except (DialectError, PromptError):
        return Imported(DFPrompt.plain(plain_words(text)), DFPrompt(), ())


def with_opposites(positive: Imported, negative: Imported) -> PromptPair:
    """The pair, with what each side weighs below zero moved to the other."""
    return PromptPair(
        append_phrases(positive.prompt, phrase_spans(negative.opposite.spans)),
        append_phrases(negative.prompt, phrase_spans(positive.opposite.spans)),
    )


def plain_words(text: str) -> str:
    """A host's text without brackets, weights and escapes; of words that take turns, as in `[cat|dog]`, the first."""
    return _BRACKET.sub("", _WEIGHT.sub("", _first_in_turn(text))).replace("|", " ")


def _first_in_turn(text: str, with_edits: bool = True) -> str:
    """`[a|b]`, `{a|b}` and, `with_edits`, `[a:b:0.5]` become `a`, from the inside out; everything else stays."""
    found: list[str] = []
    frames: list[list[int]] = [[]]  # of each open bracket its place in `found`, then those of its `|` and `:`
    at = 0
    for mark in _MARK.finditer(text):
        sign = mark.group()
        found += [text[at : mark.start()], sign]
        at, place = mark.end(), len(found) - 1
        if sign in "([{" and len(frames) <= _DEEPEST:
            frames.append([place])
        elif sign in "|:":
            frames[-1].append(place)
        elif len(frames) > 1 and _CLOSES.get(sign) == found[frames[-1][0]]:
            _choose(found, with_edits, *frames.pop())
    return "".join([*found, text[at:]])


def _choose(found: list[str], with_edits: bool, first: int, *marks: int) -> None:
    """Keep what comes first in the brackets that open at place `first` and close at the end, if words take turns."""
    signs = [found[mark] for mark in marks]
    if found[first] != "(" and "|" in signs:
        del found[marks[signs.index("|")] :]
    elif (
        with_edits
        and found[first] == "["
        and len(marks) in (1, 2)
        and marks[-1] == len(found) - 3
        and _NUMBER.fullmatch(found[-2])
    ):
        has_before = any(part.strip() for part in found[first + 1 : marks[0]])
        kept = found[first + 1 : marks[0]] if has_before else found[marks[0] + 1 : marks[-1]]
        found[first + 1 :] = kept
    else:
        return
    found[first] = ""


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
