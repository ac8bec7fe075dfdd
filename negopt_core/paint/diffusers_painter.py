"""Paints prompt pairs with a Stable Diffusion pipeline of diffusers; schedules act at exactly the chosen steps."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import diffusers
import torch

from ..encode.conditioning import Conditioner, conditioner_for
from ..errors import Cancelled, ModelError, PromptError
from ..quiet import quiet
from ..text.prompt import PromptPair
from .base import Cancel, OnProgress, PaintSettings, check_seeds
from .batches import Batch, as_batches, plan_job
from .defaults import defaults_for
from .placement import check_offload, place, read_device, read_offload
from .sampler import StepPlan, plan_steps, sampler_for
from .weights import hash_modules, hash_weights, open_pipeline

log = logging.getLogger("negopt")

_IMAGE_TO_IMAGE = {
    "StableDiffusionPipeline": "StableDiffusionImg2ImgPipeline",
    "StableDiffusionXLPipeline": "StableDiffusionXLImg2ImgPipeline",
}
_DEFAULT_STRENGTH = 0.75


class DiffusersPainter:
    """A painter over a StableDiffusionPipeline or StableDiffusionXLPipeline; without settings, those of its kind.

    Before a run's first step the pipeline gets the first segments; after each step, in the pipeline's own step-end
    callback, the segments of the next. So the model is called exactly as often as without a schedule. A pair without
    schedule and weights that fits the text encoder goes to the pipeline as two strings, so its picture is the
    pipeline's own, bit for bit.

    Noise comes from one CPU generator for each picture. The pipeline that is passed in is not changed; its modules
    are shared. An empty negative means no negative, which is what the pipeline does by default.

    No picture is blackened: a safety checker is left out, here and in what `load_painter` opens, because a black
    picture would be scored as one that the prompt had made. Whoever shows pictures to others checks them there.
    """

    def __init__(
        self, pipeline: Any, settings: PaintSettings | None = None, source: str = "", files: Sequence[Path] = ()
    ) -> None:
        self.source = source
        self._pipeline = pipeline
        self.settings = settings or defaults_for(self).settings()
        self._files = tuple(files)
        self._hash = ""
        self._batch_size = self.settings.batch_size
        self._pipeline = _prepared(pipeline, self.settings)
        self._check_size()

    def paint(
        self,
        pairs: Sequence[PromptPair],
        seeds: Sequence[int],
        on_progress: OnProgress | None = None,
        cancel: Cancel | None = None,
    ) -> torch.Tensor:
        """Paint one picture for each pair; see `Painter.paint`.

        If the device runs out of memory, the batch is halved, for this painter's later calls too, and the log says so.
        Raises PromptError for bad pairs, seeds or step counts, Cancelled if `cancel` says so, and ModelError if there
        is not memory enough for one picture.
        """
        check_seeds(pairs, seeds)
        conditioner = conditioner_for(
            self._pipeline, self.settings.weighting, self.settings.clip_skip, self.settings.comma_backtrack
        )
        run = self._plan_steps()
        jobs = [
            plan_job(place, pair, seed, run.steps, conditioner, self._is_guided)
            for place, (pair, seed) in enumerate(zip(pairs, seeds, strict=True))
        ]
        waiting = as_batches(jobs, self._batch_size)
        watch = _Watch(run.steps * len(waiting), on_progress, cancel)
        images: dict[int, torch.Tensor] = {}
        while waiting:
            watch.check()
            batch, done = waiting.pop(0), watch.done
            try:
                pictures = self._paint_batch(batch, run, conditioner, watch)
            except torch.cuda.OutOfMemoryError as error:
                self._halve(batch, error)
                waiting = as_batches([job for one in (batch, *waiting) for job in one.jobs], self._batch_size)
                watch.again(done, run.steps * len(waiting))
                continue
            images.update(zip((job.place for job in batch.jobs), pictures, strict=True))
        return torch.stack([images[place] for place in range(len(pairs))])

    def _halve(self, batch: Batch, error: Exception) -> None:
        """Fewer pictures at a time from here on; ModelError if it was one."""
        self._pipeline.maybe_free_model_hooks()
        count, device = len(batch.jobs), self._pipeline._execution_device
        if count == 1:
            raise ModelError(
                f"{device} has not enough memory for one picture of {'x'.join(map(str, self._size()[::-1]))}; "
                "ask for a smaller one or save memory with offload"
            ) from error
        self._batch_size = count // 2
        log.warning("%s has not enough memory for %d pictures at a time; painting %d", device, count, self._batch_size)

    def model_hash(self) -> str:
        """The first 16 hex digits of a SHA-256 over the weights; read once, when first asked for."""
        if not self._hash:
            self._hash = hash_weights(self._files) if self._files else hash_modules(self._pipeline.components)
        return self._hash

    def describe(self) -> dict[str, Any]:
        """What paints and how, in plain values for a log or a picture's metadata."""
        height, width = self._size()
        return {
            "painter": "diffusers",
            "diffusers": diffusers.__version__,
            "torch": torch.__version__,
            "pipeline": type(self._pipeline).__name__,
            "source": self.source,
            "scheduler": type(self._pipeline.scheduler).__name__,
            "device": str(self._pipeline._execution_device),
            "dtype": str(self._pipeline.unet.dtype).removeprefix("torch."),
            "steps": self.settings.steps,
            "steps_run": self._plan_steps().steps,
            "guidance_scale": self.settings.guidance_scale,
            "is_guided": self._is_guided,
            "height": height,
            "width": width,
            "strength": self._strength,
            "sampler": self.settings.sampler,
            "weighting": self.settings.weighting,
            "clip_skip": self.settings.clip_skip,
            "comma_backtrack": self.settings.comma_backtrack,
        }

    @property
    def _is_guided(self) -> bool:
        """False where the pipeline takes no negative: at a scale of 1 or less, and for models distilled for that."""
        return self.settings.guidance_scale > 1.0 and self._pipeline.unet.config.time_cond_proj_dim is None

    @property
    def _strength(self) -> float | None:
        return None if self.settings.init_image is None else self.settings.strength or _DEFAULT_STRENGTH

    def _plan_steps(self) -> StepPlan:
        return plan_steps(self._pipeline.scheduler, self.settings.steps, self._strength)

    def _size(self) -> tuple[int, int]:
        if self.settings.init_image is not None:
            return self.settings.init_image.shape[1], self.settings.init_image.shape[2]
        own = self._pipeline.unet.config.sample_size
        rows, columns = (own, own) if isinstance(own, int) else own
        factor = self._pipeline.vae_scale_factor
        return self.settings.height or rows * factor, self.settings.width or columns * factor

    def _check_size(self) -> None:
        multiple = max(8, self._pipeline.vae_scale_factor)  # the pipelines insist on 8
        for name, pixels in zip(("height", "width"), self._size(), strict=True):
            if pixels % multiple:
                raise PromptError(f"{name} needs a multiple of {multiple} for this model, got {pixels}")

    def _paint_batch(self, batch: Batch, run: StepPlan, conditioner: Conditioner, watch: _Watch) -> torch.Tensor:
        pipeline = self._pipeline
        if batch.is_plain:
            conditioning, text = None, batch.as_strings()
        else:
            conditioning = batch.encode(conditioner, pipeline._execution_device, self._is_guided)
            text = conditioning.at_start()

        def after_call(_: Any, call: int, __: Any, ___: dict[str, Any]) -> dict[str, torch.Tensor]:
            step, is_last = run.step_of_call[call], call + 1 == len(run.step_of_call)
            following = step if is_last else run.step_of_call[call + 1]
            if is_last or following != step:
                watch.step()
            return conditioning.entering(following) if conditioning and following != step else {}

        callback = {"callback_on_step_end": after_call, "callback_on_step_end_tensor_inputs": []}
        try:
            images: torch.Tensor = pipeline(**text, **self._options(batch), **callback).images
        except Cancelled:
            pipeline.maybe_free_model_hooks()  # the pipeline does this itself only when it comes to its end
            raise
        return images.float().cpu()

    def _options(self, batch: Batch) -> dict[str, Any]:
        """The pipeline's arguments other than text."""
        settings = self.settings
        options: dict[str, Any] = {
            "num_inference_steps": settings.steps,
            "guidance_scale": settings.guidance_scale,
            "clip_skip": settings.clip_skip,
            "generator": [torch.Generator("cpu").manual_seed(job.seed) for job in batch.jobs],
            "output_type": "pt",
        }
        if settings.init_image is None:
            options["height"], options["width"] = self._size()
        else:
            options["image"] = settings.init_image[None].repeat(len(batch.jobs), 1, 1, 1)
            options["strength"] = self._strength
        return options


