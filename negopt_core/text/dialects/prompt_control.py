"""Schedules of asagi4/comfyui-prompt-control 3: `[before:during:after:0.3,0.7]`, `(words:weight)`, backslash escapes.

Its numbers are hundredths of ComfyUI's percent. They mean our steps where a step is an equal share of the model's
timesteps (the schedulers normal, simple and ddim_uniform); under Karras and the like the same text acts elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from ...errors import DialectError
from ..prompt import DFPrompt, step_at
from .edits import boundary_span, escape, find_edits, plain_number, runs
from .nesting import Frame, Leaf, Sides, between, in_turn, read_leaves, refuse, to_sides, weigh

_SPECIAL = re.compile(r"[\\()\[\]:#]")
_RESERVED = re.compile(r"\b(?:AND|BREAK|CAT|AVG|COUPLE)\b|\b[A-Z_]{2,}\(|\\\[CUT\\:|\0")
_TAG = re.compile(r"<(?:lora|loractl|emb):")
_BACKSLASH_THEN_ROUND = re.compile(r"(?<!\\)(?:\\\\)+\(")  # ComfyUI would read the bracket as a character
_ENDS_AS_WEIGHT = re.compile(r"\\?:-?\d\.?\d*(?:![A-Za-z]+)?\s*\Z")  # the host reads it as the prompt's strength
_CLOSES_AS_WEIGHT = re.compile(r"\\:\s*[-+]?[.\d][-+.\deE_]*\s*\Z")  # before a closing round bracket, though escaped
_NUMBER = r"(?:\d+\.?\d*|\.\d+)"
_RANGE = re.compile(rf"({_NUMBER})(?:,({_NUMBER}))?", re.ASCII)
_WEIGHT = re.compile(rf"\s*[-+]?{_NUMBER}\s*", re.ASCII)
_STRONGER = 1.1  # what a pair of round brackets without a number means
_HUNDREDTHS = 100
_TURN = 10  # hundredths after which words that take turns change, unless they say when


def write(prompt: DFPrompt, steps: int) -> str:
    """Write a schedule whose hundredths fall on the same steps of a run of `steps` as our windows."""
    edits = find_edits(prompt, steps, _write_words)
    cuts = {first: _hundredth(prompt, steps, first) for first in edits.firsts[1:]}
    text = "".join(
        _edit([(cuts.get(first, ""), words) for first, words in runs(p, edits.firsts)]) for p in edits.pieces
    )
    _check_reserved([*edits.segment_texts(), text])  # "catAND" at a step is two words in `[cat::0.5][AND::0.05]`
    return text


def read(text: str) -> Sides:
    """Read a schedule; its fractions become progress."""
    for pattern, rule in (
        (_RESERVED, "this word is an instruction to the host, which has no counterpart; leave it out"),
        (_BACKSLASH_THEN_ROUND, "ComfyUI reads a bracket after a backslash as a character; put a space between them"),
        (_TAG, "LoRA and embedding tags have no counterpart; leave them out"),
    ):
        if match := pattern.search(text):
            raise refuse(match.start(), f"{match.group()!r}: {rule}")
    leaves = read_leaves(text, _Rules())
    _check_strength(leaves, len(text))
    return to_sides(leaves, _HUNDREDTHS)


def _write_words(text: str, weight: float) -> str:
    words = escape(text, _SPECIAL)
    if weight != 1.0:
        return f"({words}:{plain_number(weight)})"
    ending = _ENDS_AS_WEIGHT.search(words)
    return f"{words[: ending.start()]}({words[ending.start() :]}:1)" if ending else words


def _hundredth(prompt: DFPrompt, steps: int, first: int) -> str:
    """The hundredth nearest to the window's own bound that falls on the step `first`."""
    span = boundary_span(prompt, steps, first)
    bound = span.window.start if span.window.steps(steps).start == first else span.window.end
    for hundredth in sorted(range(1, _HUNDREDTHS), key=lambda value: abs(value / _HUNDREDTHS - bound)):
        if step_at(hundredth / _HUNDREDTHS, steps) == first:
            return plain_number(hundredth / _HUNDREDTHS)
    raise DialectError(
        f"prompt-control rounds to hundredths and cannot switch {span.text[:40]!r} at step {first} of {steps}; "
        "use at most 100 steps or move the window to a hundredth"
    )


def _edit(switches: list[tuple[str, str]]) -> str:
    """Nest the switches, each (fraction at which it begins, text), from the last to the first."""
    if any("|" in text for _, text in switches) and len(switches) > 1:
        raise DialectError("prompt-control alternates at '|' inside a schedule; leave '|' out of scheduled phrases")
    if len(switches) == 3 and not switches[0][1] and not switches[2][1]:
        return f"[{switches[1][1]}:{switches[1][0]},{switches[2][0]}]"
    text = switches[-1][1]
    for (_, before), (fraction, _) in reversed(list(pairwise(switches))):
        if before == "SEQ":
            raise DialectError("prompt-control reads 'SEQ' at the start of a bracket as a sequence; write it otherwise")
        text = f"[{before}:{text}:{fraction}]" if before else f"[{text}:{fraction}]"
    return text


