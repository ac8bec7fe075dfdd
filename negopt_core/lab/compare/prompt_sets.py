"""Prompts to compare arms on: a named set, a file, or the demo world's own grammar."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...errors import PromptError
from ...files import read_lines
from .tables import GROUP, NEGATIVE, PAIR_PROMPT, PROMPT, TABLE_ENDINGS, as_text, is_table, pick, read_rows

WORLD = "world"
DEFAULT_FOLDER = Path("data/eval")
ENDINGS = (*TABLE_ENDINGS, ".jsonl.gz", ".txt")
WORLD_PROMPTS, WORLD_SEED = 32, 80_001
"""How many prompts `world` alone means, and what draws them."""


@dataclass(frozen=True, slots=True)
class Item:
    """One prompt, and the negative that came with it ("" if none did)."""

    prompt: str
    negative: str = ""
    line: int = field(default=0, compare=False)
    """Its place in its file, from 1 and without empty lines; of a repeated prompt the last. 0: from no file."""
    group: str = field(default="", compare=False)
    """What the set calls its kind: PartiPrompts' and DrawBench's category, GenEval's tag."""


def load_prompts(name: str, folders: Sequence[Path] = ()) -> tuple[Item, ...]:
    """`NAME[:COUNT]`: the world's prompts for `world`, a file by its path, or NAME with one of `ENDINGS` in a folder.

    With a count, that many prompts in the order of their SHA-256, so that the choice depends on nothing but the texts.
    A text file holds a prompt a line; JSON Lines, JSON, CSV and TSV hold `prompt` and perhaps `negative`, under the
    names of `tables`. Repeated prompts count once.
    Raises PromptError for a set that is missing, broken or empty.
    """
    place, count = _split_count(name)
    if place == WORLD:
        return _world_prompts(WORLD_PROMPTS if count is None else count)
    path = _find(place, folders)
    numbered = (replace(item, line=line) for line, item in enumerate(_read(path), 1))
    items = tuple({item.prompt: item for item in numbered}.values())
    if not items:
        raise PromptError(f"{path} holds no prompt; write one a line, or JSON Lines with 'prompt'")
    if count is None or count >= len(items):
        return items
    return tuple(
        sorted(items, key=lambda item: hashlib.sha256(item.prompt.encode("utf-8", "replace")).digest())[:count]
    )


def _split_count(name: str) -> tuple[str, int | None]:
    place, colon, number = name.rpartition(":")
    if not colon or not number.isdecimal():
        return name, None
    if int(number) < 1:
        raise PromptError(f"a prompt set needs at least 1 prompt, got {name!r}")
    return place, int(number)


def _world_prompts(count: int) -> tuple[Item, ...]:
    """Different prompts that no policy is trained on; fewer than asked if the world's grammar has not that many."""
    from ..make_world.measure import draw_prompts

    drawn = dict.fromkeys(draw_prompts(8 * count, WORLD_SEED, part="held-out"))
    return tuple(Item(prompt) for prompt in list(drawn)[:count])


def _find(place: str, folders: Sequence[Path]) -> Path:
    path = Path(place).expanduser()
    if path.is_file():
        return path
    looked = [*folders, DEFAULT_FOLDER]
    for folder in looked:
        for ending in ENDINGS:
            if (folder / f"{place}{ending}").is_file():
                return folder / f"{place}{ending}"
    told = ", ".join(str(folder) for folder in looked)
    raise PromptError(
        f"no prompt set {place!r}: it is no file, and {told} has no {place}{'|'.join(ENDINGS)}; "
        "name a file, or the folder with --prompt-folder"
    )


def _read(path: Path) -> Iterator[Item]:
    if is_table(path):
        yield from (_item(row, where) for where, row in read_rows(path))
    else:
        yield from (Item(line.strip()) for _, line in read_lines(path, PromptError))


def _item(row: dict[str, Any], where: str) -> Item:
    prompt = pick(row, (*PROMPT, *PAIR_PROMPT))
    if not isinstance(prompt, str) or not prompt.strip():
        raise PromptError(f"{where} has no text under 'prompt'; its names are {', '.join(row) or 'none'}"[:300])
    group = pick(row, GROUP)
    return Item(prompt.strip(), as_text(pick(row, NEGATIVE)) or "", group=group if isinstance(group, str) else "")
