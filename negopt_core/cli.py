"""The command line: `python -m negopt_core COMMAND …`. Results on stdout, the rest on stderr, one line for an error."""

from __future__ import annotations

import argparse
import io
import logging
import os
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from . import __version__
from .commands import (
    convert,
    data,
    demo,
    eval,
    explain,
    paint,
    policies,
    provenance,
    schedule,
    score,
    studies,
    suggest,
    train,
)
from .commands.output import DEBUG_HELP
from .errors import DialectError, NegOptError, PolicyError, PromptError
from .needs import missing_package
from .own_process import wait_kindly
from .quiet import quieten_process

OK, FAILED, USAGE, STOPPED = 0, 1, 2, 130
SCRIPT, MODULE = "negopt", "python -m negopt_core"
"""How a user starts it: as the installed script, or from the folder."""
_BEFORE = ("--help", "--version", "--debug")
"""The flags that stand before a command."""
_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{8,}")
_USAGE_ERRORS = (PromptError, DialectError, PolicyError)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as every other error does."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"negopt: {_one_line(message)}; `{self.prog} --help` shows what is possible\n")


def build_parser(prog: str = SCRIPT) -> argparse.ArgumentParser:
    """Every command with its arguments; `prog` is what the user calls to start it."""
    parser: argparse.ArgumentParser = _Parser(
        prog=prog, description="Learned negative prompts and scheduled modifiers."
    )
    parser.add_argument("--version", action="version", version=f"negopt {__version__}")
    parser.add_argument("--debug", action="store_true", help=DEBUG_HELP)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (
        suggest,
        schedule,
        paint,
        score,
        eval,
        explain,
        provenance,
        demo,
        policies,
        data,
        train,
        studies,
        convert,
    ):
        command.add(commands)
    return parser


def _read(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """The arguments in `words`; ends with one line that says the remedy for what is left over."""
    first = next((word for word in words if word != "--debug"), "")
    if first.startswith("--") and not any(known.startswith(first.partition("=")[0]) for known in _BEFORE):
        parser.error(f"{first} stands before the command; write flags behind the command")
    args, rest = parser.parse_known_args(words)
    if rest:
        remedy = "" if rest[0].startswith("-") else "; put the prompt in quotes, so that it is one argument"
        parser.error(f"unrecognized arguments: {' '.join(rest)}{remedy}")
    return args


def main(argv: Sequence[str] | None = None, prog: str = SCRIPT) -> int:
    """Run one command and return its exit code: 0 ok, 1 failed, 2 usage, 130 stopped by the user."""
    _prepare_streams()
    args = _read(build_parser(prog), sys.argv[1:] if argv is None else argv)
    if argv is None:  # the whole process is this command
        wait_kindly()
        quieten_process(args.debug)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except NegOptError as error:
        if args.debug:
            raise
        sys.stderr.write(f"negopt: {_one_line(error)}\n")
        return USAGE if isinstance(error, _USAGE_ERRORS) else FAILED
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        sys.stderr.write("negopt: stopped; what was finished is kept\n")
        return STOPPED
    except Exception as error:  # a bug of ours, or of a library below: still one line
        if args.debug:
            raise
        missing = missing_package(error)
        sys.stderr.write(f"negopt: {_one_line(missing) if missing else _unexpected(error)}\n")
        return FAILED


def _unexpected(error: Exception) -> str:
    """An error that is not ours; torch's for a full GPU is known by its name, so that torch is not imported here."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        said = _one_line(error).partition(". ")[0] or "memory is full"
        return f"{said}; what was saved is kept; take fewer at a time (--batch) in a new run, or another device"
    return f"unexpected {type(error).__name__}: {_one_line(error)}; --debug shows where"


def _one_line(error: Exception | str) -> str:
    """In one line, without access tokens: a server may repeat what it was sent."""
    return _TOKEN.sub("hf_...", " ".join(str(error).split()))


def _prepare_streams() -> None:
    """Logs go to stderr; text that a terminal cannot show is escaped instead of failing."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
