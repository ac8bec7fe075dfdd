"""`data pairs`, `data split`, `data filter`: from what people wrote to files that `train sft` reads."""

from __future__ import annotations

import logging
from dataclasses import MISSING, dataclass, replace
from pathlib import Path

from ..errors import PromptError, TrainingError
from ..files import read_lines
from ..flags import flag, nested, word
from ..lab.data.settings import POLARITIES, POLARITY_HELP, SHARES, FilterRun, SourceSettings
from . import Command, Result

EPILOG = """\
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


def run_pairs(settings: Pairs) -> Result:
    """Gather, clean, write, one pair at a time."""
    from ..lab.data.pairs import pair_file
    from ..lab.data.sources import Gathering

    polarity, rules = settings.taken.polarity, settings.taken.rules
    without = read_lines(settings.without, PromptError) if settings.without else ()
    rules = replace(rules, without=tuple(line.strip() for _, line in without))
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
    """Split, write the parts and the manifest."""
    from ..lab.data.split import MANIFEST, read_shares, write_split

    shares = read_shares(settings.shares)
    manifest = write_split(settings.file, settings.output, shares, settings.salt, settings.polarity)
    counts = ", ".join(f"{name} {part['pairs']}" for name, part in manifest["parts"].items())
    return Result({"folder": str(settings.output), **manifest}, f"wrote {settings.output}: {counts}, {MANIFEST}")


def run_filter(settings: FilterRun) -> Result:
    """Paint, score, keep."""
    import torch

    from ..lab.data.filtering import filter_pairs

    logging.getLogger("negopt").setLevel(logging.INFO)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    values = filter_pairs(settings)
    told = "{kept} of {read} pairs reach {sigma:g} (mean score {mean_score:.3f})".format(
        sigma=settings.confidence.sigma, **values
    )
    return Result(values, f"wrote {settings.output}: {told}")


COMMANDS = (
    Command("pairs", "read, clean and deduplicate pairs", Pairs, run_pairs, epilog=_SOURCES),
    Command("split", "parts that share no prompt, with a manifest", Split, run_split),
    Command(
        "filter", "keep the pairs whose answer helps (PAE, equation 1); run again to resume", FilterRun, run_filter
    ),
)
