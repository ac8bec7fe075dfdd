"""Prompts as people wrote them for a host: its brackets, weights and tags, read without failing."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from ..errors import DialectError, PromptError
from ..policy.phrases import append_phrases, phrase_spans
from ..text.df_text import parse_prompt
from ..text.dialects import Imported, import_dialect
from ..text.prompt import DFPrompt, PromptPair, Span

Notation = Literal["a1111", "comfy", "df"]

_STEPS = 20  # of a text whose picture does not say how many it had
_NETWORK = re.compile(r"<\w+:[^<>]*>")
_NAMED_EMBEDDING = re.compile(r"(?<!\w)embedding:[\w.\-/\\]+")
_SPLITTER = re.compile(r"\b(?:BREAK|AND(?=\s|\Z))")
_COMFY_LITERAL = re.compile(r"(?<!\\)[\[\]|]")
_WEIGHT = re.compile(r":\s*-?[\d.]+\s*(?=[)\]])")
_BRACKET = re.compile(r"\\(?=[()\[\]\\:|])|[()\[\]{}]")
_MARK = re.compile(r"\\.|[()\[\]{}|:]", re.DOTALL)
_CLOSES = {")": "(", "]": "[", "}": "{"}
_DEEPEST = 20  # brackets within each other that are looked at; nobody writes more
_NUMBER = re.compile(r"\s*\d*\.?\d+\s*%?\s*")


def read_written(text: str, notation: Notation, steps: int = _STEPS) -> DFPrompt:
    """What a person asked for: as `read_host`, but of words that take turns only the first, all the time."""
    return read_host(text, notation, steps, is_settled=True).prompt


def read_host(text: str, notation: Notation, steps: int = _STEPS, is_settled: bool = False) -> Imported:
    """A prompt as its host read it, without LoRA tags and embedding names, which mean nothing without their files.

    `steps` are the host's own total. Text that its notation cannot explain keeps its words and loses its brackets and
    weights. With `is_settled`, of words that take turns in A1111's brackets only the first is read.
    """
    if is_settled and notation == "a1111":
        text = _first_in_turn(text, with_edits=False)
    if notation == "df":
        return Imported(parse_prompt(text), DFPrompt(), ())
    text = _SPLITTER.sub(",", _NAMED_EMBEDDING.sub("", _NETWORK.sub("", text))).replace("#", " ")
    if notation == "comfy":  # ComfyUI weighs with round brackets only
        text = _COMFY_LITERAL.sub(r"\\\g<0>", text)
    try:
        # the comma: a text that ends in `:1.2` would be the weight of everything before it
        read = import_dialect(f"{text},", "a1111", max(1, steps))
        return replace(read, prompt=_without_comma(read.prompt))
    except (DialectError, PromptError):
        return Imported(DFPrompt.plain(plain_words(text)), DFPrompt(), ())


def _without_comma(prompt: DFPrompt) -> DFPrompt:
    *before, last = prompt.spans or (Span(""),)
    rest = last.text.removesuffix(",")
    return DFPrompt((*before, replace(last, text=rest)) if rest else tuple(before))


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
    pieces: list[str] = []
    frames: list[list[int]] = [[]]  # of each open bracket its place in `pieces`, then those of its `|` and `:`
    at = 0
    for mark in _MARK.finditer(text):
        sign = mark.group()
        pieces += [text[at : mark.start()], sign]
        at, place = mark.end(), len(pieces) - 1
        if sign in "([{" and len(frames) <= _DEEPEST:
            frames.append([place])
        elif sign in "|:":
            frames[-1].append(place)
        elif len(frames) > 1 and _CLOSES.get(sign) == pieces[frames[-1][0]]:
            _choose(pieces, with_edits, *frames.pop())
    return "".join([*pieces, text[at:]])


def _choose(pieces: list[str], with_edits: bool, first: int, *marks: int) -> None:
    """Keep what comes first in the brackets that open at place `first` and close at the end, if words take turns."""
    signs = [pieces[mark] for mark in marks]
    if pieces[first] != "(" and "|" in signs:
        del pieces[marks[signs.index("|")] :]
    elif (
        with_edits
        and pieces[first] == "["
        and len(marks) in (1, 2)
        and marks[-1] == len(pieces) - 3
        and _NUMBER.fullmatch(pieces[-2])
    ):
        has_before = any(part.strip() for part in pieces[first + 1 : marks[0]])
        kept = pieces[first + 1 : marks[0]] if has_before else pieces[marks[0] + 1 : marks[-1]]
        pieces[first + 1 :] = kept
    else:
        return
    pieces[first] = ""
