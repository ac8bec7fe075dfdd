"""The arms that the world's report compares, and their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from negopt_core.lab.compare.arms import Arm
from negopt_core.text.df_text import format_prompt
from negopt_core.text.prompt import FULL, DFPrompt, PromptPair, Span, Window
from negopt_core.world import vocabulary as words
from negopt_core.world.captions import read_prompt

NONE = "none"
FIXED = {
    "blurry, low quality": "blurry, low quality",
    "low quality, worst quality, ugly": "low quality, worst quality, ugly",
    "watermark, cropped, blurry, deformed": "watermark, cropped, blurry, deformed",
    "every fault": ", ".join(words.DEGRADATIONS),
}
"""Negatives that people paste under every prompt."""
IRRELEVANT = {"concept art, hdr": "concept art, hdr", "artstation, 8k": "artstation, 8k"}
HARMFUL = ", ".join(words.ENHANCEMENTS)
SYNONYMS = tuple(word for synonyms in words.DEGRADATIONS.values() for word in synonyms)

WINDOWS = {"all steps": FULL, "first half": Window(0.0, 0.5), "last half": Window(0.5, 1.0)}
STARTS = (0.0, 0.1, 0.2, 0.4, 0.6)
WEIGHTS = (0.5, 0.75, 1.0, 1.25, 1.5)


def negative_arm(name: str, negative: str, window: Window = FULL) -> Arm:
    """The same negative for every prompt, live in one window as a whole."""
    return Arm(name, "text", format_prompt(DFPrompt((Span(negative, 1.0, window),)))) if negative else Arm(name, NONE)


def negatives_arm(name: str, prompts: Sequence[str], negatives: Sequence[str]) -> Arm:
    """A negative of its own for each prompt."""
    return Arm.written(name, (PromptPair.plain(*pair) for pair in zip(prompts, negatives, strict=True)))


def modifiers_arm(name: str, modifiers: Sequence[Span]) -> Arm:
    """The same modifiers after every prompt, each with its weight and window."""
    joined = [part for span in modifiers for part in (Span(", "), span)][1:]
    return Arm(name, "modifiers", format_prompt(DFPrompt(tuple(joined))))


def against_the_prompt(prompts: Sequence[str]) -> list[str]:
    """For each prompt a negative that names what the prompt asks for: its medium, its colour and its shape."""
    requests = [read_prompt(prompt) for prompt in prompts]
    return [
        ", ".join((words.MEDIUMS[r.medium or 0], f"{words.COLOURS[r.colour or 0]} {words.SHAPES[r.shape or 0]}"))
        for r in requests
    ]


def delayed_arms(negatives: Mapping[str, str], starts: Sequence[float]) -> list[Arm]:
    """Each negative from each start on; a start of 0 is the plain arm of the same name and is left out."""
    return [
        negative_arm(delayed(name, start), text, Window(start, 1.0))
        for name, text in negatives.items()
        for start in starts
        if start > 0.0
    ]


def delayed(name: str, start: float) -> str:
    """Name of the arm whose negative begins at `start`."""
    return f"{name} from {start:.0%}" if start > 0.0 else name


def timing_arms() -> list[Arm]:
    """Each modifier in each of `WINDOWS`."""
    return [
        modifiers_arm(timed(word, name), [Span(word, 1.0, window)])
        for word in words.ENHANCEMENTS
        for name, window in WINDOWS.items()
    ]


def timed(word: str, window: str) -> str:
    """Name of the arm in which a modifier acts in one of `WINDOWS`."""
    return f"{word}, {window}"


def weight_arms() -> list[Arm]:
    """Each modifier at each weight but 1, which is `timed(word, "all steps")`."""
    return [
        modifiers_arm(weighted(word, weight), [Span(word, weight)])
        for word in words.ENHANCEMENTS
        for weight in WEIGHTS
        if weight != 1.0
    ]


def weighted(word: str, weight: float) -> str:
    """Name of the arm in which a modifier has a weight."""
    return f"{word} x {weight:g}" if weight != 1.0 else timed(word, "all steps")
