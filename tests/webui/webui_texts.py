"""STUB: prompt editing and conditioning as the webui's hosts were measured to treat them, in our own words.

Nothing is encoded: a "conditioning" is the text that would have been, so that a test can read what the network got.
"""

from __future__ import annotations

import re
from collections import namedtuple
from typing import Any

ScheduledPromptConditioning = namedtuple("ScheduledPromptConditioning", ["end_at_step", "cond"])


class Rows(list):
    """Stands for a tensor [rows, tokens, channels]: one text a row."""

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self), 77, 768


class DictWithShape(dict):
    """The conditioning of a model with a pooled vector."""

    @property
    def shape(self) -> tuple[int, ...]:
        return self["crossattn"].shape

    def advanced_indexing(self, item: Any) -> DictWithShape:
        return DictWithShape({key: rows[item] for key, rows in self.items()})


class SdConditioning(list):
    """Prompts with what SDXL wants to know of the picture."""

    def __init__(self, prompts: Any, is_negative_prompt: bool = False, width: Any = None, height: Any = None) -> None:
        super().__init__(prompts)
        self.is_negative_prompt, self.width, self.height = is_negative_prompt, width, height


class Multicond:
    """`batch[picture][AND part]` is a schedule and a weight."""

    def __init__(self, batch: list[list[tuple[list[ScheduledPromptConditioning], float]]]) -> None:
        self.batch = batch


def fields_of(text: str, at: int) -> tuple[list[str], int]:
    """The fields of the square bracket whose content begins at `at`, split at its own colons, and where it ends."""
    found, depth = [""], 0
    while depth or text[at] != "]":
        char = text[at]
        if char == "\\":
            found[-1] += text[at : at + 2]
            at += 2
            continue
        depth += (char in "[(") - (char in "])")
        if char == ":" and not depth:
            found.append("")
        else:
            found[-1] += char
        at += 1
    return found, at + 1


def text_at(text: str, step: int, steps: int, before: int) -> str:
    """What prompt editing leaves of a text at a 0-based step; `before` are the steps of the pass before this one."""
    out, at = "", 0
    while at < len(text):
        if text[at] == "\\":
            out, at = out + text[at : at + 2], at + 2
        elif text[at] == "[":
            parts, end = fields_of(text, at + 1)
            if len(parts) > 1:
                number = parts[-1].strip()
                last = (float(number) - (before > 0)) * steps if "." in number else float(number) - before
                last = min(steps, int(last))
                chosen = (parts[0] if len(parts) == 3 else "") if last >= 1 and step <= last else parts[-2]
                out += text_at(chosen, step, steps, before)
            else:
                out += text[at:end]
            at = end
        else:
            out, at = out + text[at], at + 1
    return out


def schedule_of(text: str, steps: int, hires_steps: int | None) -> list[tuple[int, str]]:
    """[last step, text] in order: step 0 is never alone, as in the hosts."""
    total, before = (steps, 0) if hires_steps is None else (hires_steps, steps)
    texts = [text_at(text, step, total, before) for step in range(1, total + 1)]
    return [(step, here) for step, here in enumerate(texts, 1) if step == total or texts[step] != here]


def get_learned_conditioning(model: Any, prompts: SdConditioning, steps: int, hires_steps: int | None = None) -> Any:
    return [
        [ScheduledPromptConditioning(end, model.encode(text)) for end, text in schedule_of(prompt, steps, hires_steps)]
        for prompt in prompts
    ]


def get_multicond_learned_conditioning(
    model: Any, prompts: SdConditioning, steps: int, hires_steps: int | None = None
) -> Multicond:
    batch = []
    for prompt in prompts:
        parts = []
        for part in re.split(r"\bAND\b", prompt):
            found = re.search(r"\s*:\s*([-+]?(?:\d+\.?|\d*\.\d+))\s*\Z", part)
            text = (part[: found.start()] if found else part).rstrip()
            weight = float(found.group(1)) if found else 1.0
            parts.append((get_learned_conditioning(model, SdConditioning([text]), steps, hires_steps)[0], weight))
        batch.append(parts)
    return Multicond(batch)


def _pick(schedule: list[ScheduledPromptConditioning], step: int) -> Any:
    return next((entry.cond for entry in schedule if step <= entry.end_at_step), schedule[0].cond)


def _stack(conds: list[Any]) -> Any:
    if isinstance(conds[0], dict):
        return DictWithShape({key: Rows(cond[key] for cond in conds) for key in conds[0]})
    return Rows(conds)


def reconstruct_cond_batch(conds: list[list[ScheduledPromptConditioning]], step: int) -> Any:
    return _stack([_pick(schedule, step) for schedule in conds])


def reconstruct_multicond_batch(conds: Multicond, step: int) -> tuple[list[list[tuple[int, float]]], Any]:
    found, places = [], []
    for parts in conds.batch:
        places.append([(len(found) + number, weight) for number, (_, weight) in enumerate(parts)])
        found += [_pick(schedule, step) for schedule, _ in parts]
    return places, _stack(found)
