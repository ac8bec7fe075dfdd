"""How to call a policy: `suggest` adds what every suggestion promises, whatever the policy behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import PolicyError
from ..text.checks import Setup, inspect_setup
from ..text.df_text import Parsed, format_prompt, parse_report
from ..text.prompt import DFPrompt, PromptPair, Span
from ..text.unwanted import read_wishes
from .base import Policy
from .phrase_filter import allowed_negatives, unwanted_spans, welcome_modifiers
from .phrase_kinds import PRIOR_CAVEAT
from .phrases import append_phrases, fitting_phrases, phrase_spans
from .structure import is_json, why_closed
from .token_estimate import CountTokens, estimate_tokens

MODES = ("negative", "modifiers")
"""What can be asked of a policy."""
MAX_SEED = 2**63 - 1
"""Largest seed; what a torch generator takes."""
SAYS_UNWANTED = "loglinear"
"""The kind of policy that writes what the prompt says no to by itself, in English also where the prompt is not."""
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
    """A prompt, what became of it on both sides, and what the user should know."""

    prompt: str
    """As it was given."""
    pair: PromptPair
    """What a painter consumes: the user's words, unchanged and first, then what was added."""
    added_positive: tuple[Span, ...]
    """The modifiers that were added, one span a phrase, each with its weight and window."""
    added_negative: tuple[Span, ...]
    """The phrases that were added to the user's own negative, in the same form."""
    policy: str
    seed: int
    warnings: tuple[str, ...]

    @property
    def positive(self) -> str:
        """The words of the positive, without weights and windows."""
        return self.pair.positive.text

    @property
    def negative(self) -> str:
        """The words of the negative, without weights and windows."""
        return self.pair.negative.text

    @property
    def df_positive(self) -> str:
        """The positive as DF-Prompt text."""
        return format_prompt(self.pair.positive)

    @property
    def df_negative(self) -> str:
        """The negative as DF-Prompt text."""
        return format_prompt(self.pair.negative)

    def to_json(self) -> dict[str, Any]:
        """The texts and what is known of them as plain JSON values."""
        return {
            "prompt": self.prompt,
            "positive": self.positive,
            "negative": self.negative,
            "df_positive": self.df_positive,
            "df_negative": self.df_negative,
            "policy": self.policy,
            "seed": self.seed,
            "warnings": list(self.warnings),
        }


def suggest(policy: Policy, prompts: Sequence[str], options: SuggestOptions | None = None) -> list[Suggestion]:
    """One suggestion for each prompt (ordinary or DF-Prompt text), in order; same inputs and seed, same suggestion.

    Nothing suggested contradicts the prompt or repeats the user's own words; the user's words come first, unchanged; a
    prompt that words behind it would break (`structure`) gets no modifiers, and a warning says why;
    what the prompt says no to comes first among the suggested negatives;
    what does not fit the token budget is left out, phrase by phrase from the end, and a warning says so.
    """
    options = options or SuggestOptions()
    read = [_read(prompt) for prompt in prompts]
    pairs = policy.suggest([parsed.prompt.text for parsed in read], options.seed)
    if len(pairs) != len(prompts):
        raise PolicyError(f"{policy.card.name} answered {len(pairs)} of {len(prompts)} prompts; tell its author")
    own = parse_report(options.negative)
    return [
        _finish(policy, prompt, parsed, pair, own, options)
        for prompt, parsed, pair in zip(prompts, read, pairs, strict=True)
    ]


