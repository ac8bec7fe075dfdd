"""Where a picture comes from, in one form whoever made it: negopt's own painter, ComfyUI, or the A1111 family.

docs/provenance.md describes the form, `assets/provenance.schema.json` checks it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import OutputError
from ..policy.phrases import append_phrases, phrase_spans
from ..text.df_text import format_prompt, parse_prompt
from ..text.dialects.a1111 import host_steps
from .host_text import read_host, with_opposites
from .infotext import FIELDS, Infotext, parse_infotext
from .picture_texts import COMFY_RECORD, INFOTEXT, RECORD, read_texts
from .plan import PLAN_KEY, Plan, read_plan
from .record import Words, read_record

DIFFUSERS, COMFYUI, A1111 = "diffusers", "comfyui", "a1111"
_STEPS = 20
"""Of a picture that does not say how many it had."""
_SAMPLING = (
    "seed", "steps", "sampler", "cfg", "width", "height", "model", "model_hash", "weighting", "strength",
)  # fmt: skip
_NUMBERS = ("steps", "cfg", "seed", "strength")
_LARGEST = 2**64


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin(Words):
    """A picture's provenance."""

    host: str
    """diffusers, comfyui or a1111."""
    policy_seed: int | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """seed, steps, sampler, schedule, cfg, width, height, model, model_hash: what is known of them."""
    versions: Mapping[str, str] = field(default_factory=dict)


def read_origin(path: Path) -> Origin:
    """The provenance in a PNG, WebP or JPEG; OutputError if there is none that can be read."""
    texts = read_texts(path)
    try:
        origin = recorded_origin(texts)
        if origin is None and INFOTEXT in texts:
            origin = _of_infotext(parse_infotext(texts[INFOTEXT]))
    except OutputError as error:
        raise OutputError(f"{path}: {error}") from error
    if origin is None:
        raise OutputError(f"{path} says nothing about where it comes from; it was not made here, or was stripped")
    return origin


def recorded_origin(texts: Mapping[str, str]) -> Origin | None:
    """The provenance in a record of negopt's painter or of its ComfyUI nodes, None if there is no record.

    `texts` are those of a picture, by name. OutputError if the record cannot be read.
    """
    name = next((name for name in (RECORD, COMFY_RECORD) if name in texts), None)
    return None if name is None else _of_record(read_record(texts[name]), is_of_nodes=name == COMFY_RECORD)


def _of_record(values: Mapping[str, Any], is_of_nodes: bool) -> Origin:
    """`is_of_nodes`: its settings have the names of an infotext, its seed is the policy's."""
    for name in ("prompt", "df_positive", "df_negative"):
        if not isinstance(values.get(name), str):
            raise OutputError(f"its record has no text under {name!r}; it was changed by hand")
    modes, seed = _strings(values.get("modes")), values.get("seed")
    if is_of_nodes and not modes:  # before 0.2
        modes = _strings(re.split(r" and |,", str(values.get("mode") or "")))
    own = {name: values[name] for name in _SAMPLING if values.get(name) is not None}
    return Origin(
        host=COMFYUI if is_of_nodes else str(values.get("host") or DIFFUSERS),
        df_positive=values["df_positive"],
        df_negative=values["df_negative"],
        positive=parse_prompt(values["df_positive"]).text,
        negative=parse_prompt(values["df_negative"]).text,
        prompt=values["prompt"],
        policy=str(values.get("policy") or ""),
        policy_hash=str(values.get("policy_hash") or ""),
        policy_licence=str(values.get("policy_licence") or ""),
        policy_seed=seed if is_of_nodes and isinstance(seed, int) else None,
        modes=modes,
        sampling=_sampling(values.get("sampling")) if is_of_nodes else own,
        versions={
            "negopt": str(values.get("negopt", "")),
            **_texts(values.get("versions" if is_of_nodes else "libraries")),
        },
        scores=_numbers(values.get("scores")),
        pixels_sha256=str(values.get("pixels_sha256") or ""),
    )


def _of_infotext(info: Infotext) -> Origin:
    """The A1111 family: its own notation becomes DF text for the picture's steps; the plan's words follow."""
    sampling = _sampling(info.settings)
    size = re.fullmatch(r"(\d+)x(\d+)", info.settings.get("Size", ""))
    if size:
        sampling |= {"width": int(size.group(1)), "height": int(size.group(2))}
    steps = host_steps(max(1, int(sampling.get("steps", _STEPS))), info.settings.get("Sampler", ""))
    own = with_opposites(*(read_host(text, "a1111", steps) for text in (info.positive, info.negative)))
    plan = read_plan(info.settings[PLAN_KEY]) if PLAN_KEY in info.settings else Plan()
    positive = append_phrases(own.positive, phrase_spans(plan.positive.spans))
    negative = append_phrases(own.negative, phrase_spans(plan.negative.spans))
    return Origin(
        host=A1111,
        df_positive=format_prompt(positive),
        df_negative=format_prompt(negative),
        positive=positive.text,
        negative=negative.text,
        prompt=format_prompt(own.positive),
        policy=plan.policy,
        policy_hash=plan.policy_hash,
        policy_seed=plan.policy_seed if plan.policy else None,
        modes=_strings(plan.writes.split(",")),
        sampling=sampling,
        versions={"webui": info.settings["Version"]} if "Version" in info.settings else {},
    )


def _sampling(settings: object) -> dict[str, Any]:
    """Sampler settings by the names of an infotext, under ours, numbers as numbers; what is unknown is left out."""
    given = settings if isinstance(settings, Mapping) else {}
    named = {ours: given[name] for name, ours in FIELDS.items() if name in given}
    read = {name: _number(value) if name in _NUMBERS else value for name, value in named.items()}
    return {name: value for name, value in read.items() if value is not None}


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


def _texts(values: object) -> dict[str, str]:
    return {str(name): str(value) for name, value in values.items()} if isinstance(values, Mapping) else {}


def _numbers(values: object) -> dict[str, float]:
    pairs = values.items() if isinstance(values, Mapping) else ()
    return {str(name): float(value) for name, value in pairs if isinstance(value, int | float)}
