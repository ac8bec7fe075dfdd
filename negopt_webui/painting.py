"""Painting with the webui's own `process_images`, one picture at a time under its queue lock.

So others get their turn between two pictures. The webui's modules are handed in. Scripts, ours and those of other
extensions, do not act on these pictures.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from negopt_core.errors import Cancelled, ModelError, PromptError

from .host import Webui


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a picture is sampled; names as in the webui's txt2img."""

    steps: int = 20
    cfg_scale: float = 7.0
    sampler_name: str = "Euler a"
    scheduler: str = "Automatic"
    width: int = 512
    height: int = 512

    def __str__(self) -> str:
        sampler = f"{self.sampler_name} {self.scheduler}"
        return f"{self.steps} steps, cfg {self.cfg_scale:g}, {sampler}, {self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Painter:
    """Has the webui's modules `processing`, `call_queue`, `shared`, `sd_samplers` and `sd_schedulers`."""

    processing: Any
    call_queue: Any
    shared: Any
    samplers: Any
    schedulers: Any
    host: Webui

    def model(self) -> str:
        """The loaded checkpoint with its hash; ModelError if there is none yet."""
        info = getattr(self.host.loaded(), "sd_checkpoint_info", None)
        if info is None:
            raise ModelError("no checkpoint is loaded yet; choose one, paint a picture with it, then start the audit")
        mark = getattr(info, "shorthash", None) or getattr(info, "hash", None)
        return f"{info.name} [{mark}]" if mark else str(info.name)

    def surroundings(self) -> str:
        """Settings of the webui that change what a picture looks like."""
        skip, vae = self.host.option("CLIP_stop_at_last_layers", 1), self.host.option("sd_vae", "Automatic")
        return f"clip skip {skip}, VAE {vae}"

    def check(self, sampling: Sampling) -> None:
        """PromptError for a sampler or scheduler that this webui has not; it would paint with another."""
        if self.samplers.find_sampler_config(sampling.sampler_name) is None:
            known = [one.name for one in getattr(self.samplers, "all_samplers", ())]
            raise PromptError(f"there is no sampler {sampling.sampler_name[:60]!r}; choose one of {', '.join(known)}")
        labels = [one.label for one in getattr(self.schedulers, "schedulers", ())]
        if sampling.scheduler not in ("Automatic", *labels):
            raise PromptError(
                f"there is no scheduler {sampling.scheduler[:60]!r}; choose one of {', '.join(labels) or 'Automatic'}"
            )

    def paint(
        self, positive: str, negative: str, seed: int, sampling: Sampling, may_begin: Callable[[], None]
    ) -> tuple[Any, float]:
        """A picture as the webui gives it, and the seconds that it took.

        Waits for the webui's queue; `may_begin` is called when it is our turn and may raise. Cancelled if somebody
        pressed the webui's Interrupt or Skip meanwhile: half a picture must not be judged.
        """
        with self.call_queue.queue_lock:
            may_begin()
            begun = time.monotonic()
            job = self.processing.StableDiffusionProcessingTxt2Img(
                prompt=positive,
                negative_prompt=negative,
                seed=seed,
                steps=sampling.steps,
                cfg_scale=sampling.cfg_scale,
                sampler_name=sampling.sampler_name,
                scheduler=sampling.scheduler,
                width=sampling.width,
                height=sampling.height,
                do_not_save_samples=True,
                do_not_save_grid=True,
                outpath_samples=self.host.option("outdir_txt2img_samples", ""),
                outpath_grids=self.host.option("outdir_txt2img_grids", ""),
            )
            with closing(job):
                picture = self._process(job)
            return picture, time.monotonic() - begun

    def _process(self, job: Any) -> Any:
        state = self.shared.state
        state.begin(job="negopt audit")
        try:
            images = self.processing.process_images(job).images
            if state.interrupted or state.skipped:
                raise Cancelled("the webui's Interrupt or Skip was pressed; 'Go on' continues this run")
            return images[0]
        finally:
            state.end()
            self.shared.total_tqdm.clear()