class _Watch:
    """Counts steps for the progress callback and asks whether to stop."""

    def __init__(self, total: int, on_progress: OnProgress | None, cancel: Cancel | None) -> None:
        self._total = total
        self._on_progress = on_progress
        self._is_cancelled: Any = getattr(cancel, "is_set", cancel)
        self.done = 0

    def again(self, done: int, left: int) -> None:
        """Go back to `done` steps, with `left` to come."""
        self.done, self._total = done, done + left

    def check(self) -> None:
        if self._is_cancelled is not None and self._is_cancelled():
            raise Cancelled(f"painting was stopped after {self.done} of {self._total} steps")

    def step(self) -> None:
        self.done += 1
        if self._on_progress is not None:
            self._on_progress(self.done, self._total)
        self.check()


@quiet()
def _prepared(pipeline: Any, settings: PaintSettings) -> Any:
    """The pipeline with the sampler and of the kind that the settings ask for."""
    name = type(pipeline).__name__
    if name not in _IMAGE_TO_IMAGE:
        raise ModelError(f"negopt paints with {' or '.join(_IMAGE_TO_IMAGE)}, not with {name}")
    cls = type(pipeline) if settings.init_image is None else getattr(diffusers, _IMAGE_TO_IMAGE[name])
    scheduler = sampler_for(pipeline, settings.sampler)
    is_checked = getattr(pipeline, "safety_checker", None) is not None
    if cls is type(pipeline) and scheduler is pipeline.scheduler and not is_checked:
        return pipeline
    return _rebuilt(pipeline, cls, scheduler)


