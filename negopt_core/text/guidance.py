"""What makes a negative act on a family of models: one table of measured cells, assets/guidance.json.

docs/guidance.md says how each cell was measured.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

Remedy = Literal["nag", "raise-cfg", "nag-pack", "positive"]

TABLE = Path(__file__).resolve().parents[1] / "assets" / "guidance.json"


@dataclass(frozen=True, slots=True)
class Guidance:
    """What acts on one family where CFG is 1, as measured in ComfyUI."""

    family: str
    acts_above_one: bool
    """True if the negative acts at CFG 1.5 and 2."""
    nag_tokens: int | None
    """None: ComfyUI's NAGuidance is never called by these models. Else the longest text, in tokens, that shares a batch
    with a shorter one, without which NAGuidance passes through; 0: only texts of the same number of tokens do."""
    pack_acts: bool
    """True if the KSampler (NAG) of the ComfyUI-NAG-Extended pack acts."""

    @property
    def nag(self) -> Literal["acts", "same-length", "never"]:
        """How ComfyUI's NAGuidance acts at CFG 1."""
        if self.nag_tokens is None:
            return "never"
        return "acts" if self.nag_tokens else "same-length"

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """What makes the words act at CFG 1, the least change first; the last one needs no negative."""
        ways: tuple[tuple[Remedy, bool], ...] = (
            ("nag", self.nag == "acts"),
            ("raise-cfg", self.acts_above_one),
            ("nag-pack", self.pack_acts and self.nag != "acts"),
            ("positive", True),
        )
        return tuple(remedy for remedy, is_open in ways if is_open)


def guidance_of(family: str | None) -> Guidance | None:
    """By the family's name or one of its other names (`pony` is an SDXL); None if it is not in the table."""
    return _by_name().get((family or "").casefold())


def guidance_of_config(config: str) -> Guidance | None:
    """By the name of ComfyUI's configuration class of the model, such as `ZImage`; None if it is not in the table."""
    return _by_config().get(config)


def advice(guidance: Guidance | None, in_comfyui: bool = True) -> str:
    """What to do where CFG is 1 and the negative therefore has no effect; elsewhere without ComfyUI's nodes."""
    if not in_comfyui:
        ways = guidance.remedies if guidance else ("raise-cfg", "positive")
        return ", or ".join(_SAID[way] for way in ways if way in ("raise-cfg", "positive"))
    if guidance is None:
        return (
            "raise CFG to 1.5 to 2 (each step then takes two evaluations), or say in the positive what you want "
            "instead; whether NAG (normalized attention guidance) acts depends on the model family, which is not known"
        )
    said = [_SAID[remedy] for remedy in guidance.remedies]
    return f"{', or '.join(said)}{_NAG_SAID[guidance.nag].format(guidance.family)}"


_SAID: dict[Remedy, str] = {
    "nag": "put NAGuidance before the sampler",
    "raise-cfg": "raise CFG to 1.5 to 2 (each step then takes two evaluations)",
    "nag-pack": "use the KSampler of the ComfyUI-NAG-Extended pack",
    "positive": "say in the positive what you want instead",
}
_NAG_SAID = {
    "acts": "",
    "same-length": "; ComfyUI's own NAGuidance acts on {} only while both texts have the same number of tokens",
    "never": "; ComfyUI's own NAGuidance is never called by {}",
}


@cache
def _by_name() -> dict[str, Guidance]:
    by_name = {}
    for family, row in _rows().items():
        guidance = Guidance(family, row["cfg"], row["nag_tokens"], row["pack"])
        by_name.update(dict.fromkeys((family, *row["also"]), guidance))
    return by_name


@cache
def _by_config() -> dict[str, Guidance]:
    return {config: _by_name()[family] for family, row in _rows().items() for config in row["configs"]}


def _rows() -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))["families"]
    return rows