def _read(prompt: str) -> Parsed:
    """A prompt as DF-Prompt text; the brackets and backslashes of JSON are JSON's, unless it holds a schedule."""
    parsed = parse_report(prompt)
    return Parsed(DFPrompt.plain(prompt), ()) if parsed.prompt.is_plain and is_json(prompt, is_strict=True) else parsed


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
    modifiers: list[Span] = []
    negatives: list[Span] = []
    closed = why_closed(parsed.prompt.text) if "modifiers" in options.modes else ""
    wishes = read_wishes(parsed.prompt.text)
    warnings += [*_closed(closed), *_below_zero(wishes.weighted)]
    if "modifiers" in options.modes and not closed:
        phrases = welcome_modifiers(policy.card.name, parsed.prompt, own.prompt, wishes.unwanted, pair.positive)
        modifiers, cut = _fitting(parsed.prompt, phrases, limit, options)
        warnings += _cut("modifiers", cut, limit)
    positive = append_phrases(parsed.prompt, modifiers)
    if "negative" in options.modes:
        said = unwanted_spans(wishes.unwanted) if policy.card.kind != SAYS_UNWANTED else []
        proposed = [*said, *phrase_spans(pair.negative.spans)]
        phrases, banned = allowed_negatives(parsed.prompt, positive, own.prompt, wishes.unwanted, proposed)
        negatives, cut = _fitting(own.prompt, phrases, limit, options)
        warnings += [*_banned(banned), *_cut("negative phrases", cut, limit)]
    painted = PromptPair(positive, append_phrases(own.prompt, negatives))
    warnings += _other_side(policy, options)
    warnings += (caveat for caveat in policy.card.caveats if caveat != PRIOR_CAVEAT)  # which its card tells
    warnings += _findings(policy, painted, options)
    return Suggestion(
        prompt=prompt,
        pair=painted,
        added_positive=tuple(modifiers),
        added_negative=tuple(negatives),
        policy=policy.card.name,
        seed=options.seed,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _other_side(policy: Policy, options: SuggestOptions) -> list[str]:
    """What to say where a policy writes only the side that nobody asked for."""
    card = policy.card
    if card.polarity == "both" or card.polarity in options.modes:
        return []
    return [
        f"{card.name!r} writes only the {card.polarity}; ask for that side, or name another policy for the "
        f"{' and '.join(options.modes)}"
    ]


def _fitting(own: DFPrompt, phrases: list[Span], limit: int, options: SuggestOptions) -> tuple[list[Span], int]:
    """The phrases that a host can use and that fit behind the user's own words, and how many did not fit."""
    available = _available(phrases, options)
    kept = fitting_phrases(own, available, limit, options.count_tokens)
    return kept, len(available) - len(kept)


def _available(phrases: list[Span], options: SuggestOptions) -> list[Span]:
    """Without phrases that are names of embedding files which are not there (or not known to be)."""
    setup = Setup(embeddings=options.embeddings or frozenset())

    def is_missing(text: str) -> bool:
        findings = inspect_setup(PromptPair.plain("", text), setup)
        return any(finding.code == "embedding-missing" for finding in findings)

    if not is_missing(", ".join(span.text for span in phrases)):  # the usual case, asked once
        return phrases
    return [span for span in phrases if not is_missing(span.text)]


def _oddities(prompt: str) -> Iterator[str]:
    if not prompt.strip():
        yield "the prompt is empty, so only the usual words can be suggested; write what the picture should show"
    control = _CONTROL.search(prompt)
    if control:
        sign = f"U+{ord(control.group()):04X} at character {control.start()}"
        yield f"the prompt holds a control character ({sign}), which text encoders drop or misread; remove it"


def _problems(side: str, parsed: Parsed) -> Iterator[str]:
    for problem in parsed.problems[:_SHOWN]:
        yield f"{side}, {problem}"
    if len(parsed.problems) > _SHOWN:
        yield f"{side}: {len(parsed.problems) - _SHOWN} more brackets are taken literally"


def _cut(what: str, count: int, limit: int) -> Iterator[str]:
    if count:
        yield f"{count} {what} left out to stay within {limit} tokens; shorten your own words to make room for them"


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
            "words; it belongs into the negative, so take it out of the prompt"
        )


def _findings(policy: Policy, pair: PromptPair, options: SuggestOptions) -> list[str]:
    families = policy.card.families
    setup = Setup(
        model_family=options.model_family,
        policy_family=families[0] if len(families) == 1 else None,
        embeddings=options.embeddings,
        count_tokens=options.count_tokens,
    )
    return [str(finding) for finding in inspect_setup(pair, setup) if finding.severity == "warning"]
