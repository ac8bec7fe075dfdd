"""The command line: `python -m negopt_core COMMAND …`. Results on stdout, the rest on stderr, one line for an error."""

from __future__ import annotations

import argparse
import io
import logging
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NoReturn

from . import __version__
from .commands import GROUPS, Command, Group, Result, print_json
from .errors import DialectError, NegOptError, PolicyError, PromptError
from .flags import declare
from .needs import missing_package
from .own_process import wait_kindly
from .quiet import quieten_process

OK, FAILED, USAGE, STOPPED = 0, 1, 2, 130
SCRIPT, MODULE = "negopt", "python -m negopt_core"
"""How a user starts it: as the installed script, or from the folder."""
DEBUG_HELP = "show the traceback of an error, and what other libraries have to say"
_BEFORE = ("--help", "--version", "--debug")
"""The flags that stand before a command."""
_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{8,}")
_USAGE_ERRORS = (PromptError, DialectError, PolicyError)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as every other error does."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"negopt: {_one_line(message)}; `{self.prog} --help` shows what is possible\n")


def build_parser(prog: str = SCRIPT, words: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """Every command; `prog` is what the user calls to start it. With `words`, only commands among them are loaded."""
    parser: argparse.ArgumentParser = _Parser(
        prog=prog, description="Learned negative prompts and scheduled modifiers."
    )
    parser.add_argument("--version", action="version", version=f"negopt {__version__}")
    parser.add_argument("--debug", action="store_true", help=DEBUG_HELP)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, group in GROUPS.items():
        part = commands.add_parser(name, help=group.help)
        if words is None or name in words:
            _fill(part, group)
    return parser


def _fill(parser: argparse.ArgumentParser, group: Group) -> None:
    """Load a top-level command and declare what it and its verbs take."""
    if not group.module.startswith(".") and not find_spec("studies"):
        parser.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
        _end(parser, _missing_study)
        return
    module = import_module(group.module, f"{__package__}.commands")
    parser.epilog, parser.formatter_class = getattr(module, "EPILOG", None), argparse.RawDescriptionHelpFormatter
    verbs: dict[str, argparse._SubParsersAction[argparse.ArgumentParser]] = {}
    for command in module.COMMANDS:
        part, above = parser, ""
        for name in command.name.split():
            if above not in verbs:
                verbs[above] = part.add_subparsers(dest=f"verb {above}", required=True, metavar="VERB")
            path = f"{above} {name}".strip()
            known = verbs[above].choices
            part = known.get(name) or verbs[above].add_parser(name, help=_help(module, command, path))
            above = path
        part.epilog, part.formatter_class = command.epilog or part.epilog, argparse.RawDescriptionHelpFormatter
        declare(part, command.settings)
        _end(part, command)


def _help(module: ModuleType, command: Command, path: str) -> str:
    return command.help if path == command.name else str(module.HELP[path])


def _end(parser: argparse.ArgumentParser, run: Callable[[Mapping[str, Any]], Result | None]) -> None:
    """The flags that every command has, and what it does."""
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=DEBUG_HELP)
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.set_defaults(run=run, parser=parser)


def _missing_study(given: Mapping[str, Any]) -> NoReturn:
    raise NegOptError(
        f"`{given['command']}` needs the folder studies/, which an installed package has not; "
        "clone negopt's repository and run the command in there"
    )


def _read(prog: str, words: Sequence[str]) -> argparse.Namespace:
    """The arguments in `words`; ends with one line that says the remedy for what is left over."""
    parser = build_parser(prog, words)
    first = next((word for word in words if word != "--debug"), "")
    if first.startswith("--") and not any(known.startswith(first.partition("=")[0]) for known in _BEFORE):
        parser.error(f"{first} stands before the command; write flags behind the command")
    args, rest = parser.parse_known_args(words)
    if rest:
        remedy = "" if rest[0].startswith("-") else "; put the prompt in quotes, so that it is one argument"
        args.parser.error(f"unrecognized arguments: {' '.join(rest)}{remedy}")
    return args


def _show(result: Result | None, is_json: bool) -> int:
    """Print what a command found; its exit code."""
    if result is None:
        return OK
    if result.is_said:
        return result.code
    if is_json:
        print_json(result.values)
    else:
        print(result.text, flush=True)
    return result.code


def main(argv: Sequence[str] | None = None, prog: str = SCRIPT) -> int:
    """Run one command and return its exit code: 0 ok, 1 failed, 2 usage, 130 stopped by the user."""
    _prepare_streams()
    args = _read(prog, sys.argv[1:] if argv is None else argv)
    if argv is None:  # the whole process is this command
        wait_kindly()
        quieten_process(args.debug)
    try:
        code = _show(args.run(vars(args)), args.json)
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
