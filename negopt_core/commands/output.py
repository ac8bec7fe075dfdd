"""What every command shares: results on stdout, everything else on stderr."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any


def emit(args: argparse.Namespace, values: Mapping[str, Any], text: str) -> None:
    """Print a result: one JSON object on one line with `--json`, else `text`."""
    print(json.dumps(values, ensure_ascii=False) if args.json else text, flush=True)


def tell(text: str) -> None:
    """A line for the person at the terminal, on stderr."""
    print(text, file=sys.stderr, flush=True)


def add_json(parser: argparse.ArgumentParser) -> None:
    """The `--json` flag."""
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
