"""`policies`: what can be loaded, what it is, and fetching one from the hub."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..errors import PolicyError
from ..policy import list_policies, load_policy
from ..policy.hub import pull_policy
from .output import add_json, emit, tell


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its three verbs."""
    parser = commands.add_parser("policies", help="list policies, show one, fetch one")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, help_text in (
        ("list", "what can be loaded"),
        ("info", "one policy's card"),
        ("pull", "fetch from the hub"),
    ):
        part = verbs.add_parser(verb, help=help_text)
        if verb != "list":
            part.add_argument("name", help="hf:owner/name[@revision]" if verb == "pull" else "folder or name")
        part.add_argument("--policies", type=Path, action="append", default=[], metavar="DIR", help="folder to look in")
        if verb == "pull":
            part.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to put it under")
        add_json(part)
        part.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do the verb."""
    if args.verb == "list":
        found = list_policies(args.policies)
        values = [{"name": item.name, "kind": item.kind, "where": item.where} for item in found]
        emit(args, {"policies": values}, "\n".join(f"{item.name:16} {item.kind:8} {item.where}" for item in found))
        return 0
    if args.verb == "pull":
        if not args.name.startswith("hf:"):
            raise PolicyError(f"pull fetches from the hub and needs hf:owner/name, got {args.name!r}")
        tell(f"fetching {args.name}")
        folder = pull_policy(args.name, args.output)
        emit(args, {"name": args.name, "folder": str(folder)}, f"fetched into {folder}")
        return 0
    policy = load_policy(args.name, args.policies)
    card = {**policy.card.to_json(), "fingerprint": policy.fingerprint}
    emit(args, card, json.dumps(card, indent=2, ensure_ascii=False))
    return 0
