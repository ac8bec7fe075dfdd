"""What an audit or a tune that a host paints is about; texts are in the notation of the host's own encoders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import PromptError
from ..policy.loglinear.knowledge import Side
from ..policy.tuned.effects import SIDES, Option
from ..text.df_text import format_prompt
from ..text.prompt import DFPrompt, Span
from .candidates import own_options

DF, COMFY, WEBUI = "df", "comfy", "webui"
_BRACKETS = {COMFY: "()", WEBUI: "()[]<>"}
CLICKS = "clicks"
LEAST = {"audit": 32, "tune": 64}
MOST_PICTURES, MOST_PROMPTS, MOST_PHRASES = 20_000, 500, 200
LONGEST = 20_000
"""Characters of a prompt, or of a list of phrases."""
_WEIGHED = re.compile(r"\(([^(),]+):(\d{1,2}(?:\.\d{1,3})?)\)")


class StartError(PromptError):
    """A start that cannot work."""


class TooManyPhrases(StartError):
    """A list that is too long to be learned about."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a run is about. Texts are as the user's encoders read them."""

    kind: str
    """"audit" or "tune"."""
    prompts: tuple[str, ...]
    negative: str
    modifiers: str
    positive_notation: str
    negative_notation: str
    windows: bool
    """Whether phrases may have windows: both encoders are ours, and the sampler has our hook."""
    modes: tuple[Side, ...]
    judge: str
    pictures: int
    family: str
    model: str
    sampling: str
    seed: int

    def to_json(self) -> dict[str, Any]:
        """Plain values; `start_of` reads them again."""
        return asdict(self) | {"prompts": list(self.prompts), "modes": list(self.modes)}

    def own(self) -> list[Option]:
        """The user's own phrases."""
        sides = {
            "negative": (self.negative, self.negative_notation),
            "modifiers": (self.modifiers, self.positive_notation),
        }
        df = {side: text if notation == DF else "" for side, (text, notation) in sides.items()}
        own = own_options(df["negative"], df["modifiers"])
        for side in SIDES:
            text, notation = sides[side]
            if notation != DF:
                own += [Option(side, span) for span in written_phrases(text, notation)]
        return list(dict.fromkeys(own))


def start_of(values: Mapping[str, Any]) -> Start:
    """From `to_json`, as a run's folder keeps it, with more beside it; KeyError or TypeError for anything else."""
    own = {key: values[key] for key in Start.__dataclass_fields__}
    return Start(**{**own, "prompts": tuple(own["prompts"]), "modes": tuple(own["modes"])})


def check_start(start: Start) -> Start:
    """The same; StartError for what has too few or too many of something."""
    least = LEAST[start.kind]
    if not least <= start.pictures <= MOST_PICTURES:
        raise StartError(
            f"{start.kind} needs {least} to {MOST_PICTURES} pictures, got {start.pictures}; raise the budget"
        )
    if not 1 <= len(start.prompts) <= MOST_PROMPTS or any(len(one) > LONGEST for one in start.prompts):
        raise StartError(
            f"1 to {MOST_PROMPTS} prompts of up to {LONGEST:,} characters are taken, got {len(start.prompts)}"
        )
    if (count := len(start.own())) > MOST_PHRASES:
        raise TooManyPhrases(f"a list may have {MOST_PHRASES} phrases, got {count}; shorten it")
    return start


def cleaned(prompts: Iterable[str]) -> tuple[str, ...]:
    """Each prompt once, without empty ones."""
    return tuple(dict.fromkeys(whole_letters(one).strip() for one in prompts if one.strip()))


def whole_letters(text: str) -> str:
    """Halves of letters, which no file can hold, become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def written_phrases(text: str, notation: str) -> list[Span]:
    """The phrases of a host's notation: split at commas outside of brackets, `(words:1.2)` as words and weight.

    Anything else stays as it is written: embeddings, nested brackets, prompt editing.
    """
    opening, closing = _BRACKETS[notation][::2], _BRACKETS[notation][1::2]
    parts, depth, before = [""], 0, ""
    for character in text.replace("\n", ","):
        if before != "\\":
            depth = max(depth + (character in opening) - (character in closing), 0)
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
        before = "" if before == "\\" else character
    spans = []
    for part in filter(None, (one.strip() for one in parts)):
        weighed = _WEIGHED.fullmatch(part)
        weight = float(weighed.group(2)) if weighed else 1.0
        spans.append(Span(weighed.group(1), weight) if weighed and 0 < weight <= 10 else Span(part))
    return spans


def as_df(text: str, notation: str) -> str:
    """A prompt as DF-Prompt text; square brackets of a host's notation are letters."""
    return text if notation == DF else format_prompt(DFPrompt.plain(text))
