"""`train world`, `world report` and `world compare`: make the demo world from nothing, and measure it."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..json_text import read_json
from .output import add_json, emit


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `world report` and `world compare`."""
    report = commands.add_parser("world", help="about the demo world").add_subparsers(dest="what", required=True)
    measure = report.add_parser("report", help="measure the shipped weights and write the tables into docs/world.md")
    measure.add_argument("--document", type=Path, default=Path("docs/world.md"))
    measure.add_argument("--picture", type=Path, default=Path("docs/images/world-grid.jpg"))
    measure.add_argument("--world", type=Path, metavar="DIR", help="another world's folder (default: the shipped one)")
    measure.add_argument(
        "--cache", type=Path, default=Path("runs/world-report"), help="finished arms are kept here (runs/world-report)"
    )
    measure.add_argument("--prompts", type=int, default=256, help="prompts painted for each arm (default 256)")
    measure.add_argument("--seeds", type=int, default=2, help="pictures of each prompt (default 2)")
    measure.add_argument("--seed", type=int, default=90_001, help="decides prompts and noise (default 90001)")
    measure.add_argument("--steps", type=int, default=10, help="sampler steps (default 10)")
    measure.add_argument("--guidance", type=float, default=2.5, help="guidance scale (default 2.5)")
    measure.add_argument("--jobs", type=int, default=2, help="arms painted at the same time (default 2)")
    add_json(measure)
    measure.set_defaults(run=run_report)
    compare = report.add_parser("compare", help="do two reports tell the same? Their figures side by side, as Markdown")
    compare.add_argument("first", type=Path, help="a world-report.json; `world report` writes it beside its document")
    compare.add_argument("second", type=Path, help="another one, painted with another --seed")
    add_json(compare)
    compare.set_defaults(run=run_compare)


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

    from ..world.train import WorldSettings, train_world

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


def run_report(args: argparse.Namespace) -> int:
    """Measure and write."""
    from ..world import world_dir
    from ..world.report import ReportSettings, write_report

    logging.getLogger("negopt").setLevel(logging.INFO)
    settings = ReportSettings(
        prompts=args.prompts, seeds=args.seeds, steps=args.steps, guidance_scale=args.guidance, seed=args.seed
    )
    world = args.world or world_dir()
    figures = write_report(world, args.document, args.picture, args.cache, settings, args.jobs)
    emit(args, figures, f"wrote {args.document} and {args.picture}")
    return 0


def run_compare(args: argparse.Namespace) -> int:
    """Tell how far two reports agree."""
    from ..world.report.agreement import compare_reports

    pairs, text = compare_reports(*map(_read_report, (args.first, args.second)))
    told = {"agree": sum(pair.agrees for pair in pairs), "apart": [pair.name for pair in pairs if not pair.agrees]}
    emit(args, told, text)
    return 0


def _read_report(path: Path) -> dict[str, Any]:
    try:
        found = read_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read as a report: {error}") from error
    if not isinstance(found, dict):
        raise ModelError(f"{path} holds no report; `world report` writes world-report.json beside its document")
    return found
