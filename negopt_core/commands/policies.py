"""`policies`: what can be loaded, what it is, why it writes what it writes, and fetching one from the hub."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from ..errors import PolicyError
from ..policy import SuggestOptions, list_policies, load_policy, suggest
from ..policy.hub import pull_policy
from ..policy.loglinear.policy import NegOptPolicy
from ..policy.store import default_policy, with_family
from . import panel
from .output import add_json, emit, tell

_MODIFIER_COLUMNS = "policy                   subjects  precision@5  phrase F1  distinct-2  different  empty  verbatim"
_COLUMNS = "policy                   family  pairs  phrase F1  token F1  ROUGE-2  ROUGE-L  distinct-2  empty  against"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its verbs."""
    parser = commands.add_parser("policies", help="list policies, show one, compare some, fetch one")
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
            part.add_argument("--offline", action="store_true", help="only from the hub's cache on this machine")
            part.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to put it under")
        add_json(part)
        part.set_defaults(run=run)
    push = verbs.add_parser("push", help="prepare a model repository for the hub; uploads nothing")
    push.add_argument("folder", type=Path, metavar="DIR", help="policy folder")
    push.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="repository to make")
    add_json(push)
    push.set_defaults(run=run_push)
    compare = verbs.add_parser("compare", help="negatives of policies beside what people wrote")
    compare.add_argument("name", nargs="+", help="folders or names")
    against = compare.add_mutually_exclusive_group(required=True)
    against.add_argument("--pairs", type=Path, metavar="FILE", help="prompts with people's negatives")
    against.add_argument("--modified", type=Path, metavar="FILE", help="subjects with people's modifiers")
    compare.add_argument("--policies", type=Path, action="append", default=[], metavar="DIR", help="folder to look in")
    add_json(compare)
    compare.set_defaults(run=run_compare)
    why = verbs.add_parser("why", help="which phrases negopt writes for a prompt, and where each comes from")
    why.add_argument("prompt", help="the prompt")
    why.add_argument("--policy", default=default_policy(), help="folder or name (default %(default)s)")
    why.add_argument("--family", metavar="NAME", help="family of the painting model")
    why.add_argument("--policies", type=Path, action="append", default=[], metavar="DIR", help="folder to look in")
    add_json(why)
    why.set_defaults(run=run_why)
    panel.add(verbs)


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
        folder = pull_policy(args.name, args.output, tell=tell, offline=args.offline)
        emit(args, {"name": args.name, "folder": str(folder)}, f"fetched into {folder}")
        return 0
    policy = load_policy(args.name, args.policies)
    card = {**policy.card.to_json(), "fingerprint": policy.fingerprint}
    emit(args, card, json.dumps(card, indent=2, ensure_ascii=False))
    return 0


def run_push(args: argparse.Namespace) -> int:
    """Copy, write the README, say how to upload."""
    from ..policy.hub import prepare_repository

    files = prepare_repository(args.folder, args.output)
    told = f"wrote {args.output} ({len(files)} files); upload it with: hf upload OWNER/NAME {args.output}"
    emit(args, {"folder": str(args.output), "files": files}, told)
    return 0


def run_why(args: argparse.Namespace) -> int:
    """Concepts, then each phrase with its gain and its parts."""
    name = with_family(args.policy, args.family, args.policies) if args.family else args.policy
    policy = load_policy(name, args.policies)
    if not isinstance(policy, NegOptPolicy):
        raise PolicyError(f"{name} cannot say why; only {default_policy()} can (also as {default_policy()}:FAMILY)")
    found = policy.why(args.prompt)
    values = {
        "prompt": args.prompt,
        "family": found.family.name,
        "concepts": [asdict(one) for one in found.reading.found],
        "unwanted": list(found.reading.unwanted),
        "negative": [asdict(one) for one in found.negative],
        "modifiers": [asdict(one) for one in found.modifiers],
    }
    lines = [f"model     {found.family.name}"]
    lines += [f"concept   {one.concept} ({one.word}, {one.strength:g})" for one in found.reading.found]
    for side, choices in (("negative", found.negative), ("modifiers", found.modifiers)):
        for one in choices:
            parts = "; ".join(f"{part.effect:+.2f} {part.source}: {part.because}" for part in one.reasons)
            lines.append(f"{side:9} {one.phrase}  {one.gain:.2f} +- {one.sd:.2f}  [{parts}]")
    emit(args, values, "\n".join(lines))
    return 0


def run_compare(args: argparse.Namespace) -> int:
    """Score the negatives of each policy by family of prompts; the last row is the mean of the families."""
    if args.modified:
        return _compare_modifiers(args)
    from ..lab.compare.text import by_family
    from ..lab.data.corpus import read_rows

    rows = read_rows(args.pairs, skipped_sources=())
    found = {name: by_family(rows, _negatives(name, args.policies, [row.prompt for row in rows])) for name in args.name}
    lines = [_COLUMNS]
    for name, families in found.items():
        for family, s in families.items():
            lines.append(
                f"{name[-24:]:24} {family:8}{s.count:5d}{s.phrase_f1:11.3f}{s.token_f1:10.3f}{s.rouge_2:9.3f}"
                f"{s.rouge_l:9.3f}{s.distinct_2:12.3f}{s.empty:7.3f}{s.contradicting:9.3f}"
            )
    values = {name: {family: asdict(s) for family, s in families.items()} for name, families in found.items()}
    emit(args, values, "\n".join(lines))
    return 0


def _compare_modifiers(args: argparse.Namespace) -> int:
    from ..lab.compare.text import score_modifiers
    from ..lab.data.corpus import read_modified

    rows = [row for row in read_modified(args.modified) if row.modifiers]
    subjects, options = [row.subject for row in rows], SuggestOptions(modes=("modifiers",))
    found = {}
    for name in args.name:
        answers = suggest(load_policy(name, args.policies), subjects, options)
        found[name] = score_modifiers(rows, [answer.positive for answer in answers])
    lines = [_MODIFIER_COLUMNS]
    for name, s in found.items():
        lines.append(
            f"{name[-24:]:24}{s.count:9d}{s.precision:13.3f}{s.phrase_f1:11.3f}{s.distinct_2:12.3f}{s.different:11.3f}"
            f"{s.empty:7.3f}{s.verbatim:10.3f}"
        )
    emit(args, {name: asdict(s) for name, s in found.items()}, "\n".join(lines))
    return 0


def _negatives(name: str, folders: list[Path], prompts: list[str]) -> list[str]:
    options = SuggestOptions(modes=("negative",))
    return [suggestion.negative for suggestion in suggest(load_policy(name, folders), prompts, options)]
