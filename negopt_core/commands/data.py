"""`data pairs`, `data split`, `data filter`: from what people wrote to files that `train sft` reads."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import PromptError, TrainingError
from ..flags import flag, nested, word
from ..lab.data.settings import POLARITIES, POLARITY_HELP, ConfidenceSettings, SourceSettings
from ..paint.choice import MODEL_HELP, WORLD, Choice, OnDevice, Sampled
from ..scorers.table import NAMES, WORLD_JUDGES, Sources, load_named
from . import Command, Result

if TYPE_CHECKING:
    from ..lab.data.pairs import Pair
    from ..paint.diffusers_painter import DiffusersPainter

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


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """What `data pairs` takes."""

    source: Path = word(MISSING, "see below", metavar="SOURCE")
    output: Path = flag(MISSING, "JSON Lines to write", "o", "output", metavar="FILE")
    without: Path | None = flag(None, "leave out these words or phrases, one a line", metavar="FILE")
    taken: SourceSettings = nested(SourceSettings)


@dataclass(frozen=True, kw_only=True)
class Split:
    """What `data split` takes."""

    file: Path = word(MISSING, "pairs as JSON Lines", metavar="FILE")
    output: Path = flag(MISSING, "folder of the parts", "o", "output", metavar="DIR")
    shares: str = flag(SHARES, "parts and their shares of the prompts")
    salt: str = flag("", "another text, another split")
    polarity: str = flag("negative", POLARITY_HELP, choices=POLARITIES)


@dataclass(frozen=True, kw_only=True)
class Filter(Sampled, OnDevice, Sources):
    """What `data filter` takes."""

    file: Path = word(MISSING, "pairs as JSON Lines", metavar="FILE")
    output: Path = flag(MISSING, "JSON Lines to write", "o", "output", metavar="FILE")
    folder: Path = flag(MISSING, "run folder: keeps the scores found", "run", metavar="DIR")
    model: str = flag(WORLD, f"painter: {MODEL_HELP}")
    quality: str | None = flag(
        None, "aes of the paper", metavar="SCORER", shown="aesthetic; world-quality in the demo world"
    )
    alignment: str | None = flag(
        None, "CLIP of the paper", metavar="SCORER", shown="clip; world-alignment in the demo world"
    )
    threads: int | None = flag(None, "CPU threads", shown="torch's own choice")
    confidence: ConfidenceSettings = nested(ConfidenceSettings)


def run_pairs(settings: Pairs) -> Result:
    """Gather, clean, write, one pair at a time."""
    from ..lab.data.pairs import pair_file
    from ..lab.data.sources import Gathering

    polarity, rules = settings.taken.polarity, settings.taken.rules
    rules = replace(rules, without=_lines_of(settings.without) if settings.without else ())
    found = Gathering(settings.source, replace(settings.taken, rules=rules))
    with pair_file(settings.output, polarity) as file:
        for pair in found:
            file.add(pair)
        told = ", ".join(f"{name} {count}" for name, count in found.counts.items())
        if not file.count:
            raise TrainingError(f"{settings.source} holds no pairs of polarity {polarity} ({told}); see `data --help`")
    values = {"file": str(settings.output), "pairs": file.count, "sha256": file.sha256, "counts": dict(found.counts)}
    return Result(values, f"wrote {settings.output}: {file.count} pairs ({told})")


def run_split(settings: Split) -> Result:
    """Split, write the parts and the manifest, one pair at a time."""
    import json
    from contextlib import ExitStack

    from ..files import check_folder, hash_file, write_text
    from ..lab.data.pairs import iter_pairs, pair_file
    from ..lab.data.split import Splitting

    shares = _shares(settings.shares)
    check_folder(settings.output)
    splitting = Splitting(lambda: iter_pairs(settings.file, settings.polarity), shares, settings.salt)
    if not splitting.read_count:
        raise _no_pairs(settings.file, settings.polarity)
    source = {"file": settings.file.name, "sha256": hash_file(settings.file)}  # before a part may take its place
    with ExitStack() as stack:
        files = {
            name: stack.enter_context(pair_file(settings.output / f"{name}.jsonl", settings.polarity))
            for name in shares
        }
        made = splitting.place(lambda name, pair: files[name].add(pair))
    parts = {name: {"file": f"{name}.jsonl", "pairs": f.count, "sha256": f.sha256} for name, f in files.items()}
    manifest: dict[str, Any] = {"source": source, "polarity": settings.polarity, **made, "parts": parts}
    write_text(settings.output / MANIFEST, json.dumps(manifest, indent=2) + "\n")
    told = ", ".join(f"{name} {file.count}" for name, file in files.items())
    return Result({"folder": str(settings.output), **manifest}, f"wrote {settings.output}: {told}, {MANIFEST}")


def run_filter(settings: Filter) -> Result:
    """Paint, score, keep. Scores that were found before are not found again."""
    from ..files import check_folder
    from ..lab.data.confidence import keep_confident, score_pairs
    from ..lab.data.pairs import save_pairs

    logging.getLogger("negopt").setLevel(logging.INFO)
    confidence = settings.confidence
    check_folder(settings.output.parent)
    pairs = _read(settings.file, confidence.polarity)
    painter, quality, alignment, cache = _prepare(settings)
    scores = score_pairs(pairs, painter, quality, alignment, confidence, cache)
    kept = keep_confident(pairs, scores, confidence.sigma)
    digest = save_pairs(settings.output, kept, confidence.polarity)
    values = {
        "file": str(settings.output),
        "read": len(pairs),
        "kept": len(kept),
        "sha256": digest,
        "run": str(settings.folder),
    }
    mean = sum(scores) / len(scores)
    told = (
        f"wrote {settings.output}: {len(kept)} of {len(pairs)} pairs reach {confidence.sigma:g} (mean score {mean:.3f})"
    )
    return Result({**values, "mean_score": mean}, told)


def _prepare(settings: Filter) -> tuple[DiffusersPainter, Any, Any, Path]:
    """Painter, the two scorers, and the file of scores; a folder whose scores come from elsewhere is refused."""
    import torch

    from ..lab.jobs.run import Run
    from ..paint.base import PaintSettings
    from ..paint.diffusers_painter import load_painter

    if settings.threads:
        torch.set_num_threads(settings.threads)
    choice = settings.choice(settings.model)
    names = _scorer_names(settings, choice)
    quality, alignment = (load_named(name, settings.places, role="reward") for name in names)
    batch = min(32, settings.confidence.batch * settings.confidence.pictures)
    paint = PaintSettings(choice.steps, choice.cfg, batch_size=batch)
    painter = load_painter(choice.path, paint, device=settings.device)
    decides = {
        "model": settings.model,
        "weights": painter.model_hash(),
        "steps": choice.steps,
        "cfg": choice.cfg,
        "scorers": names,
        "sources": sorted(settings.source),
    }
    run = Run.open(settings.folder, decides)
    return painter, quality, alignment, run.folder / "scores.jsonl"


def _scorer_names(settings: Filter, choice: Choice) -> list[str]:
    usual = WORLD_JUDGES if choice.model == WORLD else ("aesthetic", "clip")
    names = [settings.quality or usual[0], settings.alignment or usual[1]]
    for name in names:
        if name not in NAMES:
            raise PromptError(f"no scorer is called {name!r}; there are {', '.join(NAMES)}")
    return names


def _read(file: Path, polarity: str) -> list[Pair]:
    from ..lab.data.pairs import read_pairs

    pairs = read_pairs(file, polarity)
    if not pairs:
        raise _no_pairs(file, polarity)
    return pairs


def _no_pairs(file: Path, polarity: str) -> TrainingError:
    return TrainingError(f"{file} holds no pairs of polarity {polarity}; choose another with --polarity")


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
    try:
        return tuple(line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"cannot read {path}: {error}") from error


EPILOG = _FORMAT
COMMANDS = (
    Command("pairs", "read, clean and deduplicate pairs", Pairs, run_pairs, epilog=_SOURCES),
    Command("split", "parts that share no prompt, with a manifest", Split, run_split),
    Command("filter", "keep the pairs whose answer helps (PAE, equation 1); run again to resume", Filter, run_filter),
)
