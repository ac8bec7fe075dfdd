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
    parser.add_argument("--images", type=int, help="training images (default: those of the recipe)")
    given = parser.parse_args(arguments)
    log, handler = logging.getLogger("negopt"), logging.StreamHandler()
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        with naming_what_is_missing():
            _train(given.folder, given.images)
    except NegOptError as error:
        log.error("negopt: %s", error)
        return 1
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
    return 0


def _train(folder: Path, images: int | None) -> None:
    from .train import DrawnSettings, train_drawn_world  # torch is read only when there is something to do

    settings = DrawnSettings()
    if images is not None:
        settings = replace(settings, diffusion=replace(settings.diffusion, images=images))
    train_drawn_world(folder, settings)


if __name__ == "__main__":
    sys.exit(main())
