"""Training pairs: a prompt, and the phrases that somebody put into its negative or behind it."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ...errors import TrainingError
from ...files import hash_file, read_json_lines, whole_file
from ...policy.phrases import append_phrases, phrase_spans
from ...text.df_text import format_prompt, parse_prompt
from ...text.prompt import DFPrompt, Span

NEGATIVE_KEYS = ("negative", "negative_prompt")
MODIFIER_KEYS = ("modifiers",)
_REMEDY = "see `data --help` for the format"


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
    """The error for a file without pairs of a polarity: what its rows have, and what a row must look like."""
    row: Mapping[str, Any] = next((row for _, row in read_json_lines(path, TrainingError, _REMEDY)), {})
    found = f"; its first row has {', '.join(list(row)[:6])}" if row else ""
    answer = '"negative_prompt": "..."' if polarity == "negative" else '"modifiers": ["...", "..."]'
    other = next(
        (side for side in ("negative", "modifiers") if any(row.get(key) is not None for key in _keys(side))), ""
    )
    remedy = f"choose another with --polarity {other}" if other else "make pairs of other data with `data pairs`"
    return TrainingError(
        f'{path} holds no pairs of polarity {polarity}{found}, and a row is {{"prompt": "...", {answer}}}; {remedy}'
    )


def iter_pairs(path: Path, polarity: str) -> Iterator[Pair]:
    """Read JSON Lines, plain or gzipped, a line at a time; TrainingError names file and line.

    Each line is an object with `prompt` and, for negatives, `negative` (DF-Prompt text) or `negative_prompt`; for
    modifiers, `modifiers` (a list, or DF-Prompt text) and, if it differs from the prompt, `subject`. `weight` is how
    much it counts (1 if it is left out). Lines without an answer of this polarity are left out.
    """
    for where, row in read_json_lines(path, TrainingError, _REMEDY):
        pair = _pair(where, row, polarity)
        if pair is not None:
            yield pair


def write_pair(pair: Pair, polarity: str) -> str:
    """A line of JSON that `read_pairs` reads back as it was."""
    key = NEGATIVE_KEYS[0] if polarity == "negative" else MODIFIER_KEYS[0]
    row = {"prompt": pair.prompt, key: format_prompt(append_phrases(DFPrompt(()), pair.spans))}
    return json.dumps(row | ({} if pair.weight == 1.0 else {"weight": pair.weight})) + "\n"


class PairFile:
    """A file of pairs that is being written."""

    def __init__(self, path: Path, polarity: str, file: IO[bytes]) -> None:
        self._path, self._polarity, self._file = path, polarity, file
        self.count = 0

    def add(self, pair: Pair) -> None:
        """Write one line."""
        self._file.write(write_pair(pair, self._polarity).encode("utf-8"))
        self.count += 1

    @property
    def sha256(self) -> str:
        """Hash of the file, once it is closed."""
        return hash_file(self._path)


@contextmanager
def pair_file(path: Path, polarity: str) -> Iterator[PairFile]:
    """JSON Lines, gzipped if the name ends so; the file is there whole or not at all."""
    with ExitStack() as stack:
        file: Any = stack.enter_context(whole_file(path))
        if path.suffix == ".gz":  # no name and no time inside: the same pairs, the same bytes
            file = stack.enter_context(gzip.GzipFile("", "wb", fileobj=file, mtime=0))
        yield PairFile(path, polarity, file)


def save_pairs(path: Path, pairs: Iterable[Pair], polarity: str) -> str:
    """Write all of them; returns the SHA-256 of the file."""
    with pair_file(path, polarity) as file:
        for pair in pairs:
            file.add(pair)
    return file.sha256


def _pair(where: str, row: Mapping[str, Any], polarity: str) -> Pair | None:
    try:
        answer = next((row[key] for key in _keys(polarity) if row.get(key) is not None), None)
        if answer is None:
            return None  # a prompt without an answer is not an example
        prompt = (row.get("subject") if polarity == "modifiers" else None) or row["prompt"]
        if prompt is None:
            raise TypeError("prompt is text, got null")
        return Pair(str(prompt), _spans(answer), _weight(row.get("weight", 1.0)))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise TrainingError(f"{where}: {error!r}; {_REMEDY}") from error


def _weight(value: Any) -> float:
    weight = float(value)
    if not 0.0 <= weight < math.inf:
        raise ValueError(f"a weight is 0 or more, got {value!r}")
    return weight


def _keys(polarity: str) -> tuple[str, ...]:
    return NEGATIVE_KEYS if polarity == "negative" else MODIFIER_KEYS


def _spans(answer: Any) -> tuple[Span, ...]:
    if isinstance(answer, list):
        return tuple(Span(str(item).strip()) for item in answer if str(item).strip())
    if not isinstance(answer, str):
        raise TypeError(f"text or a list of phrases is needed, got {type(answer).__name__}")
    return tuple(phrase_spans(parse_prompt(answer).spans))
