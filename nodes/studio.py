"""What the evidence nodes share: painting pairs with ComfyUI's own sampler, scorers by name, pictures as IMAGE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import comfy.sample
import comfy.samplers
import comfy.utils
import torch
from comfy_api.latest import io

from ..negopt_core.errors import ModelError
from ..negopt_core.paint.choice import WORLD
from ..negopt_core.scorers.table import NAMES, REAL, SCORERS, load_named, refuse_toys
from ..negopt_core.text.df_text import format_prompt
from ..negopt_core.text.prompt import PromptPair
from .conditioning import encode_text
from .encode import EncodeSettings
from .run_state import HookSettings
from .sampler_hook import add_hook

_KEY = "negopt_scorers"
_AT_ONCE = 8
"""Pictures of one pair sampled at a time."""


@dataclass(frozen=True, slots=True)
class Studio:
    """A model and how it is sampled. `latent` is one picture's empty (or start) latent."""

    model: Any
    clip: Any
    vae: Any
    latent: torch.Tensor
    steps: int
    cfg: float
    sampler: str
    scheduler: str

    def paint(self, pairs: Sequence[PromptPair], seeds: Sequence[int]) -> torch.Tensor:
        """One picture for each pair and seed, [B, 3, H, W] in 0..1 on the CPU; seeds of a pair are sampled together.

        Each distinct text is encoded once. ComfyUI's progress bar and stop button work.
        """
        texts = [(format_prompt(pair.positive), format_prompt(pair.negative)) for pair in pairs]
        settings = EncodeSettings()
        encoded = {text: encode_text(self.clip, text, settings) for text in dict.fromkeys(sum(texts, ()))}
        model = add_hook(self.model, HookSettings())
        bar = comfy.utils.ProgressBar(len(pairs))
        done: list[torch.Tensor] = []
        for (positive, negative), group in groupby(zip(texts, seeds, strict=True), key=lambda one: one[0]):
            numbers = [seed for _, seed in group]
            for start in range(0, len(numbers), _AT_ONCE):
                done.append(
                    self._sample(model, encoded[positive], encoded[negative], numbers[start : start + _AT_ONCE])
                )
                bar.update(len(done[-1]))
        return torch.cat(done)

    def _sample(self, model: Any, positive: Any, negative: Any, seeds: Sequence[int]) -> torch.Tensor:
        latent = comfy.sample.fix_empty_latent_channels(model, self.latent)
        noise = torch.cat([comfy.sample.prepare_noise(latent, seed) for seed in seeds])
        samples = comfy.sample.sample(
            model,
            noise,
            self.steps,
            self.cfg,
            self.sampler,
            self.scheduler,
            positive,
            negative,
            latent.repeat(len(seeds), *[1] * (latent.dim() - 1)),
            disable_pbar=True,
            seed=seeds[0],
        )
        pictures = self.vae.decode(samples)
        return pictures.reshape(-1, *pictures.shape[-3:])[..., :3].movedim(-1, 1).float().cpu().clamp(0, 1)


def studio_inputs() -> list[io.Input]:
    """The inputs of a node that paints by itself; order and names are part of saved workflows."""
    return [
        io.Model.Input("model"),
        io.Clip.Input("clip"),
        io.Vae.Input("vae"),
        io.Latent.Input("latent_image", tooltip="Gives the size; of a batch the first is taken."),
        io.Int.Input("steps", default=8, min=1, max=10000, tooltip="Few are enough to see what a word does."),
        io.Float.Input("cfg", default=7.0, min=0.0, max=100.0, step=0.1),
        io.Combo.Input("sampler_name", options=comfy.samplers.KSampler.SAMPLERS),
        io.Combo.Input("scheduler", options=comfy.samplers.KSampler.SCHEDULERS),
        io.Int.Input("seed", default=0, min=0, max=2**64 - 1, control_after_generate=True, tooltip="The first seed."),
        io.Int.Input("seeds", default=4, min=1, max=64, tooltip="Pictures of each text; intervals need at least 2."),
        scorer_input(),
    ]


def scorer_input() -> io.Input:
    """Who judges: unless somebody says otherwise a scorer of real pictures, if the weights of one are there."""
    places = _places()
    usual = next((name for name in REAL if all(need in places for need in SCORERS[name].needs)), NAMES[0])
    return io.Combo.Input("scorer", options=list(NAMES), default=usual, tooltip="Who judges. " + scorer_places())


def make_studio(latent_image: Any, steps: int, cfg: float, sampler_name: str, scheduler: str, **parts: Any) -> Studio:
    """From the values of `studio_inputs`; `parts` are model, clip and vae."""
    return Studio(
        latent=latent_image["samples"][:1], steps=steps, cfg=cfg, sampler=sampler_name, scheduler=scheduler, **parts
    )


def seeds_from(seed: int, count: int) -> list[int]:
    """`count` seeds from `seed` up, within what ComfyUI takes."""
    return [(seed + number) % 2**64 for number in range(count)]


def scorer_folder() -> Path:
    """Where weights of scorers lie."""
    import folder_paths

    return Path(folder_paths.models_dir) / _KEY


def scorer_places() -> str:
    """What to put where, for a tooltip."""
    return (
        f"The world's judge the demo world's pictures alone. Others lie in models/{_KEY}: folders clip, pickscore, "
        "hps, hpsv3 (safetensors) and the files aesthetic.safetensors and inception.safetensors (python -m negopt_core "
        "convert aesthetic, convert inception)."
    )


def load_scorer(name: str) -> Any:
    """A scorer; ModelError says what to put where if its weights are not there."""
    places = _places()
    missing = [part for part in SCORERS[name].needs if part not in places]
    if missing:
        raise ModelError(f"the scorer {name} needs {' and '.join(missing)} in {scorer_folder()}. {scorer_places()}")
    return load_named(name, places, "eval", "cpu")  # the GPU is ComfyUI's to share out


def _places() -> dict[str, str]:
    """Name of weights -> where they are, of those that are there."""
    folder = scorer_folder()
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    return {path.stem if path.suffix == ".safetensors" else path.name: str(path) for path in entries}


def refuse_world_judge(scorer: str, model: Any) -> None:
    """PromptError where the demo world's judge is asked about a MODEL that is not the demo world."""
    config = getattr(getattr(model, "model", None), "model_config", None)
    refuse_judge(scorer, WORLD if getattr(config, "negopt_demo_world", False) else "another model")


def refuse_judge(scorer: str, model: str) -> None:
    """PromptError where the demo world's judge is asked about pictures of `model`, unless that is "world"."""
    refuse_toys(model, [scorer], "the input 'scorer'", f"put their weights there. {scorer_places()}")


def as_image(picture: Any) -> torch.Tensor:
    """A PIL picture as IMAGE [1, H, W, 3]."""
    import numpy

    return torch.from_numpy(numpy.asarray(picture.convert("RGB")).astype("float32") / 255.0)[None]
