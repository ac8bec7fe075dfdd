"""The drawn world from nothing: one folder, one seed, resumable; the meter at a gate on the way."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextModel

from ...errors import TrainingError
from ...files import append_journal
from ...paint.base import PaintSettings
from ...paint.diffusers_painter import DiffusersPainter
from ...text.prompt import PromptPair
from ..jobs.progress import ProgressLog
from ..make_world.dataset import DatasetSettings
from ..make_world.models import build_pipeline, save_pipeline
from ..make_world.train import keep_settings
from ..make_world.train_diffusion import DiffusionRun, DiffusionSettings
from ..make_world.train_judges import JudgeSettings
from . import vocabulary as words
from .captions import content_caption, scene_facts
from .dataset import build_dataset, fit_code
from .gate import GateSettings, read_gate
from .icons import load_cutouts
from .judge import train_judge
from .meter import Meter, Reading, load_features
from .models import build_networks
from .render import Renderer
from .scenes import Scenes, sample_clean_scenes
from .train_autoencoder import AutoencoderRun, AutoencoderSettings

log = logging.getLogger("negopt")


@dataclass(frozen=True, slots=True)
class DrawnSettings:
    """Everything that decides what comes out."""

    seed: int = 0
    dataset: DatasetSettings = field(default_factory=lambda: DatasetSettings(60_000, 24_000, 3, 21))
    diffusion: DiffusionSettings = field(
        default_factory=lambda: DiffusionSettings(
            images=480_000,
            batch_size=64,
            learning_rate=1.2e-3,
            ema_decay=0.999,
            clean_first=1.0,
            clean_last=0.05,
            clean_from=0.25,
            clean_until=0.42,
            hold=0.5,
        )
    )
    autoencoder: AutoencoderSettings = field(default_factory=AutoencoderSettings)
    judge: JudgeSettings = field(default_factory=lambda: JudgeSettings(seed=42, steps=9000))
    read_every: int = 50_000
    """Images between readings of the meter; a checkpoint comes with each."""
    gate_images: int = 400_000
    gate: float = 0.30
    """Share of things that must be read by the meter after `gate_images` images, else the run stops."""
    table: GateSettings = field(default_factory=GateSettings)


PLAIN = 256
"""Pictures in a reading of the meter."""


def train_drawn_world(folder: Path, settings: DrawnSettings) -> None:
    """Autoencoder, the diffusion model with the meter on the way, a judge and the final gate's table, all in `folder`;
    a stopped run continues.

    TrainingError if the meter reads too little at the gate; what else the run needs is asked for before it starts.
    """
    features = load_features()
    renderer = Renderer(load_cutouts(folder))
    keep_settings(folder, settings)
    code = fit_code(folder, renderer, settings.seed)
    networks = build_networks(folder, settings.seed)
    vae = AutoencoderRun(folder, renderer, code, features.layers, settings.autoencoder).train()
    networks.vae.load_state_dict(vae.state_dict())
    dataset = build_dataset(folder, renderer, code, networks.tokenizer, settings.dataset)
    torch.manual_seed(settings.seed)
    run, meter = DiffusionRun(folder, networks, dataset, settings.diffusion), Meter(features, renderer)
    train_with_gate(run, meter, folder / "curve.jsonl", settings)
    run.use_average()
    save_pipeline(networks, folder / "export")
    log.info("wrote %s", folder / "export")
    judge = train_judge(folder / "judge-eval.safetensors", renderer, vae, settings.judge)
    read_gate(folder, judge, renderer, meter, settings.table)


def train_with_gate(run: DiffusionRun, meter: Meter, curve: Path, settings: DrawnSettings) -> None:
    """Run to the end of the settings; every `read_every` images the meter's reading goes into `curve`."""
    pace = ProgressLog("diffusion", settings.diffusion.images, run.done)
    recent, read_at = 1.0, run.done // settings.read_every
    while run.done < settings.diffusion.images:
        recent += 0.02 * (run.step() - recent)
        pace.update(run.done, f"loss {recent:.3f}")
        is_last = run.done >= settings.diffusion.images
        if run.done // settings.diffusion.batch_size % settings.diffusion.save_every == 0:
            run.save()
        if run.done // settings.read_every == read_at and not is_last:
            continue
        read_at = run.done // settings.read_every
        run.save()
        reading = read_meter(run, meter, settings.table.paint)
        append_journal(curve, [{"images": run.done, "loss": round(recent, 4), **asdict(reading)}])
        log.info("%d images: %s", run.done, reading)
        if run.done >= settings.gate_images and reading.thing < settings.gate:
            raise TrainingError(
                f"after {run.done} images the meter reads {reading.thing:.2f} of the things, less than "
                f"{settings.gate:.2f}: the run stops here (curve: {curve})"
            )


def read_meter(run: DiffusionRun, meter: Meter, paint: PaintSettings) -> Reading:
    """Paint every thing in every style from plain prompts with the averaged weights, and read the pictures."""
    asked = plain_scenes(PLAIN)
    pairs = [PromptPair.plain(content_caption(facts)) for facts in scene_facts(asked)]
    unet, text_encoder = run.average["unet"], run.average["text_encoder"]
    assert isinstance(unet, UNet2DConditionModel) and isinstance(text_encoder, CLIPTextModel)
    pipeline = build_pipeline(replace(run.networks, unet=unet, text_encoder=text_encoder))
    pipeline.set_progress_bar_config(disable=True)
    return meter.read(DiffusersPainter(pipeline, paint).paint(pairs, range(PLAIN)), asked)


def plain_scenes(count: int) -> Scenes:
    """Clean scenes in which things and styles take turns; places and times are drawn."""
    turn, drawn = torch.arange(count), sample_clean_scenes(count, seed=99)
    things, styles = len(words.THINGS), len(words.STYLES)
    return replace(drawn, thing=turn % things, style=turn // things % styles)
