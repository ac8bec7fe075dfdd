"""The data of a paper's run: four parts that share no prompt, and what the report compares."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from ...errors import TrainingError
from ...files import write_text
from ...policy.language.render import pair_of
from ...text.df_text import format_prompt
from ..data.pairs import Pair, pair_file, read_pairs
from ..data.settings import Rules, SourceSettings
from ..data.sources import Gathering
from ..data.split import write_split
from .task import Task

SHARES = {"sft": 0.75, "rl": 0.1, "val": 0.05, "test": 0.1}
"""Of the prompts. The papers' own splits are not published."""
CONFIDENT = "sft-confident.jsonl"
"""Of the `sft` part, what the confidence filter kept."""
TEST_PROMPTS, PEOPLE = "test-prompts.jsonl", "people.jsonl"


def gather(task: Task) -> Gathering:
    """The pairs of the run's source, cleaned and each once."""
    rules = Rules(is_safe=task.paper.is_safe)
    return Gathering(task.run.pairs, SourceSettings(polarity=task.paper.polarity, rules=rules))


def write_parts(task: Task, folder: Path) -> dict[str, Any]:
    """`sft.jsonl`, `rl.jsonl`, `val.jsonl`, `test.jsonl`, what the report reads, and counts of everything.

    TrainingError if a part has no prompt, or the report would have fewer than were asked for: 0 tells nothing.
    """
    polarity, found = task.paper.polarity, gather(task)
    with pair_file(folder / "pairs.jsonl", polarity) as file:
        for pair in found:
            file.add(pair)
    counts = dict(found.counts)
    if not file.count:
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise TrainingError(f"{task.run.pairs} holds no pairs of polarity {polarity} ({told}); see `data --help`")
    manifest = write_split(folder / "pairs.jsonl", folder, SHARES, "", polarity)
    sizes = {name: part["pairs"] for name, part in manifest["parts"].items()}
    empty = [name for name, size in sizes.items() if not size]
    if empty:
        raise TrainingError(
            f"{task.run.pairs} has {file.count} pairs, too few to split: nothing is left for {', '.join(empty)}; a few "
            "hundred prompts are the least"
        )
    test = list(islice(_by_prompt(read_pairs(folder / "test.jsonl", polarity)), task.budget.test))
    _write_lines(folder / TEST_PROMPTS, ({"prompt": format_prompt(_plain(pair)), **_own(task, pair)} for pair in test))
    _write_lines(folder / PEOPLE, (_written(task, pair) for pair in test))
    return {"counts": counts, "pairs": sizes, "test_prompts": len(test)}


def pairs_to_filter(task: Task, folder: Path) -> list[Pair]:
    """The pairs of the `sft` part that are scored: all, or as many as the budget says in the order of their hashes."""
    pairs, most = read_pairs(folder / "sft.jsonl", task.paper.polarity), task.budget.filter_pairs
    if len(pairs) <= most:
        return list(pairs)
    return sorted(pairs, key=lambda pair: hashlib.sha256(pair.prompt.encode("utf-8", "replace")).digest())[:most]


def held_out_prompts(folder: Path, task: Task) -> list[str]:
    """Prompts of the `val` part, each once, in the order of the data, as many as the budget says."""
    pairs = read_pairs(folder / "val.jsonl", task.paper.polarity)
    return [pair.prompt for pair in islice(_by_prompt(pairs), task.budget.held_out)]


def _by_prompt(pairs: Iterable[Pair]) -> Iterable[Pair]:
    first: dict[str, Pair] = {}
    for pair in pairs:
        first.setdefault(pair.prompt, pair)
    return first.values()


def _plain(pair: Pair) -> Any:
    return pair_of(pair.prompt, (), "negative").positive


def _own(task: Task, pair: Pair) -> dict[str, str]:
    is_negative = task.paper.polarity == "negative"
    return {"negative": _written(task, pair)["negative"]} if is_negative else {}


def _written(task: Task, pair: Pair) -> dict[str, str]:
    """What somebody wrote for the prompt, as an arm of the report reads it."""
    both = pair_of(pair.prompt, pair.spans, task.paper.polarity)
    return {
        "prompt": format_prompt(_plain(pair)),
        "positive": format_prompt(both.positive),
        "negative": format_prompt(both.negative),
    }


def _write_lines(path: Path, rows: Iterable[dict[str, str]]) -> None:
    write_text(path, "".join(json.dumps(row) + "\n" for row in rows))
