"""`score`: what the scorers think of picture files."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import PromptError
from .output import add_json, emit
from .scorers import NAMES, add_sources, load_named


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser("score", help="score pictures against a prompt")
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    parser.add_argument("--prompt", help="the prompt (default: the one in each picture's own record)")
    parser.add_argument("--scorers", default="world-quality,world-alignment", help="comma-separated names")
    add_sources(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """One row per picture."""
    from ..paint.pictures import read_image
    from ..provenance.record import read_picture

    names = [name.strip() for name in args.scorers.split(",") if name.strip()]
    if not names:
        raise PromptError(f"--scorers takes one or more of {', '.join(NAMES)}, got {args.scorers!r}")
    scorers = [load_named(name, args.source, role="eval") for name in names]
    rows = []
    for path in args.images:
        image = read_image(path)[None]
        prompt = args.prompt if args.prompt is not None else read_picture(path).prompt
        scores = {scorer.name: round(float(scorer(image, [prompt])[0]), 4) for scorer in scorers}
        rows.append({"image": str(path), "prompt": prompt, **scores})
    lines = [
        "  ".join([*(f"{row[scorer.name]:.2f} {scorer.name}" for scorer in scorers), str(row["image"])]) for row in rows
    ]
    emit(args, {"rows": rows}, "\n".join(lines))
    return 0
