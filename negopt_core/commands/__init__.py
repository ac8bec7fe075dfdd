"""The commands: settings as a frozen dataclass, and a function from them to a result. `COMMANDS` says where each is."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..flags import read


@dataclass(frozen=True)
class Result:
    """What a command found: one JSON object with --json, else the text."""

    values: Mapping[str, Any]
    text: str
    code: int = 0
    """Exit code."""
    is_said: bool = False
    """Everything is printed already."""


@dataclass(frozen=True)
class Command:
    """A command of a module; `name` is "" where the module has only one, and "panel write" is a verb of a verb."""

    name: str
    help: str
    settings: type[Any]
    run: Callable[[Any], Result | None]
    """None: everything is said already, or another process says it."""
    make: Callable[[Mapping[str, Any]], Any] | None = None
    """Settings from what was given, where the dataclass's defaults are not the whole story."""
    epilog: str = ""

    def __call__(self, given: Mapping[str, Any]) -> Result | None:
        """Run with the arguments that a user gave."""
        return self.run(self.make(given) if self.make else read(self.settings, given))


@dataclass(frozen=True)
class Group:
    """A top-level command: its module is imported when it is asked for."""

    module: str
    help: str


GROUPS = {
    "suggest": Group(".suggest", "write a negative prompt and modifiers for a prompt"),
    "schedule": Group(".schedule", "show what a DF-Prompt encodes at each step"),
    "paint": Group(".paint", "paint pictures, schedules included"),
    "score": Group(".score", "score pictures against a prompt"),
    "eval": Group(".eval", "compare policies and texts: same prompts, same noise; run again to resume"),
    "explain": Group(".explain", "what each phrase does: the picture without it, and the score it adds"),
    "audit": Group(".audit", "does your negative do anything? each phrase's effect on your model; run again to resume"),
    "tune": Group(".tune", "learn on your model which phrases help; a policy if it wins; run again to resume"),
    "provenance": Group(".provenance", "where a picture comes from; check its hashes; paint it again"),
    "demo": Group(".demo", "paint the before/after sheet on the embedded demo world"),
    "policies": Group(".policies", "list policies, show one, compare some, fetch one"),
    "data": Group(".data", "pairs to train on"),
    "train": Group(".train", "train policies or the demo world"),
    "reproduce": Group("studies.reproduce", "train and measure all of docs/results.md; run again to resume"),
    "world": Group("studies.world_report", "about the demo world"),
    "convert": Group(".convert", "published weights to safetensors"),
}
"""Where each top-level command is, and its line in the help."""


def print_json(values: Mapping[str, Any]) -> None:
    """One JSON object on one line; plain ASCII, so that it is valid whatever the encoding of the terminal."""
    print(json.dumps(values), flush=True)


def tell(text: str) -> None:
    """A line for the person at the terminal, on stderr."""
    print(text, file=sys.stderr, flush=True)
