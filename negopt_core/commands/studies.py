"""`reproduce` and `world report`: studies of the demo world, which only negopt's own folder has."""

from __future__ import annotations

import argparse
from importlib import import_module
from importlib.util import find_spec

from ..errors import NegOptError

_STUDIES = {"reproduce": "studies.reproduce", "world": "studies.world_report"}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare them; where the folder `studies` is missing, as after `pip install`, they say so."""
    for command, module in _STUDIES.items():
        if find_spec("studies"):
            import_module(module).add(commands)
        else:
            parser = commands.add_parser(command, help="a study of the demo world; only in negopt's own folder")
            parser.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
            parser.set_defaults(run=_is_missing)


def _is_missing(args: argparse.Namespace) -> int:
    raise NegOptError(
        f"`{args.command}` needs the folder studies/, which an installed package has not; "
        "clone negopt's repository and run the command in there"
    )
