"""`policies panel`: write a blind reading sheet, and count the verdicts of those who read it."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PolicyError, PromptError
from ..files import read_json_lines, read_lines
from ..lab.compare.panel import KEY, SHEET, VERDICTS, Entry, beats, read_votes, standings, write_panel
from ..policy import SuggestOptions, load_policy, suggest
from ..policy.store import default_policy, with_family
from .output import add_json, emit

if TYPE_CHECKING:
    from ..measure.statistics import Interval

FIXED = "fixed:"
NOTHING = "nothing"
_OTHER_NAMES = {"illustrious": "anime"}
"""Families under the names that `rules` has for them."""
_FIGURES = ("first or tied", "first alone", "mean rank", "keep", "edit", "reject")
_HEAD = f"{'arm':24}{'prompts':>8}  " + "  ".join(f"{name:17}" for name in _FIGURES)


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb and its two steps."""
    parser = verbs.add_parser("panel", help="read policies blind: write the sheet, count the verdicts")
    steps = parser.add_subparsers(dest="step", required=True)
    write = steps.add_parser("write", help=f"write {SHEET}, a form for verdicts, and the key apart")
    write.add_argument("prompts", type=Path, help="a prompt a line, or JSON Lines with `prompt` and perhaps `family`")
    write.add_argument(
        "--arm",
        action="append",
        metavar="NAME",
        help=f"a policy, `{NOTHING}`, or `{FIXED}TEXT` (default {default_policy()} and rules)",
    )
    write.add_argument("--mode", choices=("negative", "modifiers"), default="negative", help="which side is read")
    write.add_argument("--seed", type=int, default=0, help="seed of the shuffling (default 0)")
    write.add_argument("--policies", type=Path, action="append", default=[], metavar="DIR", help="folder to look in")
    write.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write")
    add_json(write)
    write.set_defaults(run=run_write)
    read = steps.add_parser("read", help="first places, mean rank, keep, edit and reject rates with intervals")
    read.add_argument("verdicts", type=Path, nargs="+", help=f"filled-in copies of {VERDICTS}, one for each reader")
    read.add_argument("--key", type=Path, required=True, metavar="FILE", help=f"the {KEY} of the sheet")
    add_json(read)
    read.set_defaults(run=run_read)


def run_write(args: argparse.Namespace) -> int:
    """Ask every arm for every prompt."""
    arms = args.arm or [default_policy(), "rules"]
    entries = [
        Entry(prompt, family or "any", {_short(arm): _answer(arm, prompt, family, args) for arm in arms})
        for prompt, family in _read_prompts(args.prompts)
    ]
    write_panel(entries, args.mode, args.seed, args.output)
    told = f"wrote {len(entries)} prompts: {args.output / SHEET}, {args.output / VERDICTS}, {args.output / 'key' / KEY}"
    emit(args, {"folder": str(args.output), "prompts": len(entries), "arms": arms}, told)
    return 0


def _read_prompts(path: Path) -> list[tuple[str, str]]:
    """Prompts with their families; "" where none is said."""
    if path.suffix != ".jsonl":
        found = [(line, "") for _, line in read_lines(path, PromptError)]
    else:
        rows = [row for _, row in read_json_lines(path, PromptError)]
        if any("prompt" not in row for row in rows):
            raise PromptError(f"cannot read prompts from {path}: a row has no 'prompt'")
        found = [(str(row["prompt"]), str(row.get("family") or "")) for row in rows]
    if not found:
        raise PromptError(f"{path} holds no prompt; write one a line")
    return found


def _short(arm: str) -> str:
    return FIXED.rstrip(":") if arm.startswith(FIXED) else arm


def _answer(arm: str, prompt: str, family: str, args: argparse.Namespace) -> str:
    if arm == NOTHING:
        return ""
    if arm.startswith(FIXED):
        return arm.removeprefix(FIXED).strip()
    policy = load_policy(_for_family(arm, family, args.policies), args.policies)
    (found,) = suggest(policy, [prompt], SuggestOptions(modes=(args.mode,)))
    return found.negative if args.mode == "negative" else found.positive[len(prompt) :].strip(" ,")


def _for_family(arm: str, family: str, folders: list[Path]) -> str:
    """The arm for the family, if it has it."""
    for name in (family, _OTHER_NAMES.get(family, "")):
        try:
            return with_family(arm, name, folders) if name else arm
        except PolicyError:
            continue
    return arm


def run_read(args: argparse.Namespace) -> int:
    """Count, and say of every pair who is before whom."""
    votes = read_votes(args.verdicts, args.key)
    found = standings(votes)
    lines = [_HEAD] + [
        f"{one.arm[-24:]:24}{one.prompts:8d}  "
        + "  ".join(_shown(value) for value in (one.first, one.alone, one.mean_rank, one.keep, one.edit, one.reject))
        for one in found
    ]
    pairs = {}
    for other in found[1:]:
        wins, ties = beats(votes, found[0].arm, other.arm)
        pairs[other.arm] = {"before": asdict(wins), "before_or_beside": asdict(ties)}
        lines.append(f"{found[0].arm} before {other.arm}: {_shown(wins)}; before it or beside it: {_shown(ties)}")
    values = {"readings": len(args.verdicts), "arms": [asdict(one) for one in found], "first_arm_against": pairs}
    emit(args, values, "\n".join(lines))
    return 0


def _shown(value: Interval) -> str:
    return f"{value.value:.2f} [{value.low:.2f}, {value.high:.2f}]"
