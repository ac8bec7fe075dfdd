"""What `train sft` and `train ppo` share: arguments, what the run folder remembers, and the export."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .output import add_json, emit

if TYPE_CHECKING:
    from ..policy.language import LanguagePolicy


def add_common(parser: argparse.ArgumentParser) -> None:
    """The arguments of every run."""
    parser.add_argument("--run", dest="folder", type=Path, required=True, metavar="DIR", help="run folder")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="policy folder (default: export in the run)")
    parser.add_argument("--name", help="name of the policy (default: the output folder's)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-every", type=int, default=50, help="steps between checkpoints")
    parser.add_argument("--tensorboard", action="store_true", help="also write event files, if tensorboard is there")
    parser.add_argument("--threads", type=int, help="CPU threads")
    add_json(parser)


def prepare(args: argparse.Namespace, is_leader: bool = True) -> dict[str, Any]:
    """Threads and logging; returns what the run folder remembers: every argument that decides the result."""
    import torch

    logging.getLogger("negopt").setLevel(logging.INFO if is_leader else logging.WARNING)
    if args.threads:
        torch.set_num_threads(args.threads)
    return {key: str(value) for key, value in _deciding(args).items()}


def _deciding(args: argparse.Namespace) -> dict[str, Any]:
    left_out = {"run", "folder", "output", "name", "threads", "json", "debug", "save_every", "tensorboard"}
    left_out |= {"policy_device", "scorer_device"}  # where, not what: the figures differ by rounding
    # runs that were begun before there were such settings go on
    left_out |= {name for name in ("size", "augment", "paint_dtype") if not getattr(args, name, None)}
    return {key: value for key, value in vars(args).items() if key not in left_out}


_PLACES = {"pairs", "held_out", "prompts", "policy", "tokenizer", "stock", "model", "source"}


@dataclass(frozen=True, slots=True)
class Stage:
    """One training, as the card of its policy tells it."""

    how: str
    """In a few words."""
    facts: Mapping[str, Any]
    """Hashes of what went in, and how much that was."""
    measured: Mapping[str, float]
    unused: frozenset[str] = frozenset()
    """Settings that decided nothing: the card leaves them out."""


def digest(lines: Iterable[str]) -> str:
    """SHA-256 over texts in their order, each as a line of JSON."""
    total = hashlib.sha256()
    for line in lines:
        total.update(f"{json.dumps(line)}\n".encode())
    return total.hexdigest()


def start_folder(named: Path) -> Path:
    """The folder of a policy to start from: its path, or the name of one that comes with negopt; TrainingError if it
    is neither, or nothing that can be trained."""
    from ..errors import TrainingError
    from ..policy.language.folder import KINDS
    from ..policy.store import CARD_NAME, SHIPPED, read_card, shipped_names

    folder = SHIPPED / named if not named.exists() and str(named) in shipped_names() else named
    if folder.is_dir() and (not (folder / CARD_NAME).exists() or read_card(folder).kind in KINDS):
        return folder
    if str(named).startswith("hf:"):
        raise TrainingError(
            f"{named} is on the hub and nothing is fetched unasked: run `policies pull {named} -o policies`, and give "
            "the folder that it names"
        )
    what = f"of kind {read_card(folder).kind}" if folder.is_dir() else "no folder and no such name"
    names = [name for name in shipped_names() if read_card(SHIPPED / name).kind in KINDS]
    raise TrainingError(
        f"cannot train on from {named}: {what}; give the folder of a policy of kind {' or '.join(KINDS)}, a "
        f"transformers folder, or one of {', '.join(names)}"
    )


def hashes_in(facts: Mapping[str, Any]) -> dict[str, str]:
    """Those of the facts that tell one input from another; what is counted follows from them and the settings."""
    return {key: str(value) for key, value in facts.items() if key.endswith("_sha256") or key == "painter"}


def export(args: argparse.Namespace, policy: LanguagePolicy, stage: Stage) -> int:
    """Write the policy folder and say so."""
    from .. import __version__
    from ..policy.language.folder import save_policy

    output: Path = args.output or args.folder / "export"
    before = policy.card.provenance
    used = {key: value for key, value in _deciding(args).items() if value is not None and key not in stage.unused}
    settings = {key: shown(key, value) for key, value in used.items()}
    policy.card = replace(
        policy.card,
        name=args.name or output.name,
        metrics=dict(stage.measured),
        provenance={
            "made_by": f"negopt {__version__}",
            "seed": args.seed,
            "history": [*before.get("history", []), stage.how],
            "stages": [
                *before.get("stages", []),
                {"settings": settings, **stage.facts, "measured": dict(stage.measured)},
            ],
        },
        licence=policy.card.licence or "Apache-2.0",
    )
    save_policy(policy, output)
    told = ", ".join(f"{name} {value:.3f}" for name, value in stage.measured.items())
    emit(args, {"folder": str(output), **stage.measured}, f"exported {output} ({told})")
    return 0


def shown(name: str, value: Any) -> Any:
    """A setting as strangers may read it: of files and folders the last name, of servers only what they paint with."""
    if isinstance(value, list):
        return [shown(name, item) for item in value]
    if isinstance(value, Path):
        return value.name
    if not isinstance(value, str) or name not in _PLACES:
        return value
    role, sign, place = value.partition("=") if name == "source" else ("", "", value)
    if place.startswith("comfy:"):
        place = place.partition("http")[0].rstrip("@:")
    elif not place.startswith("hf:"):
        place = re.split(r"[/\\]", place.rstrip("/\\"))[-1]
    return f"{role}{sign}{place}"
