"""`train retrieval`: a policy that lets the nearest examples vote, from a file of prompts and negatives."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import hash_file, write_bytes
from .output import add_json, emit

if TYPE_CHECKING:
    from ..lab.data.corpus import Row


def add_training(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare `train retrieval`."""
    parser = kinds.add_parser("retrieval", help="index what people wrote; the nearest examples vote")
    parser.add_argument("--pairs", type=Path, required=True, metavar="FILE", help="prompts with people's negatives")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="policy folder")
    parser.add_argument("--notice", type=Path, metavar="FILE", help="notices of the data's sources, kept in the folder")
    parser.add_argument("--name", help="name of the policy (default: the output folder's)")
    parser.add_argument("--least-examples", type=int, default=3, help="leave out terms in fewer prompts (default 3)")
    parser.add_argument("--least-phrases", type=int, default=1, help="leave out phrases in fewer negatives (default 1)")
    parser.add_argument("--scheduled", action="store_true", help="phrases act when their kind usually does (a prior)")
    parser.add_argument("--threshold", type=float, default=0.15, help="share of the vote a phrase needs (default 0.15)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, index, write."""
    from ..lab.data.corpus import pairs_of, read_rows
    from ..lab.train.index import common_phrases, fit_index, save_retrieval

    rows = read_rows(args.pairs)
    pairs = common_phrases(pairs_of(rows), args.least_phrases)
    habit = [pair for pair, row in zip(pairs, rows, strict=True) if row.family == "user"] or pairs
    index, terms, stock = fit_index([pair for pair in pairs if pair.spans], habit, args.least_examples)
    notice = args.notice.read_bytes() if args.notice else b""
    save_retrieval(args.output, _card(args, rows), index, terms, stock)
    if notice:
        write_bytes(args.output / "NOTICE.md", notice)
    values = {"folder": str(args.output), "examples": len(index.weights), "terms": len(terms), "phrases": len(stock)}
    emit(args, values, f"exported {args.output}: {len(index.weights)} examples, {len(stock)} phrases")
    return 0


def _card(args: argparse.Namespace, rows: list[Row]) -> Any:
    from .. import __version__
    from ..policy.card import PolicyCard
    from ..policy.phrase_kinds import NEGATIVE_TIMES, PRIOR_CAVEAT
    from ..text.prompt import FULL

    sources = Counter((row.source, row.licence) for row in rows)
    return PolicyCard(
        kind="retrieval",
        name=args.name or args.output.name,
        polarity="negative",
        windows=tuple(dict.fromkeys(window for window, _ in NEGATIVE_TIMES.values())) if args.scheduled else (FULL,),
        settings={"threshold": args.threshold} | ({"scheduled": True} if args.scheduled else {}),
        caveats=(PRIOR_CAVEAT,) if args.scheduled else (),
        provenance={
            "made_by": f"negopt {__version__}",
            "data": args.pairs.name,
            "data_sha256": hash_file(args.pairs),
            "least_examples": args.least_examples,
            "least_phrases": args.least_phrases,
            "sources": [f"{source} ({licence}): {count}" for (source, licence), count in sources.most_common()],
        },
        licence="Apache-2.0",
    )
