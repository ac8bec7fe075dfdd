"""Cleaning and leak-free splits: what is said of the test part must not have been seen in training."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import TrainingError
from .pairs import Pair

_SPACE = re.compile(r"[\s,.;:!?]+")


@dataclass(frozen=True, slots=True)
class Split:
    """Disjoint parts by name, and how they came about."""

    parts: Mapping[str, tuple[Pair, ...]]
    manifest: Mapping[str, object] = field(default_factory=dict)
    """Counts at each filter, and for each part its size and a hash of what is in it."""


def normalise(prompt: str) -> str:
    """What two prompts have in common when they are the same prompt: case, spaces and punctuation do not count."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", prompt).casefold()).strip()


def clean_pairs(pairs: Sequence[Pair]) -> tuple[list[Pair], dict[str, int]]:
    """Without pairs that lack prompt or answer, and without repetitions; and the count after each filter.

    A pair repeats another if prompt and phrases are the same but for case, spaces and punctuation. Of two, the one
    that counts more is kept, at the place of the first.
    """
    counts = {"read": len(pairs)}
    kept = [pair for pair in pairs if normalise(pair.prompt)]
    counts["with a prompt"] = len(kept)
    kept = [pair for pair in kept if pair.spans]
    counts["with an answer"] = len(kept)
    best: dict[object, Pair] = {}
    for pair in kept:
        key = (normalise(pair.prompt), *((normalise(span.text), span.weight, span.window) for span in pair.spans))
        if key not in best or pair.weight > best[key].weight:
            best[key] = pair
    counts["distinct"] = len(best)
    return list(best.values()), counts


def split_pairs(pairs: Sequence[Pair], shares: Mapping[str, float], salt: str = "") -> Split:
    """Parts by a hash of the normalised prompt: all pairs of one prompt land in one part, on every machine, and a
    pair added later moves no other. `shares` add up to 1; each part gets about its share of the prompts.
    """
    if not shares or min(shares.values()) < 0 or abs(sum(shares.values()) - 1) > 1e-9:
        raise TrainingError(f"shares are 0 or more and add up to 1, got {dict(shares)}")
    kept, counts = clean_pairs(pairs)
    parts: dict[str, list[Pair]] = {name: [] for name in shares}
    for pair in kept:
        parts[_part_of(pair.prompt, shares, salt)].append(pair)
    manifest: dict[str, object] = {"counts": counts, "shares": dict(shares), "salt": salt}
    manifest["parts"] = {name: {"pairs": len(part), "sha256": _hash(part)} for name, part in parts.items()}
    return Split({name: tuple(part) for name, part in parts.items()}, manifest)


def _part_of(prompt: str, shares: Mapping[str, float], salt: str) -> str:
    digest = hashlib.sha256(f"{salt}\0{normalise(prompt)}".encode("utf-8", "surrogatepass")).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    for name, share in shares.items():
        place -= share
        if place < 0:
            return name
    return list(shares)[-1]


def _hash(pairs: Sequence[Pair]) -> str:
    digest = hashlib.sha256()
    for pair in pairs:
        digest.update(repr(pair).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
