"""`train world`: the whole recipe from nothing to the shipped folder; one command, one seed, resumable."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from ... import __version__
from ...errors import TrainingError
from ...files import write_text
from ...json_text import read_json
from ...world.judges import save_judge
from .card import write_card
from .dataset import DatasetSettings, build_dataset
from .models import Networks, build_networks, save_pipeline
from .train_diffusion import DiffusionRun, DiffusionSettings
from .train_judges import JudgeSettings, train_judge
from .train_vae import VaeSettings, train_vae

log = logging.getLogger("negopt")

STAGES = ("vae", "diffusion", "judges", "export")


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """Everything that decides what comes out of `train world`."""

    seed: int = 0
    vae: VaeSettings = field(default_factory=VaeSettings)
    dataset: DatasetSettings = field(default_factory=DatasetSettings)
    diffusion: DiffusionSettings = field(default_factory=DiffusionSettings)
    judges: tuple[tuple[str, JudgeSettings], ...] = (
        ("reward", JudgeSettings(seed=41)),
        ("eval", JudgeSettings(seed=42)),
    )


def train_world(
    run: Path, output: Path, settings: WorldSettings, stages: Sequence[str] = STAGES, device: str | None = None
) -> None:
    """Train into the run folder and export to `output`; finished stages are read back, unfinished ones continue.

    TrainingError if the folder holds a run with other settings.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    keep_settings(run, settings)
    networks = build_networks(run, settings.seed)
    networks.vae.load_state_dict(train_vae(run, settings.vae, device).state_dict())
    networks.vae.eval()
    if "diffusion" in stages or "export" in stages:
        _diffusion(run, networks, settings, device)
    judges = {}
    if "judges" in stages or "export" in stages:
        for name, judge_settings in settings.judges:
            judges[name] = train_judge(run / f"judge-{name}.safetensors", networks.vae, judge_settings, device)
    if "export" in stages:
        save_pipeline(networks, output)
        for name, judge_settings in settings.judges:
            card: dict[str, object] = {"role": name, "negopt": __version__, **asdict(judge_settings)}
            save_judge(judges[name], output / "judges" / f"{name}.safetensors", card)
        write_card(output, json.loads(json.dumps(asdict(settings))))
        log.info("wrote %s", output)


def keep_settings(run: Path, settings: Any) -> None:
    """Write the settings into a new folder; in one with a run they must be that run's."""
    path, wanted = run / "settings.json", json.loads(json.dumps(asdict(settings)))
    if not path.exists():
        write_text(path, json.dumps(wanted, indent=2) + "\n")
        return
    try:
        kept = dict(read_json(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError(f"{path} is damaged ({error!r}); choose another folder, or delete this one") from error
    changed = [key for key in sorted({*kept, *wanted}) if kept.get(key) != wanted.get(key)]
    if changed:
        raise TrainingError(
            f"{run} holds a run with other settings ({', '.join(changed)}); choose another folder, or delete this one"
        )


def _diffusion(run: Path, networks: Networks, settings: WorldSettings, device: str) -> None:
    torch.manual_seed(settings.seed)
    dataset = build_dataset(run, networks.vae, networks.tokenizer, settings.dataset)
    DiffusionRun(run, networks, dataset, settings.diffusion, device).train()
