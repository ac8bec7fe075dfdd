"""`data pairs`, `data split`, `data filter`: from what people wrote to files that `train sft` reads."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import PromptError, TrainingError
from ..files import read_lines
from .models import WORLD, Choice, choose
from .output import add_json, emit
from .scorers import NAMES, add_sources, load_named

if TYPE_CHECKING:
    from ..lab.data.confidence import ConfidenceSettings
    from ..lab.data.pairs import Pair
    from ..paint.diffusers_painter import DiffusersPainter

POLARITIES = ("negative", "modifiers")
SHARES = "train=0.8,val=0.1,test=0.1"
MANIFEST = "manifest.json"
_FORMAT = """\
JSON Lines, the format of every command that reads or writes pairs: one object a line, gzipped if the name ends in .gz.

  {"prompt": "a cat on a sofa", "negative": "blurry, [watermark:0-0.6:1]"}
  {"prompt": "a castle, oil painting", "subject": "a castle", "modifiers": ["oil painting", "misty"], "weight": 2}

  prompt           what the picture shows
  negative         DF-Prompt text: phrases separated by commas, [words:low-high:weight] where a phrase has a window
  negative_prompt  the same, under the name that data sets use
  modifiers        DF-Prompt text or a list of phrases
  subject          the prompt without its modifiers, where `prompt` has them
  weight           how much the example counts, 0 or more (default 1)

Other keys are ignored. A line without an answer of the wanted polarity is left out.
"""
_SOURCES = """\
SOURCE is one of
  FILE.jsonl, FILE.jsonl.gz   the format that `data --help` shows
  FILE.parquet                the Negative Prompts DB of NegOpt's authors (13 columns); needs pyarrow
  a folder                    your own pictures (PNG, JPEG, WebP) made with A1111, Forge, ComfyUI or negopt

