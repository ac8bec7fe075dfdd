"""What the words of a prompt say that no text encoder reads: "no people", and wildcards that nobody filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from .finding import Finding, distinct, examples
from .prompt import PromptPair
from .unwanted import read_wishes

_WORD = re.compile(r"\w+")
_PLACE = re.compile(
    r"\{[^{}\"\n]*\|[^{}\"\n]*\}"  # {cat|dog}
    r"|(?<!\w)__[\w*][\w*/.\-]*?__(?!\w)"  # __animals__, __folder/colors__
    r"|\{\{?\s*(?:prompt|negative_prompt|negative|text|input|user_prompt)\s*\}?\}"  # {prompt}
    r"|\$\{[\w.]+\}|%\w+(?:\.\w+)?%|<%[^%\n]*%>"  # ${style}, %date%, <% x %>
)


def judge_words(pair: PromptPair) -> Iterator[Finding]:
    """Information only: each of these may be wanted."""
    sides: tuple[tuple[Literal["negative", "positive"], str], ...] = (
        ("negative", pair.negative.text),
        ("positive", pair.positive.text),
    )
    for side, text in sides:
        unwanted = list(read_wishes(text).unwanted)
        if unwanted:
            thing = unwanted[0]
            yield Finding(
                "negation",
                "info",
                f"{examples(unwanted)}: the {side} says no to it; text encoders read 'no {thing}' much like '{thing}'",
                "say the thing itself in the negative" + (", and leave it out here" if side == "positive" else ""),
                side,
                distinct(unwanted),
            )
        places = list(unexpanded(text))
        if places:
            yield Finding(
                "wildcard-unexpanded",
                "info",
                f"{examples(places)} in the {side}: negopt does not expand wildcards, so it is read as it is written",
                "expand it before it comes here, if no other node does",
                side,
                distinct(places),
            )


def without_unwanted(phrases: Sequence[str], text: str) -> list[str]:
    """Of phrases that stand in a text those that it does not only say no to: "people" in "no people" is no wish."""
    wishes = read_wishes(text)
    unwanted, wanted = {_key(thing) for thing in wishes.unwanted}, f" {' '.join(_key(wishes.wanted))} "
    return [phrase for phrase in phrases if (key := _key(phrase)) not in unwanted or f" {' '.join(key)} " in wanted]


def _key(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold()))


def unexpanded(text: str) -> tuple[str, ...]:
    """The places in the text, as they are written, each once and in order; linear in its length."""
    return tuple(dict.fromkeys(match.group()[:60] for match in _PLACE.finditer(text)))
