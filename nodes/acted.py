"""Whether the negative changed anything in a run, seen from the calls that the run makes anyway."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..negopt_core.text.guidance import Guidance, advice, guidance_of_config
from .tags import Entry

_PATCH = "attn1_output_patch"
_OWN_WAYS = ("sampler_cfg_function", "sampler_pre_cfg_function", "sampler_post_cfg_function")
"""Options by which other nodes make something of their own of the two sides; what the negative does then is theirs."""


@dataclass(slots=True)
class Acted:
    """What was seen of the negative in one run. Sums stay on the model's device until the run is over."""

    sides: dict[str, tuple[Entry, ...]]
    cfg: float | None
    guidance: Guidance | None
    has_patch: bool
    has_own_way: bool
    calls: int = 0
    evaluated: int = 0
    patched: int = 0
    shared: int = 0
    differing: Any = 0

    @classmethod
    def of(cls, guider: Any, options: dict[str, Any]) -> Acted:
        """`options`: the run's model options."""
        sides = {name: tuple(entries or ()) for name, entries in getattr(guider, "conds", {}).items()}
        config = type(getattr(getattr(guider, "inner_model", None), "model_config", None)).__name__
        has_patch = bool(options.get("transformer_options", {}).get("patches", {}).get(_PATCH))
        has_own_way = any(options.get(name) for name in _OWN_WAYS)
        return cls(sides, getattr(guider, "cfg", None), guidance_of_config(config), has_patch, has_own_way)

    def watched(self, options: dict[str, Any]) -> dict[str, Any]:
        """Transformer options in which a patch of attention output, such as NAGuidance's, is seen being called."""
        if not self.has_patch:
            return options
        patches = options["patches"]
        return {**options, "patches": {**patches, _PATCH: [*patches[_PATCH], self._on_patch]}}

    def on_call(self, asked: list[Any], answers: Any) -> None:
        """ComfyUI has evaluated these lists of entries, or skipped those that are None."""
        self.calls += 1
        negative, positive = (self._place(name, asked) for name in ("negative", "positive"))
        if negative is not None:
            self.evaluated += 1
            if positive is not None:
                self.differing = self.differing + (answers[negative] != answers[positive]).any()

    def verdict(self) -> tuple[bool, str] | None:
        """Whether it acted, and that in words; None where there is no negative or other nodes decide about it."""
        if not self.calls or not self.sides.get("negative") or self.cfg is None:
            return None
        if not self.evaluated:
            return False, (
                f"the negative was not evaluated in any of {self.calls} model calls, so it changed nothing; "
                f"{advice(self.guidance)}"
            )
        if math.isclose(self.cfg, 1.0):
            return None if self.has_own_way else self._at_one()
        acted = int(self.differing)
        if not acted:
            return False, f"both sides gave the same in all {self.evaluated} model calls: the negative changed nothing"
        return True, f"the negative acted in {acted} of {self.calls} model calls"

    def _at_one(self) -> tuple[bool, str]:
        why = "at CFG 1 the negative's side has no weight"
        if self.has_patch and not self.patched:
            why = "this model never calls the patch of NAGuidance"
        elif self.has_patch and not self.shared:
            why = f"NAGuidance passes through where both sides are not in one batch{self._lengths()}"
        if not self.shared:
            return False, f"the negative was evaluated and changed nothing: {why}; {advice(self.guidance)}"
        return True, "the negative acted through the attention (NAGuidance)"

    def _lengths(self) -> str:
        texts = [
            {entry["cross_attn"].shape[1] for entry in self.sides.get(name, ()) if entry.get("cross_attn") is not None}
            for name in ("positive", "negative")
        ]
        if texts[0] == texts[1]:
            return "; memory was short, or one side has a ControlNet, an area or a LoRA of its own"
        counts = " and ".join("/".join(map(str, sorted(some))) for some in texts)
        return f"; their texts have {counts} tokens"

    def _on_patch(self, out: Any, extra: dict[str, Any]) -> Any:
        self.patched += 1
        sides = extra.get("cond_or_uncond") or ()
        self.shared += 0 in sides and 1 in sides
        return out

    def _place(self, side: str, asked: list[Any]) -> int | None:
        known = {id(entry) for entry in self.sides.get(side, ())}
        return next(
            (place for place, some in enumerate(asked) if any(id(entry) in known for entry in some or ())), None
        )
