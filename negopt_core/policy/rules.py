"""The rules policy: a negative and modifiers from tables, with no weights and in well under a hundredth of a second."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import PolicyError
from ..text.prompt import DFPrompt, PromptPair, Span, Window
from . import families as tables
from .card import PolicyCard
from .contradiction import Asked, is_contradicted, is_unwelcome, read_asked
from .families import FAMILIES, Family, Kind, Term
from .media import ANIMALS, MEDIA, PEOPLE
from .phrase_kinds import PRIOR_CAVEAT
from .phrases import append_phrases
from .topics import TOPICS
from .words import phrase_key

_STYLE_CONFLICTS = 5
_ESSENTIALS = 4
"""The first negatives of a family come before style conflicts and anatomy, the others after."""


def rules_card(family: str = "sd15") -> PolicyCard:
    """The card of the rules for one family of models; raises PolicyError on an unknown family."""
    chosen = FAMILIES.get(family)
    if chosen is None:
        raise PolicyError(f"unknown model family {family[:60]!r}; choose one of {', '.join(FAMILIES)}")
    times = [*tables.NEGATIVE_TIMES.values(), *tables.MODIFIER_TIMES.values()]
    return PolicyCard(
        kind="rules",
        name="rules",
        families=(family,),
        windows=tuple(sorted({window for window, _ in times}, key=lambda window: (window.start, window.end))),
        weights=tuple(sorted({weight for _, weight in times})),
        max_tokens=chosen.max_tokens,
        caveats=(PRIOR_CAVEAT, *chosen.caveats),
        provenance={"made_by": "tables written by hand for negopt"},
        licence="Apache-2.0",
    )


@dataclass(frozen=True, slots=True)
class RulesPolicy:
    """Reads medium, subject and wishes from the prompt's words. The seed changes nothing."""

    card: PolicyCard = field(default_factory=rules_card)

    def __post_init__(self) -> None:
        if len(self.card.families) != 1 or self.card.families[0] not in FAMILIES:
            found = str(list(self.card.families))[:60]
            raise PolicyError(f"a rules policy needs one of the families {', '.join(FAMILIES)}, got {found}")

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the tables and the family."""
        read = (self.card.families, FAMILIES, TOPICS, MEDIA, sorted(PEOPLE), sorted(ANIMALS), _term_tables())
        return hashlib.sha256(repr(read).encode()).hexdigest()

    def suggest(self, prompts: Sequence[str], seed: int) -> list[PromptPair]:
        """A pair for each prompt; nothing in it contradicts the prompt."""
        family = FAMILIES[self.card.families[0]]
        return [_suggest_one(prompt, family) for prompt in prompts]


def _suggest_one(prompt: str, family: Family) -> PromptPair:
    asked = read_asked(prompt)
    modifiers = [term for term in _modifiers(asked, family) if not is_unwelcome(term[0], asked)]
    negatives = [term for term in _negatives(asked, family) if not is_contradicted(term[0], asked)]
    return PromptPair(
        append_phrases(DFPrompt.plain(prompt), _spans(modifiers, tables.MODIFIER_TIMES)),
        append_phrases(DFPrompt(), _spans(negatives, tables.NEGATIVE_TIMES)),
    )


def _negatives(asked: Asked, family: Family) -> list[Term]:
    """What to forbid, the most useful first, before contradictions are taken out."""
    is_anime = any(medium.name == "anime" for medium in asked.media)
    habit = (
        tables.ANIME_NEGATIVES if is_anime and not family.is_tagged and family.has_medium_words else family.negatives
    )
    return [
        *_likely_faults(asked, family),
        *habit[:_ESSENTIALS],
        *_style_conflicts(asked, family),
        *_antonyms(asked, family),
        *_anatomy(asked, family, is_anime or family.is_tagged),
        *habit[_ESSENTIALS:],
    ]


def _likely_faults(asked: Asked, family: Family) -> list[Term]:
    if family.has_medium_words:
        return []
    return [term for word, terms in tables.WORLD_LIKELY.items() if word in asked.words for term in terms]


def _style_conflicts(asked: Asked, family: Family) -> list[Term]:
    """The media that the asked ones all exclude; none if the prompt names no medium."""
    if not family.has_medium_words:
        if asked.words.isdisjoint(tables.WORLD_MEDIA):
            return []
        return [(medium, "style") for medium in tables.WORLD_MEDIA if medium not in asked.words]
    if not asked.media:
        return []
    first, *others = asked.media
    shared = [phrase for phrase in first.conflicts if all(phrase in medium.conflicts for medium in others)]
    return [(phrase, "style") for phrase in shared[:_STYLE_CONFLICTS]]


def _antonyms(asked: Asked, family: Family) -> list[Term]:
    if not family.has_medium_words:
        return []
    return [(phrase, "antonym") for topic in asked.topics for phrase in topic.negate]


def _anatomy(asked: Asked, family: Family, is_tagged: bool) -> Sequence[Term]:
    if not family.has_medium_words:
        return ()
    if not asked.words.isdisjoint(PEOPLE):
        return tables.TAGGED_PEOPLE_NEGATIVES if is_tagged else tables.PEOPLE_NEGATIVES
    return tables.ANIMAL_NEGATIVES if not asked.words.isdisjoint(ANIMALS) else ()


def _modifiers(asked: Asked, family: Family) -> list[Term]:
    if not family.has_medium_words:
        enhancing = [term for medium, term in tables.WORLD_MODIFIERS.items() if medium in asked.words]
        return [*family.modifiers, *enhancing]
    by_medium = [tables.MEDIUM_MODIFIERS[medium.name] for medium in asked.media[:1]]
    return [*family.modifiers, *(by_medium[0] if by_medium else tables.PLAIN_MODIFIERS)]


def _spans(terms: Iterable[Term], times: Mapping[Kind, tuple[Window, float]]) -> list[Span]:
    """Each phrase once, with the weight and window of its kind."""
    spans: dict[str, Span] = {}
    for phrase, kind in terms:
        window, weight = times[kind]
        spans.setdefault(phrase_key(phrase), Span(phrase, weight, window))
    return list(spans.values())


def _term_tables() -> list[Any]:
    """Every other constant of the tables, in order of name."""
    return [(name, getattr(tables, name)) for name in sorted(vars(tables)) if name.isupper() and name != "FAMILIES"]
