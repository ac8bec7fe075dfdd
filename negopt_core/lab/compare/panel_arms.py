"""Who is read on a blind sheet: policies, a fixed text or nothing, asked for every prompt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...errors import PolicyError, PromptError
from ...files import read_json_lines, read_lines
from ...policy import SuggestOptions, load_policy, suggest
from ...policy.store import with_family
from .panel import Entry

FIXED = "fixed:"
NOTHING = "nothing"
_OTHER_NAMES = {"illustrious": "anime"}
"""Families under the names that `rules` has for them."""


def ask(arms: Sequence[str], prompts: Path, polarity: str, folders: Sequence[Path]) -> list[Entry]:
    """What each arm (a policy, `nothing` or `fixed:TEXT`) writes for each prompt of a file, on one side of it.

    The file holds a prompt a line, or JSON Lines with `prompt` and perhaps `family`. Raises PromptError if it cannot be
    read, PolicyError for a policy that is not there.
    """
    return [
        Entry(prompt, family or "any", {_short(arm): _answer(arm, prompt, family, polarity, folders) for arm in arms})
        for prompt, family in _read_prompts(prompts)
    ]


def _read_prompts(path: Path) -> list[tuple[str, str]]:
    """Prompts with their families; "" where none is said."""
    if path.suffix != ".jsonl":
        found = [(line, "") for _, line in read_lines(path, PromptError)]
    else:
        rows = [row for _, row in read_json_lines(path, PromptError)]
        if any("prompt" not in row for row in rows):
            raise PromptError(f"cannot read prompts from {path}: a row has no 'prompt'")
        found = [(str(row["prompt"]), str(row.get("family") or "")) for row in rows]
    if not found:
        raise PromptError(f"{path} holds no prompt; write one a line")
    return found


def _short(arm: str) -> str:
    return FIXED.rstrip(":") if arm.startswith(FIXED) else arm


def _answer(arm: str, prompt: str, family: str, polarity: str, folders: Sequence[Path]) -> str:
    if arm == NOTHING:
        return ""
    if arm.startswith(FIXED):
        return arm.removeprefix(FIXED).strip()
    policy = load_policy(_for_family(arm, family, folders), folders)
    (found,) = suggest(policy, [prompt], SuggestOptions(modes=(polarity,)))
    return found.negative if polarity == "negative" else found.positive[len(prompt) :].strip(" ,")


def _for_family(arm: str, family: str, folders: Sequence[Path]) -> str:
    """The arm for the family, if it has it."""
    for name in (family, _OTHER_NAMES.get(family, "")):
        try:
            return with_family(arm, name, folders) if name else arm
        except PolicyError:
            continue
    return arm