def _check_reserved(texts: Sequence[str]) -> None:
    """Refuse what the host acts on, in the text of a step or in the whole text."""
    for encoded in texts:
        if match := _RESERVED.search(encoded):
            raise DialectError(f"prompt-control acts on {match.group()!r} and has no escape for it; write it otherwise")
        if match := _BACKSLASH_THEN_ROUND.search(encoded):
            raise DialectError("ComfyUI cannot weight words right after a backslash; put a space between them")
        if match := _ENDS_AS_WEIGHT.search(encoded):
            raise DialectError(f"prompt-control reads the ending {match.group()!r} as a strength; end in other words")


def _check_strength(leaves: list[Leaf], end: int) -> None:
    """Refuse text that ends in `:number` at some step."""
    for cell in {0} | {leaf.start for leaf in leaves} | {leaf.stop for leaf in leaves}:
        tail = ""
        for leaf in reversed(leaves):
            if leaf.start <= cell < leaf.stop:
                if leaf.weight != 1.0 or leaf.is_fixed or len(tail) > 80:
                    break
                tail = leaf.text + tail
        if match := _ENDS_AS_WEIGHT.search(tail):
            rule = f"prompt-control reads the ending {match.group()[:40]!r} as the prompt's strength"
            raise refuse(end, f"{rule}; end in other words")


class _Rules:
    """prompt-control's reading of square brackets, ComfyUI's of round ones."""

    bar_rule = r"| takes turns directly inside [ ] only; take the round brackets away, or write it outside of [ ]"
    grid = _HUNDREDTHS

    def literal(self, token: str, position: int, is_inside: bool) -> str:
        if "#" in token and token != "\\#":
            raise refuse(position, r"# starts a comment; write \# for the character, or leave the comment out")
        if not token.startswith("\\"):
            return token
        if _SPECIAL.fullmatch(token[1:]):
            return token[1]
        if is_inside:
            if token[1:] in ("<", ">"):  # the host would take the whole bracket literally, which nobody wants
                return token[1]
            raise refuse(position, "a backslash inside brackets needs a second one")
        return token

    def close_round(self, frame: Frame, last: str) -> list[Leaf]:
        if _CLOSES_AS_WEIGHT.search(last):
            raise refuse(frame.position, "ComfyUI reads the number before ) as a weight; end the bracket with :1)")
        if len(frame.fields) == 1:
            return weigh(frame.fields[0], _STRONGER)
        if len(frame.fields) > 2 or not _WEIGHT.fullmatch(last):
            raise refuse(
                frame.position, rf"(words:weight) ends in one colon and a number, got {last[:40]!r}; write \: in words"
            )
        if not frame.fields[0]:
            raise refuse(frame.position, "(words:weight) needs words; leave the brackets out")
        return weigh(frame.fields[0], float(last), is_fixed=True)

    def close_square(self, frame: Frame, last: str) -> list[Leaf]:
        fields = frame.fields
        if len(fields) == 1:  # not a schedule: the brackets are characters
            mark = Leaf("[", frame.position, 1.0, 0, self.grid)
            return [mark, *fields[0], Leaf("]", frame.position, 1.0, 0, self.grid)]
        if "|" in frame.signs:
            return self._take_turns(frame, last)
        match = _RANGE.fullmatch(last)
        if len(fields) > 4 or not match:
            rule = rf"[before:during:after:start,end] ends in fractions, got {last[:40]!r}; write \: in words"
            raise refuse(frame.position, rule)
        if len(fields) > 2 and [(leaf.text, leaf.is_fixed) for leaf in fields[0]] == [("SEQ", False)]:
            raise refuse(frame.position, "a sequence has no counterpart; nest [before:after:when] instead")
        start = _read_hundredth(match.group(1), frame.position)
        if match.group(2) is None:
            before, after = ([], fields[0]) if len(fields) == 2 else fields[:2]
            return between(before, 0, start) + between(after, start, self.grid)
        stop = _read_hundredth(match.group(2), frame.position)
        if start >= stop:
            raise refuse(frame.position, f"a range needs start < end, got {last}")
        before = fields[0] if len(fields) == 4 else []
        during = fields[1] if len(fields) == 4 else fields[0]
        after = fields[-2] if len(fields) > 2 else []
        return between(before, 0, start) + between(during, start, stop) + between(after, stop, self.grid)

    def _take_turns(self, frame: Frame, last: str) -> list[Leaf]:
        """`[a|b:0.1]`: another one after each tenth, which is also the default."""
        options, share = frame.fields, _TURN
        if frame.signs.endswith(":"):
            match = _RANGE.fullmatch(last)
            if not match or match.group(2) is not None:
                raise refuse(frame.position, f"[a|b:share] ends in one fraction, got {last[:40]!r}; write \\: in words")
            options, share = options[:-1], _read_hundredth(match.group(1), frame.position)
        if ":" in frame.signs[:-1] or not all(options):
            raise refuse(frame.position, "[a|b:share] needs words on both sides of | and one colon at most")
        if share < 1:
            raise refuse(frame.position, f"words take turns after a hundredth of the run at least, got {last[:40]}")
        starts = range(0, self.grid, share)
        return in_turn(frame, options, [(start, min(start + share, self.grid)) for start in starts])

    def is_bar_text(self, stack: list[Frame]) -> bool:
        return all(frame.bracket != "[" for frame in stack)


def _read_hundredth(number: str, position: int) -> int:
    if float(number) > 1.0:
        raise refuse(position, f"a fraction needs 0 to 1, got {number[:40]}; step numbers depend on another input")
    return round(round(float(number), 2) * _HUNDREDTHS)
