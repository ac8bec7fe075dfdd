"""What a user sees on a terminal: our own lines and nothing of other people's libraries, unless --debug asks for it."""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from negopt_core.cli import build_parser

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, sys
from negopt_core import cli
from negopt_core.paint import choice

choice.WORLD_STEPS = 1  # `demo` has no flag for it
for words in json.load(sys.stdin):
    sys.argv[1:] = words
    assert cli.main() == 0, words
"""
"""Several commands in one process of our own, because importing torch takes most of the time of each."""
OURS = re.compile(
    r"painting \d of 8: .+"
    r"|picture \d+ of \d+: \d+ steps"
    r"|\d+ of \d+ steps|\d+ phrases, \d+ pictures|features of [\w:-]+: [\w-]+"
    r"|\d+ pictures wanted, \d+ different|\d+ of \d+ already painted"
    r"|(painting|scoring [\w-]+|sft|ppo): \d+ of \d+ \(\d+ %\), .+ min left.*"
)
FOREIGN = ("Expected types for vae", "Loading weights", "Loading pipeline components")


def stderr_of(*commands: list[str], cwd: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}){PROGRAM}"],
        input=json.dumps(commands),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [line for line in re.split(r"[\r\n]+", done.stderr) if line.strip()]


@pytest.mark.slow
def test_every_command_prints_only_our_own_lines(tmp_path: Path) -> None:
    lines = """
        demo -o demo
        suggest cat --policy negopt-mini
        suggest cat --best-of 2 --pictures 1 --steps 1 --policy world-negative
        paint cat --steps 1 --sampler ddim -o painted
        score painted/00000.png
        explain cat --negative blurry --steps 1 --seeds 2 -o explained
        provenance painted/00000.png --replay -o again
        policies list
        policies info negopt-mini
        schedule cat --steps 5
        eval --model world --prompts world:1 --arm none --arm policy:rules --steps 1 --metrics world-is --splits 1
        train sft --pairs world:8 --steps 1 --width 32 --layers 1 --run sft -o taught --threads 1
        train ppo --policy taught --prompts world --steps 1 --batch 1 --epochs 1 --paint-steps 1 --run ppo --threads 1
    """
    commands = [line.split() for line in lines.strip().splitlines()]
    said = stderr_of(*commands, cwd=tmp_path)
    assert [line for line in said if not OURS.fullmatch(line.strip())] == []
    assert len(said) > len(commands)  # and ours are there


def test_debug_shows_what_the_libraries_say(tmp_path: Path) -> None:
    said = "\n".join(stderr_of(["paint", "cat", "--steps", "1", "--debug"], cwd=tmp_path))
    assert all(words in said for words in FOREIGN)


def leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for action in below:
        for part in action.choices.values():
            yield from leaves(part)
    if not below:
        yield parser


def test_every_command_has_debug_beside_json() -> None:
    commands = list(leaves(build_parser()))
    assert len(commands) > 20
    assert not [one.prog for one in commands if not {"--debug", "--json"} <= one._option_string_actions.keys()]
