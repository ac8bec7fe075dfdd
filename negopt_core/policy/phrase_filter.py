"""What every suggestion keeps to, whatever the policy behind it: which of its phrases may go into which prompt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..errors import PolicyError
from ..text.prompt import DFPrompt, Span, Window
from .contradiction import Asked, is_contradicted, is_unwelcome, read_asked
from .media import names_a_body, shows_a_body
from .phrases import phrase_spans, without_prefix
from .words import phrase_key, words_of

_OTHER_SCRIPT = re.compile(r"[^\W\d_\u0000-\u024f]")


class Wanted:
    """What a prompt asks for while a phrase acts: words that leave one prompt as they enter the other do not clash."""

    def __init__(self, prompt: DFPrompt) -> None:
        self._prompt = prompt
        self._read: dict[Window, Asked] = {}

    def during(self, window: Window) -> Asked:
        """What it asks for in at least one moment of the window."""
        if window not in self._read:
            live = (
                span.text if span.window.start < window.end and window.start < span.window.end else ", "
                for span in self._prompt.spans
            )
            self._read[window] = read_asked("".join(live))
        return self._read[window]


def unwanted_spans(things: Sequence[str]) -> list[Span]:
    """Things that a prompt says no to, as words for the negative; few encoders read those in another script."""
    return [Span(thing) for thing in things if not _OTHER_SCRIPT.search(thing)]


def welcome_modifiers(
    name: str, prompt: DFPrompt, own: DFPrompt, unwanted: Sequence[str], proposed: DFPrompt
) -> list[Span]:
    """Modifiers that neither repeat the prompt, nor work against it, nor name what it or the user's negative forbids.

    `name` is the policy's, for the PolicyError that is raised if it changed the prompt.
    """
    rest = without_prefix(proposed, prompt.text)
    if rest is None:
        raise PolicyError(f"{name} changed the prompt instead of adding to it; tell its author")
    asked, forbidden, denied = read_asked(prompt.text), Wanted(own), read_asked(", ".join(unwanted))
    return _once(
        span
        for span in phrase_spans(rest)
        if not is_unwelcome(span.text, asked)
        and not is_contradicted(span.text, forbidden.during(span.window))
        and not is_contradicted(span.text, denied)
    )


def allowed_negatives(
    prompt: DFPrompt, positive: DFPrompt, own: DFPrompt, unwanted: Sequence[str], proposed: Iterable[Span]
) -> tuple[list[Span], list[str]]:
    """Phrases that neither contradict the positive nor repeat the user's negative; and those against the prompt itself.

    Where the prompt says no to people or animals and shows none, nothing is said about their hands and faces either.
    """
    asked, all_asked = Wanted(prompt), Wanted(positive)
    known = {phrase_key(span.text) for span in phrase_spans(own.spans)}
    fresh = _once(span for span in proposed if phrase_key(span.text) not in known)
    banned = [span.text for span in fresh if is_contradicted(span.text, asked.during(span.window))]
    left = [span for span in fresh if span.text not in banned]
    left = [span for span in left if not is_contradicted(span.text, all_asked.during(span.window))]
    return ([span for span in left if not names_a_body(span.text)] if _shows_nobody(prompt, unwanted) else left), banned


def _shows_nobody(prompt: DFPrompt, unwanted: Sequence[str]) -> bool:
    words = {word for thing in unwanted for word in words_of(thing)}
    return shows_a_body(words) and not shows_a_body(read_asked(prompt.text).words)


def _once(spans: Iterable[Span]) -> list[Span]:
    kept: dict[str, Span] = {}
    for span in spans:
        kept.setdefault(phrase_key(span.text) or span.text, span)
    return list(kept.values())
