"""The checks: what in a setup can have no effect, or not the wanted one, and why.

It never looks at a model or a disk; a host tells it what it knows in a `Setup`.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, chain
from operator import attrgetter
from typing import Literal

from ..errors import PromptError
from .cfg_parts import RunPart, check_cfg, judge_parts
from .finding import Finding, distinct, examples
from .guidance import advice, guidance_of
from .prompt import DFPrompt, PromptPair, Window
from .schedule import longest_texts, spans_never_live
from .word_checks import judge_words, without_unwanted

WELL_KNOWN_EMBEDDINGS = (
    "EasyNegative",
    "EasyNegativeV2",
    "FastNegativeV2",
    "bad-artist",
    "bad-artist-anime",
    "bad-hands-5",
    "bad-picture-chill-75v",
    "bad_prompt",
    "bad_prompt_version2",
    "badhandv4",
    "BadDream",
    "CyberRealistic_Negative",
    "negative_hand",
    "negative_hand-neg",
    "negativeXL_D",
    "ng_deepnegative_v1_75t",
    "unaestheticXLv31",
    "UnrealisticDream",
    "verybadimagenegative_v1.3",
)
"""Negative embeddings that people paste by bare name; without their file the name is a few meaningless tokens."""

_NAMED = re.compile(r"(?<!\w)embedding:([\w.\-/\\]+)")
_BARE = re.compile(
    rf"(?<![\w.\-/\\:])(?:{'|'.join(map(re.escape, sorted(WELL_KNOWN_EMBEDDINGS, key=len, reverse=True)))})(?![\w-])",
    re.IGNORECASE,
)
_FILE_ENDING = re.compile(r"\.(?:safetensors|pt|bin)\Z", re.IGNORECASE)
_SEPARATOR = " \t\r\n,"
_WORD = re.compile(r"\w+")
_LONGEST_PHRASE = 6  # words; a longer phrase must match a whole phrase of the positive
_start = attrgetter("start")
_MOST_JOINED = 20_000  # spans joined to find the longest text; every switch of a prompt of 100 spans


@dataclass(frozen=True, slots=True)
class Setup:
    """What a host knows of a run; what it leaves at the default is not judged."""

    steps: int | None = None
    """Steps of the run; None leaves out windows narrower than a step, and counts tokens of the whole text."""
    cfg: float | None = None
    """Guidance scale."""
    parts: tuple[RunPart, ...] = ()
    """Parts of the run with different guidance scales, in place of `cfg`; those of samplers in no chain may overlap."""
    nag: bool = False
    """True if ComfyUI's own NAGuidance is on the model, which stands in for CFG on some families."""
    in_comfyui: bool = True
    """False where advice that names ComfyUI's nodes would lead nowhere."""
    negative_zeroed: bool = False
    """True if the negative's conditioning is replaced by zeros on its way to the sampler."""
    model_family: str | None = None
    """Family of the painting model, such as `sd15` or `sdxl`."""
    policy_family: str | None = None
    """Family that the policy was made for."""
    embeddings: frozenset[str] | None = None
    """Names of the embedding files that the host can load, with or without folder and file ending; None if unknown."""
    count_tokens: Callable[[str], int] | None = None
    """Tokens of a text, without begin, end and padding."""
    chunk_tokens: int = 75
    """Tokens that the text encoder takes at once, without begin and end."""

    def __post_init__(self) -> None:
        if self.steps is not None and self.steps < 1:
            raise PromptError(f"a run needs at least 1 step, got {self.steps}")
        if self.cfg is not None:
            check_cfg(self.cfg)
        if self.chunk_tokens < 1:
            raise PromptError(f"a text encoder takes at least 1 token, got {self.chunk_tokens}")


