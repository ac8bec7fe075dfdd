"""What `train sft` and `train ppo` share: arguments, what the run folder remembers, and the export."""

from __future__ import annotations

import argparse
import logging
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
    left_out = {"run", "folder", "output", "name", "threads", "json", "debug", "save_every", "tensorboard"}
    # runs that were begun before there were such settings go on
    left_out |= {name for name in ("size", "augment") if not getattr(args, name, None)}
    return {key: str(value) for key, value in vars(args).items() if key not in left_out}


def export(args: argparse.Namespace, policy: LanguagePolicy, measured: dict[str, float], how: str) -> int:
    """Write the policy folder and say so."""
    from dataclasses import replace

    from .. import __version__
    from ..policy.language.folder import save_policy

    output: Path = args.output or args.folder / "export"
    history = [*policy.card.provenance.get("history", []), how]
    policy.card = replace(
        policy.card,
        name=args.name or output.name,
        metrics={**policy.card.metrics, **measured},
        provenance={"made_by": f"negopt {__version__}", "seed": args.seed, "history": history},
        licence=policy.card.licence or "Apache-2.0",
    )
    save_policy(policy, output)
    told = ", ".join(f"{name} {value:.3f}" for name, value in measured.items())
    emit(args, {"folder": str(output), **measured}, f"exported {output} ({told})")
    return 0
