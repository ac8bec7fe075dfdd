"""The few things asked of the webui, gathered here so that everything else can be tested without one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

Slot = list[Any]
"""A cache slot as the host keeps it: what was asked, what came of it, and on Forge what it adds to the infotext."""
_EMBEDDING_ENDINGS = (".safetensors", ".pt", ".bin", ".png", ".webp", ".jxl", ".avif")
"""Files that hosts read as embeddings; pictures can hold them too."""


class Host(Protocol):
    """What an injection needs."""

    def model(self) -> Any:
        """The loaded checkpoint."""
        ...

    def encode(self, p: Any, texts: Sequence[str], is_negative: bool, slot: Slot) -> Any:
        """The texts as the host encodes its own prompts for the pass that `p` is in; taken from `slot` if it can be."""
        ...

    def at_step(self, cond: Any, step: int, is_negative: bool) -> Any:
        """What the network gets at one of its calls."""
        ...


class Webui:
    """A1111 1.10, Forge and Forge Neo, through the modules that all three have."""

    def __init__(self, prompt_parser: Any, sd_samplers: Any, shared: Any, sd_models: Any) -> None:
        self._parser, self._samplers, self._shared, self._models = prompt_parser, sd_samplers, shared, sd_models

    def model(self) -> Any:
        """The loaded checkpoint."""
        return self._shared.sd_model

    def loaded(self) -> Any:
        """The checkpoint in memory, or the one that Forge will load for the next picture; None if neither is known.

        Unlike `model`, asking for it loads nothing.
        """
        data = getattr(self._models, "model_data", None)
        model = getattr(data, "sd_model", None)
        chosen = (getattr(data, "forge_loading_parameters", None) or {}).get("checkpoint_info")
        if chosen is None or chosen == getattr(model, "sd_checkpoint_info", None):
            return model
        return SimpleNamespace(sd_checkpoint_info=chosen)

    def embeddings(self) -> frozenset[str] | None:
        """Names of the embedding files, without folder and ending; None if there is no such folder."""
        named = getattr(getattr(self._shared, "cmd_opts", None), "embeddings_dir", None)
        folder = Path(str(named)) if named else None
        if folder is None or not folder.is_dir():
            return None
        return frozenset(path.stem for path in folder.rglob("*") if path.suffix.lower() in _EMBEDDING_ENDINGS)

    def option(self, name: str, default: Any) -> Any:
        """A setting, or `default` where this host does not have it."""
        return getattr(self._shared.opts, name, default)

    def total_steps(self, sampler: str, steps: int) -> int:
        """What the host counts as a run's steps: twice as many for samplers that call the network twice a step."""
        config = self._samplers.find_sampler_config(sampler)
        return int(config.total_steps(steps)) if config else steps

    def encode(self, p: Any, texts: Sequence[str], is_negative: bool, slot: Slot) -> Any:
        """Encode through the host's own cache, so that clip skip, LoRA and sizes are its business."""
        hires_steps, networks = None, p.extra_network_data
        if is_hires(p):
            sampler = getattr(p, "hr_sampler_name", None) or p.sampler_name
            hires_steps = self.total_steps(sampler, getattr(p, "hr_second_pass_steps", 0) or p.steps)
            networks = p.hr_extra_network_data
        parser = self._parser
        function = parser.get_learned_conditioning if is_negative else parser.get_multicond_learned_conditioning
        wanted = self._sized(p, texts, is_negative)
        return p.get_conds_with_caching(function, wanted, self._first_steps(p), [slot], networks, hires_steps)

    def at_step(self, cond: Any, step: int, is_negative: bool) -> Any:
        """Pick with the host's own function, so that the user's prompt editing goes on."""
        if is_negative:
            return self._parser.reconstruct_cond_batch(cond, step)
        return self._parser.reconstruct_multicond_batch(cond, step)[1]

    def _first_steps(self, p: Any) -> int:
        known = getattr(p, "firstpass_steps", None)
        return int(known) if known else self.total_steps(p.sampler_name, p.steps)

    def _sized(self, p: Any, texts: Sequence[str], is_negative: bool) -> Any:
        hires = is_hires(p)
        width, height = (p.hr_upscale_to_x, p.hr_upscale_to_y) if hires else (p.width, p.height)
        sized = self._parser.SdConditioning(list(texts), is_negative_prompt=is_negative, width=width, height=height)
        # only Forge knows it; set afterwards, because A1111's class takes no such argument
        sized.distilled_cfg_scale = getattr(p, "hr_distilled_cfg" if hires else "distilled_cfg_scale", None)
        return sized


class EncodeCache:
    """Cache slots that outlive a job, so that the next picture with the same words encodes nothing.

    The host itself decides whether a slot still holds (checkpoint, LoRA, clip skip, size). The oldest are dropped.
    """

    def __init__(self, most: int = 64) -> None:
        self._slots: OrderedDict[tuple[Any, ...], Slot] = OrderedDict()
        self._most = most

    def slot(self, key: tuple[Any, ...]) -> Slot:
        """The slot of that name, new and empty if there is none."""
        slot = self._slots.setdefault(key, [None, None, None])
        self._slots.move_to_end(key)
        while len(self._slots) > self._most:
            self._slots.popitem(last=False)
        return slot

    def clear(self) -> None:
        """Drop everything."""
        self._slots.clear()


def is_hires(p: Any) -> bool:
    """True while the second pass of a picture with hires fix is prepared or sampled."""
    return bool(getattr(p, "is_hr_pass", False))
