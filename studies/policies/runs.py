"""The runs of `reproduce`: which are done, whether they were trained as listed, and the rest trained."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from negopt_core.errors import TrainingError
from negopt_core.files import write_text
from negopt_core.json_text import read_json
from negopt_core.lab.jobs.queue import run_jobs
from negopt_core.policy.store import CARD_NAME
from studies.policies.recipe import Recipe, Training

log = logging.getLogger("negopt")
PRECISION = "precision.json"
"""In the folder of the runs: the precision that was chosen for all of them."""


def precision_of(folder: Path, wanted: str, recipe: Recipe) -> str:
    """The precision of a folder's pictures: as asked for, as chosen before, or measured now and written down."""
    path = folder / PRECISION
    if wanted != "auto":
        return wanted
    if path.exists():
        return str(read_json(path.read_bytes())["dtype"])
    from negopt_core.paint.base import PaintSettings
    from negopt_core.paint.precision import choose_precision
    from negopt_core.world import world_dir

    chosen = choose_precision(str(world_dir()), PaintSettings(recipe.paint_steps, recipe.cfg))
    log.info("painting in %s: %s; --paint-dtype chooses another", chosen.dtype, chosen.reason)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(asdict(chosen), indent=1) + "\n")
    return chosen.dtype


def train_all(folder: Path, trainings: list[Training], jobs: int) -> None:
    """Run what is not exported yet, `jobs` at a time, each when the policy it starts from is there."""
    done = finished(folder, trainings)
    log.info("%d of %d runs are done", len(done), len(trainings))
    waiting = [training for training in trainings if training.name not in done]
    run_jobs(waiting, lambda name: is_done(folder, name), lambda training: train_one(folder, training), jobs)


def train_one(folder: Path, training: Training) -> None:
    """Run one command; TrainingError with the end of its log if it fails."""
    home = folder / training.name
    home.mkdir(parents=True, exist_ok=True)
    output = home / "policy"
    named = [str(folder / part / "policy") if part == training.needs else part for part in training.arguments]
    line = [sys.executable, "-m", "negopt_core", "train", *named, "--run", str(home / "run"), "-o", str(output)]
    with (home / "log.txt").open("a", encoding="utf-8") as told:
        told.write(" ".join(line[1:]) + "\n")
        told.flush()
        ended = subprocess.run([*line, "--threads", "1"], stdout=told, stderr=told, check=False)
    if ended.returncode:
        last = (home / "log.txt").read_text(encoding="utf-8").splitlines()[-3:]
        raise TrainingError(
            f"{training.name} ended with {ended.returncode}; see {home / 'log.txt'}: {' / '.join(last)}"
        )


def finished(folder: Path, trainings: list[Training]) -> set[str]:
    """Names of the runs that are done; TrainingError if one of them was trained in another way than it is listed."""
    names = {training.name for training in trainings if is_done(folder, training.name)}
    for training in trainings:
        if training.name in names:
            _check_alike(folder / training.name, training)
    return names


def _check_alike(home: Path, training: Training) -> None:
    """What a run wrote down of its settings against those that it should have; a folder without them is believed."""
    from negopt_core.lab.jobs.run import CONFIG

    path = home / "run" / CONFIG
    told = read_json(path.read_bytes()).get("settings", {}) if path.exists() else {}
    for flag, value in training.settings().items():
        if told.get(flag, value) != value:
            raise TrainingError(
                f"{home} was trained with {flag} {told[flag]}, and {value} is asked for: name another folder with "
                f"--run, or take {home} away to train it anew"
            )


def is_done(folder: Path, name: str) -> bool:
    """Is the policy of a run there? Its card is written last."""
    return (folder / name / "policy" / CARD_NAME).exists()
