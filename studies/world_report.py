"""`world report`: measure the demo world and write the tables of docs/world.md."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from negopt_core.commands.output import add_json, emit


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `world report`."""
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
    measure.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and write."""
    from negopt_core.world import world_dir
    from studies.world import ReportSettings, write_report

    logging.getLogger("negopt").setLevel(logging.INFO)
    settings = ReportSettings(
        prompts=args.prompts, seeds=args.seeds, steps=args.steps, guidance_scale=args.guidance, seed=args.seed
    )
    world = args.world or world_dir()
    figures = write_report(world, args.document, args.picture, args.cache, settings, args.jobs)
    emit(args, figures, f"wrote {args.document} and {args.picture}")
    return 0
