"""Who is read on a blind sheet: arms, asked for every prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ...errors import PolicyError, PromptError
from ...files import read_json_lines, read_lines
from ...policy.store import with_family
from ...text.df_text import parse_prompt
from .arms import POLICY_MODES, Arm, Writer, parse_arm
from .panel import Entry
from .prompt_sets import Item

_OTHER_NAMES = {"illustrious": "anime"}
"""Families under the names that `rules` has for them."""


def ask(arms: Sequence[str], prompts: Path, polarity: str, folders: Sequence[Path]) -> list[Entry]:
    """What each arm (`arms.HELP`) writes for each prompt of a file, on one side of it.

    The file holds a prompt a line, or JSON Lines with `prompt` and perhaps `family` and `negative`. Raises PromptError
    if it cannot be read or for an arm that is none, PolicyError for a policy that is not there.
    """
    items = _read_prompts(prompts)
    answers = {arm.name: _answers(arm, items, polarity, folders) for arm in (read_arm(one, polarity) for one in arms)}
    return [
        Entry(item.prompt, item.group or "any", {name: texts[place] for name, texts in answers.items()})
        for place, item in enumerate(items)
    ]


def read_arm(text: str, polarity: str) -> Arm:
    """An arm as `parse_arm` reads it, or as a sheet named it once: a policy's name alone, `nothing`, `fixed:TEXT`."""
    name, _, words = text.partition(":")
    if text == "nothing":
        return Arm(text, "none")
    if name == "fixed":
        return Arm(name, "text" if polarity == "negative" else "modifiers", words.strip())
    arm = parse_arm(text, usual="policy")
    return replace(arm, kind=f"policy-{polarity}") if arm.kind == "policy" else arm


def _read_prompts(path: Path) -> list[Item]:
    """Prompts with their families as groups; "" where none is said."""
    if path.suffix != ".jsonl":
        found = [Item(line) for _, line in read_lines(path, PromptError)]
    else:
        rows = [row for _, row in read_json_lines(path, PromptError)]
        if any("prompt" not in row for row in rows):
            raise PromptError(f"cannot read prompts from {path}: a row has no 'prompt'")
        found = [
            Item(str(row["prompt"]), str(row.get("negative") or ""), group=str(row.get("family") or "")) for row in rows
        ]
    if not found:
        raise PromptError(f"{path} holds no prompt; write one a line")
    return found


def _answers(arm: Arm, items: Sequence[Item], polarity: str, folders: Sequence[Path]) -> list[str]:
    """The words that an arm adds to each prompt on one side; a policy writes for the prompt's own family."""
    if arm.kind in POLICY_MODES:
        for_family = [partial(_for_family, family=item.group, folders=folders) for item in items]
        pairs = [
            Writer(tuple(folders), rename=rename).write(arm, [item])[0]
            for rename, item in zip(for_family, items, strict=True)
        ]
    else:
        pairs = list(Writer(tuple(folders)).write(arm, items))
    if polarity == "negative":
        return [pair.negative.text for pair in pairs]
    return [
        pair.positive.text[len(parse_prompt(item.prompt).text) :].strip(" ,")
        for pair, item in zip(pairs, items, strict=True)
    ]


def _for_family(name: str, family: str, folders: Sequence[Path]) -> str:
    """The policy for the family, if it has it."""
    for one in (family, _OTHER_NAMES.get(family, "")):
        try:
            return with_family(name, one, folders) if one else name
        except PolicyError:
            continue
    return name
