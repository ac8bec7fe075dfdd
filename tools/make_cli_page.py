"""Writes docs/cli.md, every command and flag as the parser has them: `python tools/make_cli_page.py [FILE]`.

A test compares the committed page with what this writes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "cli.md"
SHARED = {"help", "debug", "json"}
"""Flags that every command has: said once."""
HEAD = """\
# Command line

Written by `python tools/make_cli_page.py` from the parser: change a flag's help in the code, then run it again.

After `pip install PATH_TO_THE_FOLDER` the command is `negopt`. Without an installation, in negopt's folder after
`make env`, it is `.venv/bin/python -m negopt_core` (Windows: `.venv\\Scripts\\python -m negopt_core`).
Flags stand behind the command. Every command also takes `--help`, `--json` (one JSON object on stdout) and `--debug`
(the traceback of an error, and what other libraries have to say).

```
negopt suggest "a photo of a cat"                                     # a negative and modifiers
negopt schedule "a cat, [detailed:0-0.5:0.75]" --steps 20             # what is encoded at each step
negopt paint "a photo of a red ball by the sea" --policy rules -o out # on the demo world
negopt paint --from out/00000.png -o again                            # the same picture again
negopt paint "a fox" --model comfy:sd15.safetensors@http://127.0.0.1:8188
negopt eval --arm none --arm rules=policy:rules -o out/eval           # side by side, with intervals
negopt provenance out/00000.png --replay                              # where a picture comes from
```
"""


class Entry(NamedTuple):
    """One command: how it is called, what it does, its parser."""

    name: str
    help: str
    parser: argparse.ArgumentParser


def main() -> int:
    """Write the page; the exit status is 0."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    path.write_text(page(), encoding="utf-8")
    print(f"wrote {path}")
    return 0


def page() -> str:
    """The whole page as Markdown."""
    sys.path.insert(0, str(ROOT))
    from negopt_core.cli import build_parser

    entries = list(commands(build_parser(), ""))
    table = [f"| [`{one.name}`](#{one.name.replace(' ', '-')}) | {cell(one.help)} |" for one in entries]
    parts = [HEAD, "\n".join(["| command | does |", "|---|---|", *table]), *map(section, entries)]
    return "\n".join(f"{part.rstrip()}\n" for part in parts)


def commands(parser: argparse.ArgumentParser, path: str, about: str = "") -> Iterator[Entry]:
    """Every command below a parser that does something, in the order of the help."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield Entry(path, about, parser)
    for action in below:
        said = {one.dest: one.help or "" for one in action._choices_actions}
        for name, part in action.choices.items():
            yield from commands(part, f"{path} {name}".strip(), said.get(name, ""))


def section(entry: Entry) -> str:
    """What one command takes."""
    shown = [one for one in entry.parser._actions if one.help != argparse.SUPPRESS and one.dest not in SHARED]
    words = [one for one in shown if not one.option_strings]
    lines = [f"## {entry.name}", "", f"{cell(entry.help)[:1].upper()}{cell(entry.help)[1:]}.", ""]
    lines += ["| argument | what | default |", "|---|---|---|"]
    return "\n".join(lines + [row(one) for one in [*words, *(one for one in shown if one.option_strings)]])


def row(action: argparse.Action) -> str:
    """A flag or word: spelling, help, default."""
    text, _, default = (action.help or "").replace("%%", "%").partition("(default ")
    default = default.removesuffix(")")
    if not default:
        default = "**needed**" if action.required or (not action.option_strings and action.nargs != "?") else ""
    return f"| `{spelling(action)}` | {cell(text)} | {cell(default)} |"


def spelling(action: argparse.Action) -> str:
    """`-o, --output DIR`; for a word its name."""
    value = action.metavar or (
        "{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()
    )
    if not action.option_strings:
        return f"{value} ..." if action.nargs in ("*", "+") else str(value)
    flags = ", ".join(action.option_strings)
    if action.nargs == 0:
        return flags
    return f"{flags} [{value}]" if action.nargs == "?" else f"{flags} {value}"


def cell(text: str) -> str:
    """Text that stays within one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
