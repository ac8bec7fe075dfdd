"""Training pairs: a prompt, and the phrases that somebody put into its negative or behind it."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ...errors import TrainingError
from ...files import open_text, whole_file
from ...json_text import read_json
from ...policy.phrases import append_phrases, phrase_spans
from ...text.df_text import format_prompt, parse_prompt
from ...text.prompt import DFPrompt, Span

NEGATIVE_KEYS = ("negative", "negative_prompt")
MODIFIER_KEYS = ("modifiers",)


@dataclass(frozen=True, slots=True)
class Pair:
    """One example. `prompt` is plain text; the spans carry weights and windows where the source had them."""

    prompt: str
    spans: tuple[Span, ...]
    weight: float = 1.0
    """How much the example counts in the loss."""


@dataclass(frozen=True, slots=True)
class Found:
    """The pairs of a source, and how many examples were left after each filter, in order."""

    pairs: tuple[Pair, ...]
    counts: Mapping[str, int]


def read_pairs(path: Path, polarity: str) -> list[Pair]:
    """Every pair that `iter_pairs` finds."""
    return list(iter_pairs(path, polarity))


def no_pairs(path: Path, polarity: str) -> TrainingError:
    """The error for a file without pairs of a polarity."""
    return TrainingError(f"{path} holds no pairs of polarity {polarity}; choose another with --polarity")


def iter_pairs(path: Path, polarity: str) -> Iterator[Pair]:
    """Read JSON Lines, plain or gzipped, a line at a time; TrainingError names file and line.

    Each line is an object with `prompt` and, for negatives, `negative` (DF-Prompt text) or `negative_prompt`; for
    modifiers, `modifiers` (a list, or DF-Prompt text) and, if it differs from the prompt, `subject`. `weight` is how
    much it counts (1 if it is left out). Lines without an answer of this polarity are left out.
    """
    lines = _lines(path)
    while True:
        try:
            number, line = next(lines)
        except StopIteration:
            return
        except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
            raise TrainingError(f"cannot read {path}: {error}") from error
        pair = _pair(path, number, line, polarity)
        if pair is not None:
            yield pair


def write_pair(pair: Pair, polarity: str) -> str:
    """A line of JSON that `read_pairs` reads back as it was."""
    key = NEGATIVE_KEYS[0] if polarity == "negative" else MODIFIER_KEYS[0]
    row = {"prompt": pair.prompt, key: format_prompt(append_phrases(DFPrompt(()), pair.spans))}
    return json.dumps(row | ({} if pair.weight == 1.0 else {"weight": pair.weight})) + "\n"


def write_pairs(pairs: Iterable[Pair], polarity: str) -> str:
    """JSON Lines that `read_pairs` reads back as they were."""
    return "".join(write_pair(pair, polarity) for pair in pairs)


class PairFile:
    """A file of pairs that is being written."""

    def __init__(self, polarity: str, file: Any, disk: _HashedFile) -> None:
        self._polarity, self._file, self._disk = polarity, file, disk
        self.count = 0

    def add(self, pair: Pair) -> None:
        """Write one line."""
        self._file.write(write_pair(pair, self._polarity).encode("utf-8"))
        self.count += 1

    @property
    def sha256(self) -> str:
        """Hash of the file; of all of it once it is closed."""
        return self._disk.digest.hexdigest()


class _HashedFile:
    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def write(self, content: bytes) -> int:
        self.digest.update(content)
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()


@contextmanager
def pair_file(path: Path, polarity: str) -> Iterator[PairFile]:
    """JSON Lines, gzipped if the name ends so; the file is there whole or not at all."""
    with ExitStack() as stack:
        disk = _HashedFile(stack.enter_context(whole_file(path)))
        file: Any = disk
        if path.suffix == ".gz":  # no name and no time inside: the same pairs, the same bytes
            file = stack.enter_context(gzip.GzipFile("", "wb", fileobj=disk, mtime=0))
        yield PairFile(polarity, file, disk)


def save_pairs(path: Path, pairs: Iterable[Pair], polarity: str) -> str:
    """Write all of them; returns the SHA-256 of the file."""
    with pair_file(path, polarity) as file:
        for pair in pairs:
            file.add(pair)
    return file.sha256


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with open_text(path) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line


def _pair(path: Path, number: int, line: str, polarity: str) -> Pair | None:
    try:
        row = read_json(line)
        if not isinstance(row, dict):
            raise TypeError(f"an object is needed, got {type(row).__name__}")
        found = next((row[key] for key in _keys(polarity) if row.get(key) is not None), None)
        if found is None:
            return None  # a prompt without an answer is not an example
        prompt = (row.get("subject") if polarity == "modifiers" else None) or row["prompt"]
        if prompt is None:
            raise TypeError("prompt is text, got null")
        return Pair(str(prompt), _spans(found), _weight(row.get("weight", 1.0)))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise TrainingError(f"{path}, line {number}: {error!r}; see `data --help` for the format") from error


def _weight(value: Any) -> float:
    weight = float(value)
    if not 0.0 <= weight < math.inf:
        raise ValueError(f"a weight is 0 or more, got {value!r}")
    return weight


def _keys(polarity: str) -> tuple[str, ...]:
    return NEGATIVE_KEYS if polarity == "negative" else MODIFIER_KEYS


def _spans(found: Any) -> tuple[Span, ...]:
    if isinstance(found, list):
        return tuple(Span(str(item).strip()) for item in found if str(item).strip())
    if not isinstance(found, str):
        raise TypeError(f"text or a list of phrases is needed, got {type(found).__name__}")
    return tuple(phrase_spans(parse_prompt(found).spans))
