"""PAE's view of a prompt (arXiv 2404.04095): what is wanted, and the modifiers that people add to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SplitPrompt:
    """A prompt taken apart at its first comma: s and A in the paper."""

    subject: str
    """Everything before the first comma, trimmed; the whole prompt if it has none."""
    modifiers: tuple[str, ...]
    """The comma-separated phrases after it, trimmed, without empty ones; empty if there are none."""


def split_prompt(prompt: str) -> SplitPrompt:
    """Split a full prompt s' at its first comma into the short prompt s and its modifiers A.

    A prompt that begins with a comma has an empty subject and keeps its modifiers; the caller may drop it.
    """
    subject, _, rest = prompt.partition(",")
    return SplitPrompt(subject.strip(), tuple(phrase for part in rest.split(",") if (phrase := part.strip())))
