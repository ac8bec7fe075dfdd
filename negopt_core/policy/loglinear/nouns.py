"""A tree of nouns from WordNet, so that a word that no table has is known by what it is a kind of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .tables import REMEDY, WORDS, TablesError, read_lines


@dataclass(frozen=True, slots=True)
class Nouns:
    """`parents[n]` is the meaning above meaning n, or -1; `places` says which meaning a word has most often."""

    parents: tuple[int, ...]
    places: Mapping[str, int]

    @classmethod
    def read(cls, path: Path = WORDS / "nouns.txt") -> Nouns:
        """Read the tree; PolicyError names the line that is damaged."""
        parents: list[int] = []
        places: dict[str, int] = {}
        for number, line in read_lines(path):
            above, sign, lemmas = line.partition("|")
            if not sign or (above and not (above.isdecimal() and int(above) < len(parents))):
                raise TablesError(f"{path.name}, line {number}: {line[:40]!r} is under no earlier line; {REMEDY}")
            if lemmas:
                places.update(dict.fromkeys(lemmas.replace("_", " ").split(","), len(parents)))
            parents.append(int(above) if above else -1)
        return cls(tuple(parents), places)

    def climb(self, word: str) -> Iterator[int]:
        """The word's meaning and those above it; nothing for a word that is not there."""
        place = self.places.get(word, -1)
        while place >= 0:
            yield place
            place = self.parents[place]
