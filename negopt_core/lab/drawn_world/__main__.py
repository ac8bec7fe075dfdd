"""`python -m negopt_core.lab.drawn_world FOLDER`: train into a folder, or go on with what is there."""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import replace
from pathlib import Path

from ...errors import NegOptError
from ...needs import naming_what_is_missing


def main(arguments: list[str] | None = None) -> int:
    """The exit status is 0, or 1 after one line on stderr: something is missing, or the gate was not passed."""
    parser = argparse.ArgumentParser(prog="python -m negopt_core.lab.drawn_world", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the run lives; its export is a diffusers folder")
    parser.add_argument("--images", type=int, help="training images of the diffusion model (default: 480000)")
    parser.add_argument("--threads", type=int, help="CPU threads (default: torch's own choice)")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        with naming_what_is_missing():
            _train(given.folder, given.images, given.threads)
    except NegOptError as error:
        logging.getLogger("negopt").error("negopt: %s", error)
        return 1
    return 0


def _train(folder: Path, images: int | None, threads: int | None) -> None:
    import torch

    from .train import DrawnSettings, train_drawn_world

    if threads:
        torch.set_num_threads(threads)
    settings = DrawnSettings()
    if images is not None:
        settings = replace(settings, diffusion=replace(settings.diffusion, images=images))
    train_drawn_world(folder, settings)


if __name__ == "__main__":
    sys.exit(main())
