"""`convert aesthetic|inception|pae`: published weights to safetensors, once."""

from __future__ import annotations

import argparse
from pathlib import Path

from .output import add_json, emit


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    kinds = commands.add_parser("convert", help="published weights to safetensors").add_subparsers(
        dest="what", required=True
    )
    aesthetic = kinds.add_parser("aesthetic", help="LAION's sac+logos+ava1-l14-linearMSE.pth to an affine head")
    aesthetic.add_argument("file", type=Path, metavar="FILE")
    aesthetic.add_argument("-o", "--output", type=Path, default=Path("aesthetic.safetensors"), metavar="FILE")
    add_json(aesthetic)
    aesthetic.set_defaults(run=run_aesthetic)
    inception = kinds.add_parser("inception", help="torch-fidelity's weights-inception-2015-12-05 .pth, for FID and IS")
    inception.add_argument("file", type=Path, metavar="FILE")
    inception.add_argument("-o", "--output", type=Path, default=Path("inception.safetensors"), metavar="FILE")
    add_json(inception)
    inception.set_defaults(run=run_inception)
    pae = kinds.add_parser("pae", help="PAE's released actor (actor_step3000.pt) to a policy folder")
    pae.add_argument("file", type=Path, metavar="FILE")
    pae.add_argument("--tokenizer", required=True, metavar="DIR", help="folder with GPT-2's tokenizer files")
    pae.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="policy folder")
    add_json(pae)
    pae.set_defaults(run=run_pae)


def run_aesthetic(args: argparse.Namespace) -> int:
    """Convert and say where."""
    from ..scorers.aesthetic import convert_head

    convert_head(args.file, args.output)
    emit(args, {"file": str(args.output)}, f"wrote {args.output}")
    return 0


def run_inception(args: argparse.Namespace) -> int:
    """Convert and say where."""
    from ..scorers.features import convert_inception

    convert_inception(args.file, args.output)
    emit(args, {"file": str(args.output)}, f"wrote {args.output}")
    return 0


def run_pae(args: argparse.Namespace) -> int:
    """Convert and say where."""
    from dataclasses import replace

    from ..files import hash_file
    from ..lab.train.setup import load_tokenizer
    from ..policy.language.folder import save_policy
    from ..policy.language.pae_weights import actor_policy, read_actor

    policy = actor_policy(read_actor(args.file), load_tokenizer(args.tokenizer), args.output.name)
    source = {"source": args.file.name, "source_sha256": hash_file(args.file)}
    policy.card = replace(policy.card, provenance={**policy.card.provenance, **source})
    save_policy(policy, args.output)
    emit(args, {"folder": str(args.output)}, f"wrote {args.output}")
    return 0
