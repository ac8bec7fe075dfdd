"""Where a picture comes from, in one form whoever made it: negopt's own painter, ComfyUI, or the A1111 family.

docs/provenance.md describes the form, `assets/provenance.schema.json` checks it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import OutputError
from ..policy.phrases import append_phrases, phrase_spans
from ..text.df_text import format_prompt, parse_prompt
from ..text.dialects.a1111 import host_steps
from ..text.prompt import DFPrompt
from .host_text import read_host_pair
from .infotext import Infotext, parse_infotext
from .record import CHUNK, COMFY_CHUNK, INFOTEXT, SCHEMA, read_texts

DIFFUSERS, COMFYUI, A1111 = "diffusers", "comfyui", "a1111"
PLAN_KEY = "NegOpt plan"
"""Under which the webui's adapter keeps its words in the infotext."""
_STEPS = 20
_SAMPLING = ("steps", "sampler", "cfg", "width", "height", "model", "model_hash", "weighting", "strength")
_GRAPH_NAMES = {
    "Steps": "steps",
    "Sampler": "sampler",
    "Schedule type": "schedule",
    "CFG scale": "cfg",
    "Seed": "seed",
    "Model": "model",
    "Model hash": "model_hash",
    "Denoising strength": "strength",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """A picture's provenance. Texts that are not known are empty."""

    host: str
    """diffusers, comfyui or a1111."""
    df_positive: str
    df_negative: str
    positive: str
    negative: str
    prompt: str = ""
    """What the user wrote, before a policy added to it."""
    policy: str = ""
    policy_hash: str = ""
    """SHA-256 over the policy's files, or its first 16 hex digits."""
    policy_licence: str = ""
    policy_seed: int | None = None
    modes: tuple[str, ...] = ()
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """seed, steps, sampler, schedule, cfg, width, height, model, model_hash: what is known of them."""
    versions: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    pixels_sha256: str = ""
    schema: int = SCHEMA

    def to_json(self) -> dict[str, Any]:
        """Plain values, as the JSON schema has them."""
        return asdict(self) | {"modes": list(self.modes)}


def read_origin(path: Path) -> Origin:
    """The provenance in a PNG, WebP or JPEG; OutputError if there is none that can be read."""
    texts = read_texts(path)
    if CHUNK in texts:
        return _of_record(_object(texts[CHUNK], path))
    if COMFY_CHUNK in texts:
        return _of_nodes(_object(texts[COMFY_CHUNK], path))
    if INFOTEXT in texts:
        return _of_infotext(parse_infotext(texts[INFOTEXT]))
    raise OutputError(
        f"{path} says nothing about where it comes from; it was not made here, or was stripped on its way"
    )


def _object(text: str, path: Path) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OutputError(f"the record in {path} is not JSON: {error}") from error
    if not isinstance(values, dict) or values.get("schema", SCHEMA) != SCHEMA:
        found = values.get("schema") if isinstance(values, dict) else type(values).__name__
        raise OutputError(f"the record in {path} has schema {found!r}, this version reads {SCHEMA}; update negopt")
    for name in ("df_positive", "df_negative"):
        if not isinstance(values.get(name), str):
            raise OutputError(f"the record in {path} has no text under {name!r}; it was changed by hand")
    return values


def _texts(values: Mapping[str, Any]) -> dict[str, Any]:
    positive, negative = values["df_positive"], values["df_negative"]
    return {
        "df_positive": positive,
        "df_negative": negative,
        "positive": parse_prompt(positive).text,
        "negative": parse_prompt(negative).text,
        **{name: str(values.get(name) or "") for name in ("prompt", "policy", "policy_hash", "policy_licence")},
    }


def _of_record(values: Mapping[str, Any]) -> Origin:
    """negopt's own painter, here or on ComfyUI servers."""
    sampling = {name: values[name] for name in ("seed", *_SAMPLING) if values.get(name) is not None}
    return Origin(
        host=str(values.get("host") or DIFFUSERS),
        **_texts(values),
        modes=_strings(values.get("modes")),
        sampling=sampling,
        versions={"negopt": str(values.get("negopt", "")), **_mapping(values.get("libraries"))},
        scores=_numbers(values.get("scores")),
        pixels_sha256=str(values.get("pixels_sha256") or ""),
    )


def _of_nodes(values: Mapping[str, Any]) -> Origin:
    """NegOptSaveProvenance."""
    seed = values.get("seed")
    return Origin(
        host=COMFYUI,
        **_texts(values),
        policy_seed=seed if isinstance(seed, int) else None,
        modes=_strings(values.get("modes")) or _strings(re.split(r" and |,", str(values.get("mode") or ""))),
        sampling=_renamed(values.get("sampling")),
        versions={"negopt": str(values.get("negopt", "")), **_mapping(values.get("versions"))},
        scores=_numbers(values.get("scores")),
        pixels_sha256=str(values.get("pixels_sha256") or ""),
    )


def _of_infotext(info: Infotext) -> Origin:
    """The A1111 family: its own notation becomes DF text for the picture's steps; the plan's words follow."""
    sampling = _renamed(info.settings)
    size = re.fullmatch(r"(\d+)x(\d+)", info.settings.get("Size", ""))
    if size:
        sampling |= {"width": int(size.group(1)), "height": int(size.group(2))}
    steps = host_steps(max(1, int(sampling.get("steps", _STEPS))), info.settings.get("Sampler", ""))
    pair = read_host_pair(info.positive, info.negative, "a1111", steps)
    positive, negative = _without_last(pair.positive, info.positive), _without_last(pair.negative, info.negative)
    plan = _plan(info.settings.get(PLAN_KEY, ""))
    sides = []
    for base, name in ((positive, "prompt"), (negative, "negative")):
        added = parse_prompt(str(plan.get(name) or ""))
        sides.append(append_phrases(base, phrase_spans(added.spans)))
    seed = plan.get("seed")
    return Origin(
        host=A1111,
        df_positive=format_prompt(sides[0]),
        df_negative=format_prompt(sides[1]),
        positive=sides[0].text,
        negative=sides[1].text,
        prompt=format_prompt(positive),
        policy=str(plan.get("policy") or ""),
        policy_hash=str(plan.get("hash") or ""),
        policy_seed=seed if isinstance(seed, int) else None,
        modes=_strings(str(plan.get("writes") or "").split(",")),
        sampling=sampling,
        versions={"webui": info.settings["Version"]} if "Version" in info.settings else {},
    )


def _without_last(prompt: DFPrompt, text: str) -> DFPrompt:
    """The prompt of a host's text; `read_host` adds a comma at the end for its own reading, which is not the user's."""
    spans = list(prompt.spans)
    if spans and not text.rstrip().endswith(",") and spans[-1].text.endswith(","):
        last = spans.pop()
        rest = last.text[:-1]
        spans += [type(last)(rest, last.weight, last.window)] if rest else []
    return DFPrompt(tuple(spans))


def _plan(text: str) -> dict[str, Any]:
    """The plan in the infotext; nothing where there is none. The host quotes it like a JSON string."""
    if not text:
        return {}
    for written in (text, text.replace('\\"', '"').replace("\\\\", "\\")):
        try:
            found: object = json.loads(written)
        except (ValueError, TypeError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    raise OutputError(f"the NegOpt plan of the picture is not JSON: {text[:60]!r}; it was changed by hand")


def _renamed(settings: object) -> dict[str, Any]:
    """A1111's names for sampler settings in ours, numbers as numbers."""
    found: dict[str, Any] = {}
    for name, value in (settings if isinstance(settings, Mapping) else {}).items():
        if name in _GRAPH_NAMES:
            found[_GRAPH_NAMES[name]] = _number(value) if _GRAPH_NAMES[name] in _NUMBERS else value
    return {name: value for name, value in found.items() if value is not None}


_LARGEST = 2**64
_NUMBERS = ("steps", "cfg", "seed", "strength")


def _number(value: Any) -> Any:
    """The number that a setting gives; None for "None", "auto" and whatever else is no number."""
    if not isinstance(value, str):
        return value
    for kind in (int, float):
        try:
            number = kind(value)
        except ValueError:
            continue
        return number if abs(number) < _LARGEST else None
    return None


def _strings(values: object) -> tuple[str, ...]:
    return tuple(str(one).strip() for one in values if str(one).strip()) if isinstance(values, list | tuple) else ()


def _mapping(values: object) -> dict[str, str]:
    return {str(name): str(value) for name, value in values.items()} if isinstance(values, Mapping) else {}


def _numbers(values: object) -> dict[str, float]:
    pairs = values.items() if isinstance(values, Mapping) else ()
    return {str(name): float(value) for name, value in pairs if isinstance(value, int | float)}
