"""A1111's `parameters` text: read as its whole family and its extensions write it, and written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import OutputError

NEGATIVE_LINE = "Negative prompt:"
FIELDS = {
    "Steps": "steps",
    "Sampler": "sampler",
    "Schedule type": "schedule",
    "CFG scale": "cfg",
    "Seed": "seed",
    "Model": "model",
    "Model hash": "model_hash",
    "Denoising strength": "strength",
}
"""Names of settings in an infotext, and in a provenance."""

_LONGEST_JSON = 100_000  # characters of a value that are read as JSON
_STEPS_LINE = re.compile(r"Steps: *\d+ *(?:,|\Z)")
_KNOWN = re.compile(r"(?:\A|, *)(?:Steps|Sampler|CFG scale|Seed|Size|Model|Model hash|Schedule type|Version): ")
_LEAST_KNOWN = 3  # settings in a line that does not begin with Steps; A1111 asks for as many
_KEY = r"[A-Za-z][\w /()\-]{0,60}?"
_FIRST = re.compile(rf"\s*({_KEY}):[^\S\n]*")
_NEXT = re.compile(rf",\s*({_KEY}):[^\S\n]*|\n(?=[A-Z])({_KEY}):[^\S\n]*")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_END = re.compile(r"[^\S\n]*(?:,|\n|\Z)")


@dataclass(frozen=True, slots=True)
class Infotext:
    """A1111's `parameters` text, taken apart."""

    positive: str
    negative: str
    settings: Mapping[str, str]
    """Steps, Sampler, Seed and so on, as written; of a name that comes twice the first, without those that are None."""


def parse_infotext(text: str) -> Infotext:
    """Read what A1111-family programs write; OutputError for any other text. Linear in its length.

    Settings begin at the last line that says "Steps: number", and reach to the end, over line ends too. The negative
    begins at the last line before them that says so: the prompt may hold such lines itself.
    """
    lines = [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    start = _settings_start(lines)
    body = lines[:start]
    negatives = [place for place, line in enumerate(body) if line.startswith(NEGATIVE_LINE)]
    if start == len(lines) and not negatives:
        raise OutputError(f"this is no A1111 text, it has neither a negative prompt nor settings: {text[:60]!r}")
    cut = negatives[-1] if negatives else len(body)
    negative = "\n".join(body[cut:]).removeprefix(NEGATIVE_LINE)
    return Infotext("\n".join(body[:cut]).strip(), negative.strip(), _settings("\n".join(lines[start:])))


def format_infotext(positive: str, negative: str, settings: Mapping[str, object]) -> str:
    """The text that `parse_infotext` and A1111-family programs read: prompt, negative prompt, a line of settings."""
    lines = [positive, *([f"{NEGATIVE_LINE} {negative}"] if negative else [])]
    return "\n".join([*lines, ", ".join(f"{name}: {_quoted(str(value))}" for name, value in settings.items())])


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if any(sign in value for sign in ",:\n") else value


def _settings_start(lines: list[str]) -> int:
    """The line at which the settings begin; one past the last if there are none."""
    steps = [place for place, line in enumerate(lines) if _STEPS_LINE.match(line)]
    known = [place for place, line in enumerate(lines) if len(_KNOWN.findall(line)) >= _LEAST_KNOWN]
    sure = [place for place in steps if place in known]
    if sure:
        return sure[-1]
    after = max((place for place, line in enumerate(lines) if line.startswith(NEGATIVE_LINE)), default=-1)
    return next((place for place in reversed(steps or known) if place > after), len(lines))


def _settings(text: str) -> dict[str, str]:
    """The values by name. A value may be quoted, be JSON, or reach to the next name."""
    settings: dict[str, str] = {}
    name = _FIRST.match(text)
    while name:
        value, at = _value(text, name.end())
        if value not in ("", "None"):
            settings.setdefault((name.group(1) or name.group(2)).strip(), value)
        name = _NEXT.match(text, at) or _NEXT.search(text, at)
    return settings


def _value(text: str, at: int) -> tuple[str, int]:
    """The value that begins at `at`, and where it ends."""
    if quoted := _QUOTED.match(text, at):
        if _END.match(text, quoted.end()):
            return _unquoted(quoted.group()), quoted.end()
    elif text[at : at + 1] in ("{", "["):
        end = at + _json_length(text[at : at + _LONGEST_JSON])
        if end > at and _END.match(text, end):
            return text[at:end], end
    following = _NEXT.search(text, at)
    end = following.start() if following else len(text)
    return text[at:end].strip().rstrip(",").strip(), end


def _json_length(text: str) -> int:
    """How many characters of the text are one JSON value; 0 if it begins with none."""
    try:
        return json.JSONDecoder().raw_decode(text)[1]
    except (ValueError, RecursionError):
        return 0


def _unquoted(quoted: str) -> str:
    try:
        return str(json.loads(quoted, strict=False))
    except ValueError:
        return quoted[1:-1]
