"""`train world`: make the demo world from nothing."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from .output import add_json, emit


def add_training(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `train world`."""
    world = kinds.add_parser("world", help="train the demo world from nothing; run again to resume")
    world.add_argument(
        "--run", dest="folder", type=Path, default=Path("runs/world"), help="run folder (default runs/world)"
    )
    world.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="where to export (default: into the run folder)"
    )
    world.add_argument("--images", type=int, help="training images of the diffusion model")
    world.add_argument("--device", help="cpu or cuda (default: the GPU if there is one)")
    world.add_argument("--threads", type=int, help="CPU threads (default: torch's own choice)")
    add_json(world)
    world.set_defaults(run=run_train)


def run_train(args: argparse.Namespace) -> int:
    """Train and export."""
    from dataclasses import replace

    import torch

    from ..lab.make_world.train import WorldSettings, train_world

    logging.getLogger("negopt").setLevel(logging.INFO)
    if args.threads:
        torch.set_num_threads(args.threads)
    settings = WorldSettings()
    if args.images is not None:
        settings = replace(settings, diffusion=replace(settings.diffusion, images=args.images))
    output = args.output or args.folder / "export"
    train_world(args.folder, output, settings, device=args.device)
    emit(args, {"folder": str(output)}, f"exported {output}")
    return 0
