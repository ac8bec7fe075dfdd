"""The rules policy: a negative and modifiers from tables, with no weights and in well under a hundredth of a second."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ..errors import PolicyError
from ..text.prompt import FULL, DFPrompt, PromptPair, Span, Window
from ..text.word_tables import read_rows, word_set
from .card import PolicyCard
from .contradiction import Asked, is_contradicted, is_unwelcome, read_asked
from .families import Family, families, phrases_for
from .media import MEDIA_FILE, media, shows_animals, shows_people
from .phrase_kinds import MODIFIER_TIMES, NEGATIVE_TIMES, PRIOR_CAVEAT, Kind, Term, read_terms
from .phrases import append_phrases
from .topics import topics
from .words import phrase_key
from .world_rules import world_modifiers, world_negatives, world_table

_STYLE_CONFLICTS = 5
_ESSENTIALS = 4
"""The first negatives of a family come before style conflicts and anatomy, the others after."""


def rules_card(family: str = "sd15") -> PolicyCard:
    """The card of the rules for one family of models; raises PolicyError on an unknown family."""
    chosen = families().get(family)
    if chosen is None:
        raise PolicyError(f"unknown model family {family[:60]!r}; choose one of {', '.join(families())}")
    times = [*NEGATIVE_TIMES.values(), *MODIFIER_TIMES.values()]
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
        if len(self.card.families) != 1 or self.card.families[0] not in families():
            given = str(list(self.card.families))[:60]
            raise PolicyError(f"a rules policy needs one of the families {', '.join(families())}, got {given}")

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the tables and the family."""
        bodies = sorted(word_set("people")), sorted(word_set("animals"))
        read = (self.card.families, families(), topics(), media(), *bodies, _tables())
        return hashlib.sha256(repr(read).encode()).hexdigest()

    def suggest(self, prompts: Sequence[str], seed: int) -> list[PromptPair]:
        """A pair for each prompt; nothing in it contradicts the prompt."""
        family = families()[self.card.families[0]]
        return [_suggest_one(prompt, family) for prompt in prompts]


def _suggest_one(prompt: str, family: Family) -> PromptPair:
    asked = read_asked(prompt)
    if family.has_medium_words:
        proposed = _modifiers(asked, family), _negatives(asked, family)
    else:
        proposed = world_modifiers(asked, family), world_negatives(asked, family, _ESSENTIALS)
    modifiers = [term for term in proposed[0] if not is_unwelcome(term[0], asked)]
    negatives = [term for term in proposed[1] if not is_contradicted(term[0], asked)]
    return PromptPair(
        append_phrases(DFPrompt.plain(prompt), _spans(modifiers, MODIFIER_TIMES)),
        append_phrases(DFPrompt(), _spans(negatives, NEGATIVE_TIMES)),
    )


def _negatives(asked: Asked, family: Family) -> list[Term]:
    """What to forbid, the most useful first, before contradictions are taken out."""
    is_anime = any(medium.name == "anime" for medium in asked.media)
    habit = phrases_for("anime negatives") if is_anime and not family.is_tagged else family.negatives
    return [
        *habit[:_ESSENTIALS],
        *_style_conflicts(asked),
        *((phrase, "antonym") for topic in asked.topics for phrase in topic.negate),
        *_anatomy(asked, is_anime or family.is_tagged),
        *habit[_ESSENTIALS:],
    ]


def _style_conflicts(asked: Asked) -> list[Term]:
    """The media that the asked ones all exclude; none if the prompt names no medium."""
    if not asked.media:
        return []
    first, *others = asked.media
    shared = [phrase for phrase in first.conflicts if all(phrase in medium.conflicts for medium in others)]
    return [(phrase, "style") for phrase in shared[:_STYLE_CONFLICTS]]


def _anatomy(asked: Asked, is_tagged: bool) -> Sequence[Term]:
    if shows_people(asked.words):
        return phrases_for("tagged people negatives" if is_tagged else "people negatives")
    return phrases_for("animal negatives") if shows_animals(asked.words) else ()


def _modifiers(asked: Asked, family: Family) -> list[Term]:
    by_medium = _medium_modifiers()[asked.media[0].name] if asked.media else phrases_for("plain modifiers")
    return [*family.modifiers, *by_medium]


@cache
def _medium_modifiers() -> dict[str, tuple[Term, ...]]:
    """What improves a picture, by its medium."""
    return {row[0]: read_terms(row[4]) for row in read_rows(MEDIA_FILE)}


def _spans(terms: Iterable[Term], times: Mapping[Kind, tuple[Window, float]]) -> list[Span]:
    """Each phrase once, with the weight and window of its kind."""
    spans: dict[str, Span] = {}
    for phrase, kind in terms:
        window, weight = times[kind]
        spans.setdefault(phrase_key(phrase), Span(phrase, weight, window))
    return list(spans.values())


def _tables() -> list[tuple[str, Any]]:
    """What decides besides the family, named and ordered as in earlier versions: the hash in their records stays."""
    world = world_table("medium")
    return [
        ("ANIMAL_NEGATIVES", phrases_for("animal negatives")),
        ("ANIME_NEGATIVES", phrases_for("anime negatives")),
        ("FULL", FULL),
        ("MEDIUM_MODIFIERS", _medium_modifiers()),
        ("MODIFIER_TIMES", MODIFIER_TIMES),
        ("NEGATIVE_TIMES", NEGATIVE_TIMES),
        ("PEOPLE_NEGATIVES", phrases_for("people negatives")),
        ("PLAIN_MODIFIERS", phrases_for("plain modifiers")),
        ("TAGGED_PEOPLE_NEGATIVES", phrases_for("tagged people negatives")),
        ("WORLD_LIKELY", world_table("fault")),
        ("WORLD_MEDIA", tuple(world)),
        ("WORLD_MODIFIERS", {name: terms[0] for name, terms in world.items()}),
        ("_COMMON", families()["sdxl"].negatives[:-1]),
        ("_TAGGED", phrases_for("anime negatives")),
    ]