In a folder, likes.jsonl may say what you like, {"picture": "00001.png", "like": 1} or -1, one a line: liked pictures
count more, disliked ones are left out.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare every kind of work on data."""
    plain = argparse.RawDescriptionHelpFormatter
    data = commands.add_parser("data", help="pairs to train on", epilog=_FORMAT, formatter_class=plain)
    kinds = data.add_subparsers(dest="what", required=True)
    pairs = kinds.add_parser("pairs", help="read, clean and deduplicate pairs", epilog=_SOURCES, formatter_class=plain)
    _add_pairs(pairs)
    split = kinds.add_parser("split", help="parts that share no prompt, with a manifest")
    split.add_argument("file", type=Path, metavar="FILE", help="pairs as JSON Lines")
    split.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of the parts")
    split.add_argument("--shares", default=SHARES, help=f"parts and their shares of the prompts (default {SHARES})")
    split.add_argument("--salt", default="", help="another text, another split")
    split.set_defaults(run=run_split)
    keep = kinds.add_parser("filter", help="keep the pairs whose answer helps (PAE, equation 1); run again to resume")
    _add_filter(keep)
    for parser in (pairs, split, keep):
        parser.add_argument("--polarity", choices=POLARITIES, default="negative", help="which side the answers are for")
        add_json(parser)


def _add_pairs(pairs: argparse.ArgumentParser) -> None:
    pairs.add_argument("source", type=Path, metavar="SOURCE", help="see below")
    pairs.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="JSON Lines to write")
    pairs.add_argument("--min-likes", type=int, default=1, help="likes a post of the DB needs (default 1, the paper's)")
    pairs.add_argument("--liked-weight", type=float, default=2.0, help="how much a liked picture counts (default 2)")
    pairs.add_argument("--safe", action="store_true", help="leave out sexual prompts (a short list of English words)")
    pairs.add_argument("--no-artists", action="store_true", help="leave out modifiers such as `by ...`, `style of ...`")
    pairs.add_argument("--without", type=Path, metavar="FILE", help="leave out these words or phrases, one a line")
    pairs.set_defaults(run=run_pairs)


def _add_filter(keep: argparse.ArgumentParser) -> None:
    keep.add_argument("file", type=Path, metavar="FILE", help="pairs as JSON Lines")
    keep.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="JSON Lines to write")
    keep.add_argument("--run", dest="folder", type=Path, required=True, metavar="DIR", help="keeps the scores found")
    keep.add_argument("--model", default=WORLD, help="painter: world, a diffusers folder, a .safetensors file")
    keep.add_argument("--steps", type=int, help="sampler steps (default: the model's usual)")
    keep.add_argument("--cfg", type=float, help="guidance scale (default: the model's usual)")
    keep.add_argument("--quality", metavar="SCORER", help="aes of the paper (default aesthetic; world-quality there)")
    keep.add_argument("--alignment", metavar="SCORER", help="CLIP of the paper (default clip; world-alignment there)")
    keep.add_argument("--sigma", type=float, default=0.5, help="score a pair needs, 0 to 1 (default 0.5, the paper's)")
    keep.add_argument("--gamma", type=float, default=0.01, help="alignment that may be lost (default 0.01)")
    keep.add_argument("--pictures", type=int, default=2, help="pictures of each side of a pair (default 2)")
    keep.add_argument("--batch", type=int, default=16, help="pairs painted between two savings (default 16)")
    keep.add_argument("--seed", type=int, default=0)
    keep.add_argument("--device", help="cpu, cuda, mps (default: the GPU if there is one)")
    keep.add_argument("--threads", type=int, help="CPU threads")
    add_sources(keep)
    keep.set_defaults(run=run_filter)


def run_pairs(args: argparse.Namespace) -> int:
    """Gather, clean, write, one pair at a time."""
    from ..lab.data.pairs import pair_file
    from ..lab.data.rules import Rules
    from ..lab.data.sources import Gathering, SourceSettings

    rules = Rules(args.safe, not args.no_artists, _lines_of(args.without) if args.without else ())
    found = Gathering(args.source, SourceSettings(args.polarity, args.min_likes, args.liked_weight, rules))
    with pair_file(args.output, args.polarity) as file:
        for pair in found:
            file.add(pair)
        told = ", ".join(f"{name} {count}" for name, count in found.counts.items())
        if not file.count:
            raise TrainingError(f"{args.source} holds no pairs of polarity {args.polarity} ({told}); see `data --help`")
    values = {"file": str(args.output), "pairs": file.count, "sha256": file.sha256, "counts": dict(found.counts)}
    emit(args, values, f"wrote {args.output}: {file.count} pairs ({told})")
    return 0


def run_split(args: argparse.Namespace) -> int:
    """Split, write the parts and the manifest, one pair at a time."""
    import json
    from contextlib import ExitStack

    from ..files import check_folder, hash_file, write_text
    from ..lab.data.pairs import iter_pairs, pair_file
    from ..lab.data.split import Splitting

    shares = _shares(args.shares)
    check_folder(args.output)
    splitting = Splitting(lambda: iter_pairs(args.file, args.polarity), shares, args.salt)
    if not splitting.read_count:
        raise _no_pairs(args)
    source = {"file": args.file.name, "sha256": hash_file(args.file)}  # before a part may take its place
    with ExitStack() as stack:
        files = {name: stack.enter_context(pair_file(args.output / f"{name}.jsonl", args.polarity)) for name in shares}
        made = splitting.place(lambda name, pair: files[name].add(pair))
    parts = {name: {"file": f"{name}.jsonl", "pairs": f.count, "sha256": f.sha256} for name, f in files.items()}
    manifest: dict[str, Any] = {"source": source, "polarity": args.polarity, **made, "parts": parts}
    write_text(args.output / MANIFEST, json.dumps(manifest, indent=2) + "\n")
    told = ", ".join(f"{name} {file.count}" for name, file in files.items())
    emit(args, {"folder": str(args.output), **manifest}, f"wrote {args.output}: {told}, {MANIFEST}")
    return 0


def run_filter(args: argparse.Namespace) -> int:
    """Paint, score, keep. Scores that were found before are not found again."""
    from ..files import check_folder
    from ..lab.data.confidence import ConfidenceSettings, keep_confident, score_pairs
    from ..lab.data.pairs import save_pairs

    logging.getLogger("negopt").setLevel(logging.INFO)
    settings = ConfidenceSettings(args.sigma, args.gamma, args.pictures, args.batch, args.seed, args.polarity)
    check_folder(args.output.parent)
    pairs = _read(args)
    painter, quality, alignment, cache = _prepare(args, settings)
    scores = score_pairs(pairs, painter, quality, alignment, settings, cache)
    kept = keep_confident(pairs, scores, args.sigma)
    digest = save_pairs(args.output, kept, args.polarity)
    values = {
        "file": str(args.output),
        "read": len(pairs),
        "kept": len(kept),
        "sha256": digest,
        "run": str(args.folder),
    }
    mean = sum(scores) / len(scores)
    told = f"wrote {args.output}: {len(kept)} of {len(pairs)} pairs reach {args.sigma:g} (mean score {mean:.3f})"
    emit(args, {**values, "mean_score": mean}, told)
    return 0


def _prepare(args: argparse.Namespace, settings: ConfidenceSettings) -> tuple[DiffusersPainter, Any, Any, Path]:
    """Painter, the two scorers, and the file of scores; a folder whose scores come from elsewhere is refused."""
    import torch

    from ..lab.jobs.run import RunFolder
    from ..paint.base import PaintSettings
    from ..paint.diffusers_painter import load_painter

    if args.threads:
        torch.set_num_threads(args.threads)
    choice = choose(args.model, args.steps, args.cfg)
    names = _scorer_names(args, choice)
    quality, alignment = (load_named(name, args.source, role="reward") for name in names)
    batch = min(32, settings.batch * settings.pictures)
    painter = load_painter(choice.path, PaintSettings(choice.steps, choice.cfg, batch_size=batch), device=args.device)
    decides = {
        "model": args.model,
        "weights": painter.model_hash(),
        "steps": choice.steps,
        "cfg": choice.cfg,
        "scorers": names,
        "sources": sorted(args.source),
    }
    run = RunFolder.open(args.folder, decides)
    return painter, quality, alignment, run.folder / "scores.jsonl"


def _scorer_names(args: argparse.Namespace, choice: Choice) -> list[str]:
    usual = ("world-quality", "world-alignment") if choice.model == WORLD else ("aesthetic", "clip")
    names = [args.quality or usual[0], args.alignment or usual[1]]
    for name in names:
        if name not in NAMES:
            raise PromptError(f"no scorer is called {name!r}; there are {', '.join(NAMES)}")
    return names


def _read(args: argparse.Namespace) -> list[Pair]:
    from ..lab.data.pairs import read_pairs

    pairs = read_pairs(args.file, args.polarity)
    if not pairs:
        raise _no_pairs(args)
    return pairs


def _no_pairs(args: argparse.Namespace) -> TrainingError:
    return TrainingError(f"{args.file} holds no pairs of polarity {args.polarity}; choose another with --polarity")


def _shares(text: str) -> Mapping[str, float]:
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = (field.strip() for field in part.partition("="))
        try:
            number = float(share)
        except ValueError:
            number = -1.0
        if not name.isidentifier() or name in shares or not 0.0 <= number <= 1.0:
            raise PromptError(f"--shares is written {SHARES}, got {part.strip()!r}")
        shares[name] = number
    return shares


def _lines_of(path: Path) -> tuple[str, ...]:
    return tuple(line.strip() for _, line in read_lines(path, PromptError))
