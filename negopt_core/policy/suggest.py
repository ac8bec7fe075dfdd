"""How to call a policy: `suggest` adds what every suggestion promises, whatever the policy behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..df_text import Parsed, format_prompt, parse_report
from ..errors import PolicyError
from ..inspect import Setup, inspect_setup
from ..prompt import DFPrompt, PromptPair, Span
from .base import Policy
from .contradiction import is_contradicted, is_unwelcome, read_asked
from .kinds import PRIOR_CAVEAT
from .phrases import append_within, phrase_spans, without_prefix
from .structure import why_closed
from .tokens import CountTokens, estimate_tokens
from ..unwanted import read_wishes
from .words import phrase_key

MODES = ("negative", "modifiers")
"""What can be asked of a policy."""
MAX_SEED = 2**63 - 1
"""Largest seed; what a torch generator takes."""
_SHOWN = 4
"""Phrases or problems named in a warning."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class SuggestOptions:
    """What is wanted of a suggestion. Raises PolicyError for a mode or budget that does not exist."""

    modes: tuple[str, ...] = MODES
    negative: str = ""
    """The user's own negative, DF-Prompt text; kept untouched and first."""
    seed: int = 0
    max_tokens: int | None = None
    """Token budget of either side; None is the policy's own. The user's own words are never cut."""
    count_tokens: CountTokens = estimate_tokens
    """Counts tokens without start and end marks."""
    embeddings: frozenset[str] | None = None
    """Names of the embedding files the host can load; None if unknown, and then none are suggested."""
    model_family: str | None = None
    """Family of the painting model, for warnings; None if unknown."""

    def __post_init__(self) -> None:
        unknown = [mode for mode in self.modes if mode not in MODES]
        if unknown or not self.modes:
            raise PolicyError(f"mode must be one or more of {', '.join(MODES)}, got {','.join(self.modes)!r}")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise PolicyError(f"a token budget needs at least 1 token, got {self.max_tokens}; one CLIP chunk is 75")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or not 0 <= self.seed <= MAX_SEED:
            raise PolicyError(f"a seed is a whole number from 0 to {MAX_SEED}, got {self.seed!r}")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A prompt, what became of it on both sides as plain and as DF-Prompt text, and what the user should know."""

    prompt: str
    positive: str
    negative: str
    df_positive: str
    df_negative: str
    policy: str
    seed: int
    warnings: tuple[str, ...]

    @property
    def pair(self) -> PromptPair:
        """What a painter consumes."""
        return PromptPair(parse_report(self.df_positive).prompt, parse_report(self.df_negative).prompt)

    def to_json(self) -> dict[str, Any]:
        """The fields in order, as plain JSON values."""
        return {**asdict(self), "warnings": list(self.warnings)}


def suggest(policy: Policy, prompts: Sequence[str], options: SuggestOptions | None = None) -> list[Suggestion]:
    """One suggestion for each prompt (ordinary or DF-Prompt text), in order; same inputs and seed, same suggestion.

    Nothing suggested contradicts the prompt or repeats the user's own words; the user's words come first, unchanged; a
    prompt that words behind it would break (`structure`) gets no modifiers, and a warning says why;
    what does not fit the token budget is left out, phrase by phrase from the end, and a warning says so.
    """
    options = options or SuggestOptions()
    read = [parse_report(prompt) for prompt in prompts]
    pairs = policy.suggest([parsed.prompt.text for parsed in read], options.seed)
    if len(pairs) != len(prompts):
        raise PolicyError(f"{policy.card.name} answered {len(pairs)} of {len(prompts)} prompts; tell its author")
    own = parse_report(options.negative)
    return [
        _finish(policy, prompt, parsed, pair, own, options)
        for prompt, parsed, pair in zip(prompts, read, pairs, strict=True)
    ]


def _finish(
    policy: Policy,
    prompt: str,
    parsed: Parsed,
    pair: PromptPair,
    own: Parsed,
    options: SuggestOptions,
) -> Suggestion:
    limit = options.max_tokens or policy.card.max_tokens
    warnings = [*_oddities(prompt), *_problems("prompt", parsed), *_problems("negative", own)]
    positive, negative = parsed.prompt, own.prompt
    closed = why_closed(parsed.prompt.text) if "modifiers" in options.modes else ""
    wishes = read_wishes(parsed.prompt.text)
    warnings += [*_closed(closed), *_below_zero(wishes.weighted)]
    if "modifiers" in options.modes and not closed:
        phrases = _welcome(policy, positive, negative, pair.positive)
        positive, cut = append_within(positive, _available(phrases, options), limit, options.count_tokens)
        warnings += _cut("modifiers", cut, limit)
    if "negative" in options.modes:
        phrases, banned = _allowed(parsed.prompt, positive, negative, pair.negative)
        negative, cut = append_within(negative, _available(phrases, options), limit, options.count_tokens)
        warnings += [*_banned(banned), *_cut("negative phrases", cut, limit)]
    if positive == parsed.prompt and negative == own.prompt:
        warnings += _other_side(policy, options)
    warnings += (caveat for caveat in policy.card.caveats if caveat != PRIOR_CAVEAT)  # which its card tells
    warnings += _findings(policy, PromptPair(positive, negative), options, wishes.unwanted)
    return Suggestion(
        prompt=prompt,
        positive=positive.text,
        negative=negative.text,
        df_positive=format_prompt(positive),
        df_negative=format_prompt(negative),
        policy=policy.card.name,
        seed=options.seed,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _other_side(policy: Policy, options: SuggestOptions) -> list[str]:
    """What to say where nothing was written because the policy writes the side that nobody asked for."""
    card = policy.card
    if card.polarity == "both" or card.polarity in options.modes:
        return []
    return [
        f"{card.name!r} writes only the {card.polarity}; ask for that side, or name another policy for the "
        f"{' and '.join(options.modes)}"
    ]


def _welcome(policy: Policy, prompt: DFPrompt, own: DFPrompt, proposed: DFPrompt) -> list[Span]:
    """Modifiers that neither repeat the prompt, nor work against it, nor name what the user's negative forbids."""
    rest = without_prefix(proposed, prompt.text)
    if rest is None:
        raise PolicyError(f"{policy.card.name} changed the prompt instead of adding to it; tell its author")
    asked, forbidden = read_asked(prompt.text), read_asked(own.text)
    return _once(
        span
        for span in phrase_spans(rest)
        if not is_unwelcome(span.text, asked) and not is_contradicted(span.text, forbidden)
    )