def inspect_setup(pair: PromptPair, setup: Setup) -> tuple[Finding, ...]:
    """Judge a prompt pair in a setup; at most one finding for each code and side, most important first."""
    has_negative = bool(pair.negative.text.strip(_SEPARATOR))
    return tuple(
        chain(
            _judge_negative(setup) if has_negative else _empty_negative(setup),
            judge_parts(pair.negative, setup.parts, setup.steps) if has_negative else (),
            _judge_family(setup),
            _judge_windows(pair, setup),
            _judge_embeddings(pair, setup),
            _judge_overlap(pair, setup.steps),
            _judge_length(pair, setup),
            judge_words(pair),
        )
    )


def _empty_negative(setup: Setup) -> Iterator[Finding]:
    empty = "the negative is empty, so guidance compares with an empty prompt only"
    zeros = "the negative is zeros, which is another thing than an empty text: guidance pushes away from no prompt"
    yield Finding(
        "negative-empty",
        "info",
        zeros if setup.negative_zeroed else empty,
        "let a policy suggest one, or write what you do not want to see",
    )


def _judge_negative(setup: Setup) -> Iterator[Finding]:
    if setup.cfg is not None and math.isclose(setup.cfg, 1.0):
        yield from _judge_cfg_one(setup)
    elif setup.cfg is not None and setup.cfg < 1.0:
        rule = "below 1 a host either skips the negative or pushes towards it"
        yield Finding("cfg-below-one", "warning", f"CFG is {setup.cfg:g}; {rule}", "raise CFG above 1")
    if setup.negative_zeroed:
        yield Finding(
            "negative-zeroed",
            "warning",
            "the negative's conditioning is replaced by zeros, so its words have no effect",
            "connect the encoded negative to the sampler directly",
        )


def _judge_cfg_one(setup: Setup) -> Iterator[Finding]:
    guidance = guidance_of(setup.model_family)
    nag = guidance.nag if guidance and setup.nag else "unknown" if setup.nag else "absent"
    if nag in ("absent", "never"):
        rule = "at 1 the negative is left out of the run, so it has no effect"
        yield Finding("cfg-one", "warning", f"CFG is 1; {rule}", advice(guidance, setup.in_comfyui))
    elif nag != "acts":
        known = "acts only while both texts have the same number of tokens, and passes through silently otherwise"
        rule = known if guidance else "acts on some model families only, and this one is not known"
        remedy = "let the sampler hook measure it in the run, or raise CFG to 1.5 to 2"
        yield Finding("nag-unsure", "info", f"CFG is 1, and NAGuidance {rule}", remedy)


def _judge_family(setup: Setup) -> Iterator[Finding]:
    policy, model = setup.policy_family, setup.model_family
    if policy and model and policy.casefold() != model.casefold():
        yield Finding(
            "other-model-family",
            "warning",
            f"the policy was made for {policy!r}, the model is {model!r}; words that help one may not help the other",
            f"choose a policy made for {model!r}, or compare pictures with and without the negative",
        )


def _judge_windows(pair: PromptPair, setup: Setup) -> Iterator[Finding]:
    if setup.steps is None:
        return
    for side, prompt in _sides(pair):
        never = [span.text.strip(_SEPARATOR) or span.text for span in spans_never_live(prompt, setup.steps)]
        if never:
            yield Finding(
                "window-too-narrow",
                "warning",
                f"{examples(never)} in the {side}: the window holds none of the {setup.steps} steps, so it never acts",
                "widen the window or use more steps",
                side,
                distinct(never),
            )


def _judge_embeddings(pair: PromptPair, setup: Setup) -> Iterator[Finding]:
    known = None if setup.embeddings is None else {_file_key(name) for name in setup.embeddings}
    for side, prompt in _sides(pair):
        used = embedding_names(prompt.text)
        if known is None and used:
            yield Finding(
                "embedding-unchecked",
                "info",
                f"{examples(used)} in the {side}: acts only if an embedding file of that name is installed",
                "check that the file is there",
                side,
                distinct(used),
            )
        missing = [] if known is None else [name for name in used if _file_key(name) not in known]
        if missing:
            yield Finding(
                "embedding-missing",
                "warning",
                f"{examples(missing)} in the {side}: no embedding file of that name, so it is read as plain letters",
                "install the file or remove the name",
                side,
                distinct(missing),
            )


