"""`reproduce`: every training run and every table of docs/results.md, from nothing; stopped and resumed at will."""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from negopt_core.commands.output import add_json, emit
from negopt_core.errors import TrainingError
from negopt_core.files import write_text
from negopt_core.json_text import read_json
from negopt_core.policy.store import CARD_NAME
from studies.policies.recipe import Recipe, Training

log = logging.getLogger("negopt")
PRECISION = "precision.json"
"""In the folder of the runs: the precision that was chosen for all of them."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser("reproduce", help="train and measure all of docs/results.md; run again to resume")
    parser.add_argument("--run", dest="folder", type=Path, default=Path("runs/results"), metavar="DIR")
    parser.add_argument("--document", type=Path, default=Path("docs/results.md"))
    parser.add_argument("--cache", type=Path, default=Path("runs/world-report"), help="painted arms, as `world report`")
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time, one thread each (default 2)")
    parser.add_argument("--only", choices=("train", "measure"), help="one half of the work")
    parser.add_argument("--prompts", type=int, default=256, help="held-out prompts for each arm (default 256)")
    parser.add_argument("--seeds", type=int, default=Recipe().seeds, help="training seeds of the headline rows")
    parser.add_argument("--ppo-steps", type=int, default=Recipe().ppo_steps)
    parser.add_argument("--sft-steps", type=int, default=Recipe().sft_steps)
    parser.add_argument(
        "--paint-dtype",
        choices=("auto", "float32", "bfloat16"),
        default="auto",
        help="precision of pictures; auto: bfloat16 where this CPU has it and it is measured to be faster (default)",
    )
    parser.add_argument("--ship", type=Path, metavar="DIR", help="also copy the policies that come with negopt to DIR")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train what is missing, then measure and write."""
    logging.getLogger("negopt").setLevel(logging.INFO)
    recipe = Recipe(seeds=args.seeds, sft_steps=args.sft_steps, ppo_steps=args.ppo_steps)
    if args.ship and recipe != Recipe():
        raise TrainingError("--ship is for policies of the full recipe; leave out --seeds, --sft-steps and --ppo-steps")
    recipe = replace(recipe, paint_dtype=precision_of(args.folder, args.paint_dtype, recipe))
    if args.only == "measure":
        finished(args.folder, recipe.trainings())
    else:
        train_all(args.folder, recipe.trainings(), args.jobs)
    figures: dict[str, Any] = {}
    if args.only != "train":
        from studies.policies.results import write_results

        figures = write_results(args.folder, args.document, recipe, args.prompts, args.jobs, args.cache)
    if args.ship:
        from studies.policies.arms import PolicyArms
        from studies.policies.ship import ship

        ship(args.folder, args.ship, PolicyArms.draw(args.prompts, args.folder, recipe).prompts, figures.get("arms"))
    emit(args, figures, f"everything is in {args.folder}; the tables are in {args.document}")
    return 0


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
    done_before = finished(folder, trainings)
    waiting = [training for training in trainings if training.name not in done_before]
    log.info("%d of %d runs are done", len(done_before), len(trainings))
    running: dict[Future[None], Training] = {}
    with ThreadPoolExecutor(jobs) as pool:
        while waiting or running:
            for training in [one for one in waiting if not one.needs or is_done(folder, one.needs)]:
                if len(running) < jobs:
                    waiting.remove(training)
                    running[pool.submit(train_one, folder, training)] = training
            if not running:
                raise TrainingError(f"nothing makes {waiting[0].needs}, which {waiting[0].name} starts from")
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                name = running.pop(future).name
                future.result()
                log.info("%s is done; %d runs left", name, len(waiting) + len(running))


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
