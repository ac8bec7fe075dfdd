"""A node pack for `bench.beside`: a tiny SD1.5 whose network notes, at each call, which text each side got.

Loaded by ComfyUI from a scratch base directory; not part of what users install.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch

INSIDE = Path(__file__).resolve().parents[2] / "tests" / "nodes" / "inside"
_ROUNDING = 1e-4
_HEARD: dict[str, dict[str, Any]] = {}


class BenchModel:
    """MODEL and CLIP, random weights."""

    CATEGORY, FUNCTION, RETURN_TYPES = "bench", "make", ("MODEL", "CLIP")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {}}

    def make(self) -> tuple[Any, Any]:
        sys.path.insert(0, str(INSIDE))
        import tiny

        return tiny.small_model(), tiny.small_clip()


class BenchListen:
    """The model with its network replaced by the best guess for plain noise, noting sampler step, noise and texts."""

    CATEGORY, FUNCTION, RETURN_TYPES = "bench", "listen", ("MODEL",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        words = ("STRING", {"default": ""})
        return {"required": {"model": ("MODEL",), "clip": ("CLIP",), "texts": words, "label": words}}

    def listen(self, model: Any, clip: Any, texts: str, label: str) -> tuple[Any]:
        from comfy.patcher_extension import WrappersMP
        from loop import loop_step  # type: ignore[import-not-found]  # beside the tiny model

        known = [(text, clip.encode_from_tokens(clip.tokenize(text))) for text in json.loads(texts)]
        heard = _HEARD[label] = {"calls": [], "seconds": (0.0, 0.0)}

        def network(apply_model: Any, asked: dict[str, Any]) -> torch.Tensor:
            sigma = float(asked["timestep"][0])
            rows = asked["c"]["c_crossattn"].chunk(len(asked["cond_or_uncond"]))
            sides = zip(asked["cond_or_uncond"], rows, strict=True)
            heard["calls"].append((loop_step(), sigma, [(side, _name(row, known)) for side, row in sides]))
            return asked["input"] / (1 + sigma**2)

        def timed(executor: Any, *args: Any, **kw: Any) -> Any:
            begun = time.thread_time(), time.process_time()
            done = executor(*args, **kw)
            heard["seconds"] = time.thread_time() - begun[0], time.process_time() - begun[1]
            return done

        model = model.clone()
        model.set_model_unet_function_wrapper(network)
        model.add_wrapper_with_key(WrappersMP.SAMPLER_SAMPLE, "bench", timed)
        return (model,)


class BenchReport:
    """What was heard of a run, with the sigma of every percent that is asked for."""

    CATEGORY, FUNCTION, RETURN_TYPES, OUTPUT_NODE = "bench", "report", (), True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        words = ("STRING", {"default": ""})
        return {"required": {"model": ("MODEL",), "latent": ("LATENT",), "label": words, "percents": words}}

    def report(self, model: Any, latent: Any, label: str, percents: str) -> dict[str, Any]:
        to_sigma = model.get_model_object("model_sampling").percent_to_sigma
        sigmas = [float(to_sigma(percent)) for percent in json.loads(percents)]
        return {"ui": {"text": [json.dumps({**_HEARD.pop(label), "sigmas": sigmas})]}}


def _name(row: torch.Tensor, known: list[tuple[str, torch.Tensor]]) -> str:
    """The text that makes these numbers; "?" if none of those asked for does."""
    for text, wanted in known:
        if row.shape == wanted.shape and float((row - wanted).abs().max()) < _ROUNDING:
            return text
    return "?"


NODE_CLASS_MAPPINGS = {"BenchModel": BenchModel, "BenchListen": BenchListen, "BenchReport": BenchReport}