def _rebuilt(pipeline: Any, cls: Any, scheduler: Any) -> Any:
    """The modules that paint, under another class or scheduler; unlike `from_pipe` nothing is cast to one dtype."""
    accepted = inspect.signature(cls.__init__).parameters
    given = {**pipeline.config, **pipeline.components, "scheduler": scheduler}
    given |= {"safety_checker": None, "requires_safety_checker": False}
    rebuilt = cls(**{name: value for name, value in given.items() if name in accepted})
    for name in ("watermark", "_progress_bar_config"):
        if hasattr(pipeline, name):
            setattr(rebuilt, name, getattr(pipeline, name))
    return rebuilt


def load_painter(
    model: str,
    settings: PaintSettings | None = None,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
    offload: bool | str = False,
    config: str | None = None,
) -> DiffusersPainter:
    """A painter from a diffusers folder, a single `.safetensors` file, or `hf:owner/name[@revision]`.

    Without `settings` it paints as `defaults.TABLE` says for its kind. `device` is the GPU if there is one, else the
    CPU; `dtype` is float16 on a GPU, else float32; `offload` saves GPU memory: one of `placement.OFFLOADS`, or True
    for `layers`, the slowest, which needs the least. A single file holds no tokenizer and no settings. Those of
    Stable Diffusion 1.x, 2.x and XL, and of what is built on them, are known here; `config` is the folder (or `hf:`
    name) of a model of the same kind where others are wanted, and defaults to the folder beside the file with the
    file's name, if there is one. Only `hf:` uses the network.

    Raises ModelError, in one line, for anything missing, corrupt, pickled or not supported; MissingPackage if it takes
    a package that is not here.
    """
    where, saving = read_device(device), read_offload(offload)
    check_offload(where, saving)
    kind = dtype or (torch.float32 if where.type in ("cpu", "mps") else torch.float16)
    pipeline, files = open_pipeline(model, kind, config)
    pipeline.set_progress_bar_config(disable=True)
    place(pipeline, where, saving)
    return DiffusersPainter(pipeline, settings, source=model, files=files)
