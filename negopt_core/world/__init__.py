"""The embedded demo world: a small text-to-image world with ground truth, trained from scratch (docs/world.md)."""

from pathlib import Path


def world_dir() -> Path:
    """The folder of the shipped weights, in diffusers' own layout."""
    return Path(__file__).resolve().parent.parent / "assets" / "world"
