"""Prompts as people write them in the webui: where words are added, and which words a prompt holds.

`AND` parts, their weights, `BREAK`, prompt editing and LoRA tags are the user's and stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from negopt_core.provenance.plan import Passes
from negopt_core.text.dialects import a1111
from negopt_core.text.prompt import DFPrompt, Span

_AND = re.compile(r"\bAND\b")
_PART_END = re.compile(r"(?:\s*:\s*[-+]?(?:\d+\.?|\d*\.\d+))?\s*\Z")  # what the host reads as the part's weight
_ENDS_IN_BREAK = re.compile(r"\bBREAK\Z")
_NETWORK = re.compile(r"<\w+:[^<>]*>")
_COMMENT = re.compile(r"#.*")
_SPLIT = re.compile(r"\b(?:AND|BREAK)\b")
_WEIGHT = re.compile(r":\s*[-+]?[.\d]+\s*(?=[)\]]|\Z)")
_BELOW = re.compile(r"\(([^()\[\]]{1,300}):\s*-\s*[.\d]+\s*\)")
_BRACKET = re.compile(r"(?<!\\)[\[\]()]")
_FIELD = re.compile(r"(?<!\\)[:|]")
_ESCAPE = re.compile(r"\\([\[\]():|\\])")
_SEPARATORS = re.compile(r"\s*,[\s,]*")
_BASE = "x"  # stands for the user's prompt while an addition is written


def add_words(prompt: str, words: str, is_negative: bool) -> str:
    """The prompt with words (in the host's notation) at the end of every part that `AND` makes; none change nothing."""
    return _add(prompt, is_negative, lambda joiner: joiner + words) if words else prompt


def add_schedule(
    prompt: str, added: DFPrompt, is_negative: bool, steps: int, hires_steps: int | None, passes: Passes
) -> str:
    """The prompt with a schedule in the host's own prompt editing; acts exactly as if we added it step by step.

    `steps` are the host's own total for the first pass, `hires_steps` for the second (None: there is none). Raises
    DialectError for what prompt editing cannot say.
    """
    if not added.text.strip():
        return prompt
    return _add(prompt, is_negative, lambda joiner: _edits(added, joiner, steps, hires_steps, passes))


def write_words(parts: tuple[tuple[str, float], ...]) -> str:
    """Weighted words in the host's notation; DialectError for words that it reserves."""
    return a1111.write(DFPrompt(tuple(Span(text, weight) for text, weight in parts)), 1)


def plain_words(prompt: str) -> str:
    """The words of a prompt without notation, for a policy to read: both sides of an edit, no networks, no weights.

    What weighs less than zero, in brackets or behind `AND`, stays as `(words:-1)`: it is not wanted.
    """
    text = _NETWORK.sub("", _COMMENT.sub("", prompt))
    pieces = _BELOW.split(", ".join(_bracketed(part) for part in _AND.split(text)))
    text = "".join(f"\1{_words(piece).strip()}\2" if at % 2 else _words(piece) for at, piece in enumerate(pieces))
    return _SEPARATORS.sub(", ", text).strip(" \t\r\n,").replace("\1", "(").replace("\2", ":-1)")


def _bracketed(part: str) -> str:
    """An `AND` part, in brackets if its own weight is below zero."""
    weight = _PART_END.search(part)
    is_below = weight and "-" in weight.group()
    return f" ({part[: weight.start()].strip()}:-1) " if weight and is_below else part


def _words(text: str) -> str:
    text = _WEIGHT.sub("", _SPLIT.sub(",", text))
    return _ESCAPE.sub(r"\1", _FIELD.sub(", ", _BRACKET.sub("", text)))


def _add(prompt: str, is_negative: bool, write: Callable[[str], str]) -> str:
    seen = _COMMENT.sub(lambda found: " " * len(found.group()), prompt)  # the host takes comments out first
    if is_negative:  # the host does not split it
        return _add_to_part(prompt, seen, len(seen.rstrip()), write) if prompt else write("")
    if not prompt:
        return write("")
    cuts = [0, *(place for found in _AND.finditer(seen) for place in found.span()), len(prompt)]
    parts = [(prompt[first:stop], seen[first:stop]) for first, stop in zip(cuts[::2], cuts[1::2], strict=True)]
    ends = [found.start() if (found := _PART_END.search(part)) else len(part) for _, part in parts]
    return "AND".join(_add_to_part(*part, end, write) for part, end in zip(parts, ends, strict=True))


def _add_to_part(part: str, seen: str, end: int, write: Callable[[str], str]) -> str:
    """`seen` is the part with blanks for its comments: words go in front of a comment, where the host reads them."""
    head = seen[:end]
    if not head.strip():  # nothing may touch the AND in front of it
        space = part[: len(part) - len(part.lstrip())]
        return (space or " ") + write("") + part[len(space) :]
    joiner = " " if head.endswith(",") or _ENDS_IN_BREAK.search(head) else ", "
    return part[:end] + write(joiner) + part[end:]


def _edits(added: DFPrompt, joiner: str, steps: int, hires_steps: int | None, passes: Passes) -> str:
    first = _edit(added, joiner, steps, 0) if passes != "hires" else ""
    if hires_steps is None:
        return first
    hires = _edit(added, joiner, hires_steps, steps) if passes != "first" else ""
    return a1111.between_passes(first, hires, steps)


def _edit(added: DFPrompt, joiner: str, steps: int, steps_before: int) -> str:
    if "," not in joiner:  # it can stay when nothing follows it
        return joiner + a1111.write(added, steps, steps_before)
    whole = DFPrompt((Span(_BASE + joiner), *added.spans))
    return a1111.write(whole, steps, steps_before).removeprefix(_BASE)
