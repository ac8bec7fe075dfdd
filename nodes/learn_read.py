"""What the page sends of audits and tunes, read with limits; and texts in the notation of the user's encoders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..negopt_core.policy.loglinear.knowledge import Side
from ..negopt_core.policy.phrases import append_phrases
from ..negopt_core.policy.tuned.effects import SIDES, Option
from ..negopt_core.text.df_text import format_prompt, parse_prompt
from ..negopt_core.text.prompt import DFPrompt, Span
from ..negopt_core.tune.candidates import own_options
from .api_read import Body, RequestError, check_whole, read_choice, read_words
from .encode import host_text

KINDS = ("audit", "tune")
NOTATIONS = ("df", "comfy")
CLICKS = "clicks"
LEAST = {"audit": 32, "tune": 64}
MOST_PICTURES = 20_000
_MOST_PROMPTS, _MOST_PHRASES, _LONGEST = 500, 200, 20_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_ID = re.compile(r"[0-9a-f]{16}-[0-9a-f]{12}")
_WEIGHED = re.compile(r"\(([^(),]+):(\d{1,2}(?:\.\d{1,3})?)\)")


@dataclass(frozen=True, slots=True)
class Start:
    """What a run is about. Texts are as the user's encoders read them."""

    kind: str
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
        """Plain values; `read_start` reads them again."""
        return asdict(self) | {"prompts": list(self.prompts), "modes": list(self.modes)}

    def own(self) -> list[Option]:
        """The user's own phrases."""
        sides = {
            "negative": (self.negative, self.negative_notation),
            "modifiers": (self.modifiers, self.positive_notation),
        }
        df = {side: text if notation == "df" else "" for side, (text, notation) in sides.items()}
        own = own_options(df["negative"], df["modifiers"])
        for side in SIDES:
            text, notation = sides[side]
            if notation == "comfy":
                own += [Option(side, span) for span in comfy_phrases(text)]
        return list(dict.fromkeys(own))


def read_start(body: Body) -> Start:
    """Raises RequestError naming the field that is wrong."""
    kind = read_choice(body, "kind", KINDS, KINDS[0])
    modes = read_choice(body, "mode", ("negative", "modifiers", "negative,modifiers"), "negative")
    if (pictures := check_whole(body, "pictures", MOST_PICTURES)) is None or pictures < LEAST[kind]:
        raise RequestError(
            400,
            "bad-value",
            f"{kind} needs {LEAST[kind]} to {MOST_PICTURES} pictures, got {pictures}; raise the budget",
        )
    windows = body.get("windows", False)
    if not isinstance(windows, bool):
        raise RequestError(400, "bad-value", f"windows must be true or false, got {str(windows)[:40]!r}")
    start = Start(
        kind=kind,
        prompts=_prompts(body),
        negative=_whole_letters(read_words(body, "negative", "", _LONGEST)),
        modifiers=_whole_letters(read_words(body, "modifiers", "", _LONGEST)),
        positive_notation=read_choice(body, "positive_notation", NOTATIONS, "comfy"),
        negative_notation=read_choice(body, "negative_notation", NOTATIONS, "comfy"),
        windows=windows,
        modes=tuple(side for side in SIDES if side in modes.split(",")),
        judge=read_words(body, "judge", CLICKS, 200),
        pictures=pictures,
        family=read_words(body, "family", "", 200),
        model=read_words(body, "model", "", 1000),
        sampling=read_words(body, "sampling", "", 1000),
        seed=check_whole(body, "seed", 2**31) or 0,
    )
    if len(start.own()) > _MOST_PHRASES:
        raise RequestError(
            413, "too-long", f"a list may have {_MOST_PHRASES} phrases, got {len(start.own())}; shorten it"
        )
    return start


def _prompts(body: Body) -> tuple[str, ...]:
    value = body.get("prompts")
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise RequestError(400, "bad-value", f"prompts must be a list of texts, got {str(value)[:40]!r}")
    prompts = tuple(dict.fromkeys(_whole_letters(one).strip() for one in value if one.strip()))
    if not prompts or len(prompts) > _MOST_PROMPTS or any(len(one) > _LONGEST for one in prompts):
        raise RequestError(
            400,
            "bad-value",
            f"1 to {_MOST_PROMPTS} prompts of up to {_LONGEST:,} characters are taken, got {len(prompts)}",
        )
    return prompts


def _whole_letters(text: str) -> str:
    """Halves of letters, which no file can hold, become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def read_run(value: Any) -> str:
    """The name of a run's folder."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise RequestError(400, "bad-value", f"run must be the name of a run, got {str(value)[:40]!r}")
    return value


def read_id(value: Any) -> str:
    """A picture of a run."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
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


def comfy_phrases(text: str) -> list[Span]:
    """The phrases of ComfyUI's own notation: split at commas outside of brackets, `(words:1.2)` as words and weight.

    Anything else stays as it is written: embeddings, nested brackets.
    """
    parts, depth = [""], 0
    for character in text.replace("\n", ","):
        depth = max(depth + (character == "(") - (character == ")"), 0)
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    spans = []
    for part in filter(None, (one.strip() for one in parts)):
        weighed = _WEIGHED.fullmatch(part)
        weight = float(weighed.group(2)) if weighed else 1.0
        spans.append(Span(weighed.group(1), weight) if weighed and 0 < weight <= 10 else Span(part))
    return spans


def as_df(text: str, notation: str) -> str:
    """A prompt as DF-Prompt text; in ComfyUI's notation square brackets are letters."""
    return text if notation == "df" else format_prompt(DFPrompt.plain(text))


def as_written(prompt: DFPrompt, notation: str) -> str:
    """A prompt for the user's own encoder."""
    return format_prompt(prompt) if notation == "df" else host_text([(one.text, one.weight) for one in prompt.spans])


def list_text(options: Iterable[Option], side: str, notation: str) -> str:
    """Phrases of one side as one text."""
    return as_written(append_phrases(DFPrompt(), [one.span for one in options if one.side == side]), notation)


def words_of(prompt: str) -> str:
    """The words of DF-Prompt text that a scorer reads, without ComfyUI's brackets and weights."""
    return re.sub(r"\(([^()]*?)(?::[\d.]+)?\)", r"\1", parse_prompt(prompt).text)