def _allowed(prompt: DFPrompt, positive: DFPrompt, own: DFPrompt, proposed: DFPrompt) -> tuple[list[Span], list[str]]:
    """Phrases that neither contradict the positive nor repeat the user's negative; and those against the prompt."""
    asked, all_asked = read_asked(prompt.text), read_asked(positive.text)
    known = {phrase_key(span.text) for span in phrase_spans(own.spans)}
    fresh = _once(span for span in phrase_spans(proposed.spans) if phrase_key(span.text) not in known)
    banned = [span.text for span in fresh if is_contradicted(span.text, asked)]
    return [span for span in fresh if span.text not in banned and not is_contradicted(span.text, all_asked)], banned


def _once(spans: Iterable[Span]) -> list[Span]:
    kept: dict[str, Span] = {}
    for span in spans:
        kept.setdefault(phrase_key(span.text) or span.text, span)
    return list(kept.values())


def _available(phrases: list[Span], options: SuggestOptions) -> list[Span]:
    """Without phrases that are names of embedding files which are not there (or not known to be)."""
    setup = Setup(embeddings=options.embeddings or frozenset())

    def is_missing(text: str) -> bool:
        found = inspect_setup(PromptPair.plain("", text), setup)
        return any(finding.code == "embedding-missing" for finding in found)

    if not is_missing(", ".join(span.text for span in phrases)):  # the usual case, asked once
        return phrases
    return [span for span in phrases if not is_missing(span.text)]


def _oddities(prompt: str) -> Iterator[str]:
    if not prompt.strip():
        yield "the prompt is empty, so only habits can be suggested; write what the picture should show"
    found = _CONTROL.search(prompt)
    if found:
        sign = f"U+{ord(found.group()):04X} at character {found.start()}"
        yield f"the prompt holds a control character ({sign}), which text encoders drop or misread; remove it"


def _problems(side: str, parsed: Parsed) -> Iterator[str]:
    for problem in parsed.problems[:_SHOWN]:
        yield f"{side}, {problem}"
    if len(parsed.problems) > _SHOWN:
        yield f"{side}: {len(parsed.problems) - _SHOWN} more brackets are taken literally"


def _cut(what: str, count: int, limit: int) -> Iterator[str]:
    if count:
        yield f"{count} {what} left out to stay within {limit} tokens; raise the token budget to keep them"


def _banned(phrases: list[str]) -> Iterator[str]:
    if phrases:
        more = f" and {len(phrases) - _SHOWN} more" if len(phrases) > _SHOWN else ""
        yield f"left out because the positive asks for it: {', '.join(phrases[:_SHOWN])}{more}"


def _closed(reason: str) -> Iterator[str]:
    if reason:
        yield f"no modifiers were added to this prompt: {reason}"


def _below_zero(things: Sequence[str]) -> Iterator[str]:
    if things:
        yield (
            f"a weight below zero ({', '.join(things[:_SHOWN])}) is read by few text encoders, and by some as plain "
            "words; say it in the negative instead"
        )


def _findings(policy: Policy, pair: PromptPair, options: SuggestOptions, unwanted: Sequence[str]) -> list[str]:
    """Warnings of the honesty meter, but for words that are in both prompts because the positive says "no" to them."""
    families = policy.card.families
    setup = Setup(
        model_family=options.model_family,
        policy_family=families[0] if len(families) == 1 else None,
        embeddings=options.embeddings,
        count_tokens=options.count_tokens,
    )
    known = {phrase_key(thing) for thing in unwanted}
    return [
        str(finding)
        for finding in inspect_setup(pair, setup)
        if finding.severity == "warning"
        and not (finding.code == "phrase-in-both" and {phrase_key(one) for one in finding.subjects} <= known)
    ]
