"""Cleaning and leak-free splits: what is said of the test part must not have been seen in training."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ...errors import PromptError, TrainingError
from ...files import check_folder, hash_file, write_text
from .pairs import Pair, iter_pairs, no_pairs, pair_file
from .settings import SHARES

MANIFEST = "manifest.json"
_SPACE = re.compile(r"[\s,.;:!?]+")


def normalise(prompt: str) -> str:
    """What two prompts have in common when they are the same prompt: case, spaces and punctuation do not count."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", prompt).casefold()).strip()


class Repeats:
    """Which pairs of a stream are kept: those with prompt and answer, each once. It is read twice, never held.

    A pair repeats another if prompt and phrases are the same but for case, spaces and punctuation. Of two, the one
    that counts more is kept, at the place of the first.
    """

    def __init__(self, pairs: Iterable[Pair]) -> None:
        """The first reading."""
        self.counts = {"read": 0, "with a prompt": 0, "with an answer": 0, "distinct": 0}
        self._weights: dict[bytes, float] = {}
        self._heavier: dict[bytes, Pair] = {}
        for pair in pairs:
            prompt = normalise(pair.prompt)
            self.counts["read"] += 1
            self.counts["with a prompt"] += bool(prompt)
            if not prompt or not pair.spans:
                continue
            self.counts["with an answer"] += 1
            key = _key(prompt, pair)
            if key in self._weights and pair.weight > self._weights[key]:
                self._heavier[key] = pair
            self._weights[key] = max(pair.weight, self._weights.get(key, 0.0))
        self.counts["distinct"] = len(self._weights)

    def distinct(self, pairs: Iterable[Pair]) -> Iterator[Pair]:
        """The second reading, of the same stream: the pairs that are kept. It can be done once."""
        for pair in pairs:
            key = _key(normalise(pair.prompt), pair)
            if self._weights.pop(key, None) is not None:
                yield self._heavier.pop(key, pair)


def _key(prompt: str, pair: Pair) -> bytes:
    said = [prompt, *((normalise(span.text), span.weight, span.window) for span in pair.spans)]
    return hashlib.blake2b(repr(said).encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Splitting:
    """Parts by a hash of the normalised prompt: all pairs of one prompt land in one part, on every machine, and a
    pair added later moves no other. `shares` add up to 1; each part gets about its share of the prompts.
    """

    def __init__(self, read: Callable[[], Iterable[Pair]], shares: Mapping[str, float], salt: str = "") -> None:
        """`read` opens the pairs anew: they are read twice, now and by `place`, and never held."""
        if not shares or min(shares.values()) < 0 or abs(sum(shares.values()) - 1) > 1e-9:
            raise TrainingError(f"shares are 0 or more and add up to 1, got {dict(shares)}")
        self._read, self._shares, self._salt = read, shares, salt
        self._repeats = Repeats(read())

    @property
    def read_count(self) -> int:
        """How many pairs there were, before any was left out."""
        return self._repeats.counts["read"]

    def place(self, put: Callable[[str, Pair], object]) -> dict[str, object]:
        """`put` each distinct pair into a part; returns counts at each filter, and size and hash of each part."""
        sizes, digests = dict.fromkeys(self._shares, 0), {name: hashlib.sha256() for name in self._shares}
        for pair in self._repeats.distinct(self._read()):
            name = _part_of(pair.prompt, self._shares, self._salt)
            put(name, pair)
            sizes[name] += 1
            digests[name].update(repr(pair).encode("utf-8", "surrogatepass"))
        parts = {name: {"pairs": sizes[name], "sha256": digests[name].hexdigest()} for name in self._shares}
        return {"counts": self._repeats.counts, "shares": dict(self._shares), "salt": self._salt, "parts": parts}


def _part_of(prompt: str, shares: Mapping[str, float], salt: str) -> str:
    digest = hashlib.sha256(f"{salt}\0{normalise(prompt)}".encode("utf-8", "surrogatepass")).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    for name, share in shares.items():
        place -= share
        if place < 0:
            return name
    return list(shares)[-1]


def read_shares(text: str) -> dict[str, float]:
    """`NAME=SHARE,...` as shares by name; PromptError for anything else."""
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


def write_split(file: Path, output: Path, shares: Mapping[str, float], salt: str, polarity: str) -> dict[str, Any]:
    """Write the parts of a file of pairs and a manifest, one pair at a time; returns the manifest.

    Raises TrainingError for a file without pairs of the polarity.
    """
    check_folder(output)
    splitting = Splitting(lambda: iter_pairs(file, polarity), shares, salt)
    if not splitting.read_count:
        raise no_pairs(file, polarity)
    source = {"file": file.name, "sha256": hash_file(file)}  # before a part may take its place
    with ExitStack() as stack:
        files = {name: stack.enter_context(pair_file(output / f"{name}.jsonl", polarity)) for name in shares}
        made = splitting.place(lambda name, pair: files[name].add(pair))
    parts = {name: {"file": f"{name}.jsonl", "pairs": f.count, "sha256": f.sha256} for name, f in files.items()}
    manifest: dict[str, Any] = {"source": source, "polarity": polarity, **made, "parts": parts}
    write_text(output / MANIFEST, json.dumps(manifest, indent=2) + "\n")
    return manifest
