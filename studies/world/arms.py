"""The ways of painting that a report compares: each is one function from prompts to an `Arm`."""

from __future__ import annotations

from collections.abc import Sequence

from negopt_core.text.prompt import FULL, DFPrompt, PromptPair, Span, Window
from negopt_core.world import vocabulary as words
from negopt_core.world.captions import read_prompt
from studies.world.studio import Arm

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

WINDOWS = {"all steps": FULL, "first half": Window(0.0, 0.5), "last half": Window(0.5, 1.0)}
STARTS = (0.0, 0.1, 0.2, 0.4, 0.6)
WEIGHTS = (0.5, 0.75, 1.0, 1.25, 1.5)


def with_negative(name: str, prompts: Sequence[str], negative: str, window: Window = FULL) -> Arm:
    """The same negative for every prompt, live in one window."""
    unwanted = DFPrompt((Span(negative, 1.0, window),)) if negative else DFPrompt()
    return Arm(name, tuple(PromptPair(DFPrompt.plain(prompt), unwanted) for prompt in prompts))


def with_negatives(name: str, prompts: Sequence[str], negatives: Sequence[str]) -> Arm:
    """A negative of its own for each prompt."""
    return Arm(name, tuple(PromptPair.plain(*pair) for pair in zip(prompts, negatives, strict=True)))


def with_modifiers(name: str, prompts: Sequence[str], modifiers: Sequence[Span]) -> Arm:
    """The same modifiers after every prompt, each with its weight and window."""

    def appended(prompt: str) -> PromptPair:
        spans = [part for span in modifiers for part in (Span(", "), span)]
        return PromptPair(DFPrompt((Span(prompt), *spans)))

    return Arm(name, tuple(map(appended, prompts)))


def against_the_prompt(prompts: Sequence[str]) -> list[str]:
    """For each prompt a negative that names what the prompt asks for: its medium, its colour and its shape."""
    requests = [read_prompt(prompt) for prompt in prompts]
    return [
        ", ".join((words.MEDIUMS[r.medium or 0], f"{words.COLOURS[r.colour or 0]} {words.SHAPES[r.shape or 0]}"))
        for r in requests
    ]


def word_arms(prompts: Sequence[str]) -> list[Arm]:
    """Each word for each degradation, alone in the negative."""
    synonyms = [word for pair in words.DEGRADATIONS.values() for word in pair]
    return [with_negative(word, prompts, word) for word in synonyms]


def delayed_arms(prompts: Sequence[str], negatives: dict[str, str], starts: Sequence[float]) -> list[Arm]:
    """Each negative from each start on; a start of 0 is the plain arm of the same name and is left out."""
    return [
        with_negative(delayed(name, start), prompts, text, Window(start, 1.0))
        for name, text in negatives.items()
        for start in starts
        if start > 0.0
    ]


def delayed(name: str, start: float) -> str:
    """Name of the arm whose negative begins at `start`."""
    return f"{name} from {start:.0%}" if start > 0.0 else name


def timing_arms(prompts: Sequence[str]) -> list[Arm]:
    """Each modifier in each of `WINDOWS`."""
    return [
        with_modifiers(timed(word, name), prompts, [Span(word, 1.0, window)])
        for word in words.ENHANCEMENTS
        for name, window in WINDOWS.items()
    ]


def timed(word: str, window: str) -> str:
    """Name of the arm in which a modifier acts in one of `WINDOWS`."""
    return f"{word}, {window}"


def weight_arms(prompts: Sequence[str]) -> list[Arm]:
    """Each modifier at each weight but 1, which is `timed(word, "all steps")`."""
    return [
        with_modifiers(weighted(word, weight), prompts, [Span(word, weight)])
        for word in words.ENHANCEMENTS
        for weight in WEIGHTS
        if weight != 1.0
    ]


def weighted(word: str, weight: float) -> str:
    """Name of the arm in which a modifier has a weight."""
    return f"{word} x {weight:g}" if weight != 1.0 else timed(word, "all steps")