def _judge_overlap(pair: PromptPair, steps: int | None) -> Iterator[Finding]:
    wanted = list(_phrases(pair.negative, steps))
    lengths = {len(words) for words, _, _ in wanted if len(words) <= _LONGEST_PHRASE}
    positive: dict[tuple[str, ...], set[Window]] = {}
    for words, _, window in _phrases(pair.positive, steps):
        for length in lengths | {len(words)}:
            for start in range(len(words) - length + 1):
                positive.setdefault(words[start : start + length], set()).add(window)
    ordered = {words: sorted(windows, key=_start) for words, windows in positive.items()}
    latest = {words: list(accumulate((other.end for other in ordered[words]), max)) for words in ordered}
    both = []
    for words, phrase, window in wanted:
        begun = bisect_left(ordered.get(words, ()), window.end, key=_start)
        if begun and latest[words][begun - 1] > window.start:
            both.append(phrase)
    both = without_unwanted(both, pair.positive.text) if both else both
    if both:
        yield Finding(
            "phrase-in-both",
            "warning",
            f"{examples(both)}: asked for in the positive and pushed away by the negative at the same time",
            "remove it from one of them",
            "negative",
            distinct(both),
        )


def _judge_length(pair: PromptPair, setup: Setup) -> Iterator[Finding]:
    count = setup.count_tokens
    if count is None:
        return
    for side, prompt in _sides(pair):
        texts, are_all = _texts(prompt, setup.steps)
        tokens = max(map(count, texts))
        if tokens > setup.chunk_tokens:
            yield Finding(
                "over-chunk",
                "warning",
                f"the {side} has {'' if are_all else 'at least '}{tokens} tokens and the text encoder takes "
                f"{setup.chunk_tokens} at once; "
                "the rest is encoded separately, or cut off, as the program does it",
                f"shorten it to {setup.chunk_tokens} tokens",
                side,
            )


def _texts(prompt: DFPrompt, steps: int | None) -> tuple[set[str], bool]:
    """What is encoded in the course of a run, and whether that is all; of a crowded prompt only the longest texts."""
    most = max(1, _MOST_JOINED // max(1, len(prompt.spans)))
    return ({prompt.text}, True) if steps is None else longest_texts(prompt, steps, most)


def _sides(
    pair: PromptPair,
) -> tuple[tuple[Literal["negative"], DFPrompt], tuple[Literal["positive"], DFPrompt]]:
    return ("negative", pair.negative), ("positive", pair.positive)


def _phrases(prompt: DFPrompt, steps: int | None) -> Iterator[tuple[tuple[str, ...], str, Window]]:
    """Each comma-separated phrase as lower-case words, as written, and its window; with `steps`, whole steps of it."""
    for span in prompt.spans:
        window: Window | None = span.window
        if steps is not None:
            live = span.window.steps(steps)
            window = Window(live.start / steps, live.stop / steps) if live else None
        if window is None:
            continue
        for phrase in re.split(r"[,\n]", span.text):
            words = tuple(_WORD.findall(phrase.casefold()))
            if words:
                yield words, phrase.strip(), window


def embedding_names(text: str) -> list[str]:
    """Names of embedding files in a text: `embedding:name`, and well-known ones by bare name."""
    named = [match.group(1).rstrip(".") for match in _NAMED.finditer(text)]
    return [name for name in named if name] + [match.group() for match in _BARE.finditer(text)]


def _file_key(name: str) -> str:
    """The name as two hosts would agree on it: no folder, no file ending, no case."""
    return _FILE_ENDING.sub("", re.split(r"[/\\]", name)[-1]).casefold()
