"""What the page sends of audits and tunes, read with limits; and texts in the notation of the user's encoders."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..negopt_core.policy.loglinear.knowledge import Side
from ..negopt_core.policy.phrases import append_phrases
from ..negopt_core.policy.tuned.effects import SIDES
from ..negopt_core.text.df_text import format_prompt, parse_prompt
from ..negopt_core.text.prompt import DFPrompt, Span
from ..negopt_core.tune.hosted import is_id
from ..negopt_core.tune.run_folders import is_name
from ..negopt_core.tune.start import (
    CLICKS,
    COMFY,
    DF,
    LEAST,
    LONGEST,
    MOST_PICTURES,
    Start,
    StartError,
    TooManyPhrases,
    check_start,
    cleaned,
    whole_letters,
)
from .api_read import Body, RequestError, check_whole, read_choice, read_words
from .encode import host_text

_KINDS = tuple(LEAST)
_NOTATIONS = (DF, COMFY)


@dataclass(frozen=True, slots=True)
class ComfyNotation:
    """How texts are written for the encoders of the user's graph."""

    positive: str
    negative: str

    def prompt(self, prompt: str, added: Sequence[Span]) -> str:
        """A prompt, given as DF-Prompt text, with modifiers behind it."""
        return as_written(append_phrases(parse_prompt(prompt), added), self.positive)

    def phrases(self, side: Side, spans: Sequence[Span]) -> str:
        """A list of phrases."""
        return as_written(append_phrases(DFPrompt(), spans), self.negative if side == "negative" else self.positive)


def read_start(body: Body) -> Start:
    """Raises RequestError naming the field that is wrong."""
    modes = read_choice(body, "mode", ("negative", "modifiers", "negative,modifiers"), "negative")
    windows = body.get("windows", False)
    if not isinstance(windows, bool):
        raise RequestError(400, "bad-value", f"windows must be true or false, got {str(windows)[:40]!r}")
    start = Start(
        kind=read_choice(body, "kind", _KINDS, _KINDS[0]),
        prompts=_prompts(body),
        negative=whole_letters(read_words(body, "negative", "", LONGEST)),
        modifiers=whole_letters(read_words(body, "modifiers", "", LONGEST)),
        positive_notation=read_choice(body, "positive_notation", _NOTATIONS, COMFY),
        negative_notation=read_choice(body, "negative_notation", _NOTATIONS, COMFY),
        windows=windows,
        modes=tuple(side for side in SIDES if side in modes.split(",")),
        judge=read_words(body, "judge", CLICKS, 200),
        pictures=check_whole(body, "pictures", MOST_PICTURES) or 0,
        family=read_words(body, "family", "", 200),
        model=read_words(body, "model", "", 1000),
        sampling=read_words(body, "sampling", "", 1000),
        seed=check_whole(body, "seed", 2**31) or 0,
    )
    try:
        return check_start(start)
    except TooManyPhrases as error:
        raise RequestError(413, "too-long", str(error)) from None
    except StartError as error:
        raise RequestError(400, "bad-value", str(error)) from None


def _prompts(body: Body) -> tuple[str, ...]:
    value = body.get("prompts")
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise RequestError(400, "bad-value", f"prompts must be a list of texts, got {str(value)[:40]!r}")
    return cleaned(value)


def read_run(value: Any) -> str:
    """The name of a run's folder."""
    if not isinstance(value, str) or not is_name(value):
        raise RequestError(400, "bad-value", f"run must be the name of a run, got {str(value)[:40]!r}")
    return value


def read_id(value: Any) -> str:
    """A picture of a run."""
    if not isinstance(value, str) or not is_id(value):
        raise RequestError(400, "bad-value", f"a picture's id is what the run gave, got {str(value)[:40]!r}")
    return value


def read_picture(body: Body) -> dict[str, str]:
    """Where ComfyUI put a picture: filename, subfolder, type."""
    value = body.get("picture")
    if not isinstance(value, Mapping):
        raise RequestError(400, "bad-value", f"picture must be an object, got {type(value).__name__}")
    found = {key: read_words(value, key, "", 1000) for key in ("filename", "subfolder", "type")}
    if found["type"] not in ("output", "temp") or not found["filename"]:
        raise RequestError(400, "bad-value", "picture needs a filename, and the type output or temp")
    return found


def as_written(prompt: DFPrompt, notation: str) -> str:
    """A prompt for the user's own encoder."""
    return format_prompt(prompt) if notation == DF else host_text([(one.text, one.weight) for one in prompt.spans])


def words_of(prompt: str) -> str:
    """The words of DF-Prompt text that a scorer reads, without ComfyUI's brackets and weights."""
    return re.sub(r"\(([^()]*?)(?::[\d.]+)?\)", r"\1", parse_prompt(prompt).text)
