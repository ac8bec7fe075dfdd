"""`train mini`: a small policy for real prompts from a recipe and a corpus, as the shipped ones were made."""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import hash_file, write_bytes
from .output import add_json, emit

if TYPE_CHECKING:
    from ..lab.train.mini import Corpus
    from ..lab.train.recipe import Recipe
    from ..policy.card import PolicyCard


def add_training(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `train mini`."""
    parser = kinds.add_parser("mini", help="a small policy for real prompts, from a recipe; run again to resume")
    parser.add_argument("recipe", help="negopt-mini, negopt-sched-mini, pae-mini, or a JSON file")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="corpus: pairs/ and modifiers/")
    parser.add_argument("--run", dest="folder", type=Path, required=True, metavar="DIR", help="run folder")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="policy folder (default: export in the run)")
    parser.add_argument("--save-every", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--threads", type=int, help="CPU threads")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, train, write."""
    from dataclasses import replace

    import torch

    from ..lab.train.mini import MODIFIED, PAIRS, Corpus, prepare, train
    from ..lab.train.recipe import read_recipe
    from ..policy.language.folder import save_policy

    logging.getLogger("negopt").setLevel(logging.INFO)
    if args.threads:
        torch.set_num_threads(args.threads)
    recipe, corpus = read_recipe(args.recipe), Corpus.read(args.data)
    hashes = {file.name: hash_file(file) for file in (args.data / name.format("train") for name in (PAIRS, MODIFIED))}
    policy, measured = train(recipe, prepare(recipe, corpus), args.folder, args.save_every, hashes)
    output: Path = args.output or args.folder / "export"
    policy.card = replace(policy.card, name=recipe.name, provenance=_provenance(recipe, corpus, hashes, policy.card))
    policy.card = replace(policy.card, metrics=measured)
    save_policy(policy, output, torch.float16)
    notice = args.data / "NOTICE.md"
    if notice.exists():
        write_bytes(output / "NOTICE.md", notice.read_bytes())
    told = ", ".join(f"{name} {value:.3f}" for name, value in measured.items())
    emit(args, {"folder": str(output), **measured}, f"exported {output} ({told})")
    return 0


def _provenance(recipe: Recipe, corpus: Corpus, hashes: dict[str, str], card: PolicyCard) -> dict[str, Any]:
    from dataclasses import asdict

    from .. import __version__

    rows: list[Any] = [*corpus.rows, *corpus.modified]
    sources = Counter((row.source, row.licence) for row in rows)
    before = {"start": card.provenance} if recipe.start else {}
    return {
        "made_by": f"negopt {__version__}, train mini {recipe.name}",
        "recipe": asdict(recipe),
        "data_sha256": hashes,
        "sources": [f"{source} ({licence}): {count}" for (source, licence), count in sources.most_common()],
        **before,
    }
