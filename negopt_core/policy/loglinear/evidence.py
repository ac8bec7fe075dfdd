"""Effects learned on top of the tables: from what people wrote, and from pictures and thumbs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...json_text import read_json
from .knowledge import Side
from .tables import VERSION, WORDS, TablesError

PEOPLE = WORDS / "people.json"
EVERY = "*"
"""In place of a concept: whatever the prompt is about."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What evidence adds to the effect of a phrase under a concept."""

    mean: float
    sd: float
    count: int
    """Examples behind it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A small table over the shipped one: side -> concept -> phrase -> what was learned."""

    source: str
    """"people" or "pictures"; what `why` says."""
    effects: Mapping[Side, Mapping[str, Mapping[str, Learned]]]

    @classmethod
    def read(cls, path: Path) -> Evidence:
        """Read a table; PolicyError names the file and what is wrong in it."""
        try:
            values = read_json(path.read_bytes(), is_finite=True)
            if values["version"] != VERSION:
                raise TablesError(
                    f"{path} is of version {values['version']!r}, and {VERSION} is read here; update negopt"
                )
            effects: dict[Side, dict[str, dict[str, Learned]]] = {
                side: {
                    concept: {
                        phrase: Learned(float(mean), float(sd), int(count))
                        for phrase, (mean, sd, count) in phrases.items()
                    }
                    for concept, phrases in values[side].items()
                }
                for side in ("negative", "modifiers")
            }
            return cls(str(values["source"]), effects)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise TablesError(f"{path} is no table of effects ({error}); make it again, or delete it") from error

    def to_json(self) -> dict[str, object]:
        """Plain JSON values that `read` understands."""
        return {"version": VERSION, "source": self.source} | {
            side: {
                concept: {phrase: [one.mean, one.sd, one.count] for phrase, one in phrases.items()}
                for concept, phrases in concepts.items()
            }
            for side, concepts in self.effects.items()
        }
