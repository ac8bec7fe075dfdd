"""What every command shares: results on stdout, everything else on stderr."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

DEBUG_HELP = "show the traceback of an error, and what other libraries have to say"


def emit(args: argparse.Namespace, values: Mapping[str, Any], text: str) -> None:
    """Print a result: one JSON object on one line with `--json`, else `text`."""
    if args.json:
        emit_json(values)
    else:
        print(text, flush=True)


def emit_json(values: Mapping[str, Any]) -> None:
    """One JSON object on one line; plain ASCII, so that it is valid whatever the encoding of the terminal."""
    print(json.dumps(values), flush=True)


def tell(text: str) -> None:
    """A line for the person at the terminal, on stderr."""
    print(text, file=sys.stderr, flush=True)


def add_json(parser: argparse.ArgumentParser) -> None:
    """The flags that every command has: `--json`, and `--debug` also after the command."""
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=DEBUG_HELP)
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
