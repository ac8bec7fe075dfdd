"""The gain of each phrase for a prompt, and the set of phrases with the best gain that fits.

gain(phrase | prompt, family) = effect of the family + sum over the prompt's concepts of strength * effect, each effect
with a mean and a variance. Phrases with the same head ("bad hands", "malformed hands") add less beside each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ...text.word_tables import word_set
from ..contradiction import is_contradicted, is_unwelcome
from ..media import names_a_body
from ..words import phrase_key
from .choosing import Choice, Limit, Reason, best, is_of_family
from .evidence import EVERY, Evidence
from .knowledge import Concept, Knowledge, ModelFamily, Side
from .lexicon import Found, Lexicon
from .reading import Reading

ANY_PROMPT = "any prompt"
"""What a reason is from where it holds for every prompt."""
PRIOR_SD = 0.2
"""How unsure a number is that was written by hand."""
_UNWANTED_GAIN = 1.5
_MOST_NEGATIVES = {"phrases": 12, "sentences": 12, "tags": 16}
_OF_MAIN, _OF_OTHER, _OF_ALL, _OF_BODIES, _OF_MEDIA = 4, 1, 4, 5, 3
"""Faults said of the main subject, of each other one, of all of them; of bodies; and media that it is not: the usual
faults of any picture keep their place."""
_MAIN_SHARE = 1.3
"""How much more the faults of what the picture is of count: they stand before the usual ones of any picture."""
_WRITTEN = frozenset({"lettering", "symbolic medium", "pixel art"})
"""Media whose own failures come before those of what they show."""
_HANDED = frozenset(
    {"person", "creature", "animal in clothes", "monkey", "robot", "hands", "face", "portrait", "anime", "doll"}
)
"""Where none of them is with an animal, nothing in the picture has hands."""
_HANDS = frozenset({"hand", "hands", "finger", "fingers", "digits"})
_LIVING = frozenset({"person", "animal", "creature"})
_BODIES = _LIVING | {"portrait", "face", "eyes", "hands", "bare feet", "plush toy"}
"""Where one of them is in the picture, words about bodies have a place."""
_SPECIFIC = ("subject", "light", "composition")
_PLACED = ("subject", "people", "setting")
_LEAST_MODIFIER = 0.34
"""Readers liked nothing better than modifiers of less."""
_PLAIN_ALONE = 2
"""So many general words by themselves are no better than nothing."""
_ROOM = ((16, 4), (35, 3), (60, 2))
"""A prompt of up to so many words gets up to so many modifiers; a longer one says itself how it wants to look."""


@dataclass(frozen=True, slots=True)
class Model:
    """Tables and what was learned on top of them."""

    knowledge: Knowledge
    lexicon: Lexicon
    evidence: Sequence[Evidence] = ()

    def choose(
        self, reading: Reading, family: ModelFamily, side: Side, count_tokens: Callable[[str], int]
    ) -> list[Choice]:
        """The phrases for one side, the best first."""
        choices = self._gains(reading, family, side)
        is_blocked = self._blocker(reading, side)
        if side == "negative":
            room, limit = _MOST_NEGATIVES.get(family.language, 16), self._limits(reading)
            return best(choices, is_blocked, limit, room, False, family.max_tokens, count_tokens)
        room, limit = _room(reading), self._only_of_main(reading)
        worth = [one for one in choices if one.gain >= _LEAST_MODIFIER or is_of_family(one)]
        found = best(worth, is_blocked, limit, room, True, family.max_tokens, count_tokens)
        own = {one.phrase for one in found if not is_of_family(one)}
        is_plain = len(own) <= _PLAIN_ALONE and own <= word_set("plain modifiers")
        return [one for one in found if one.phrase not in own] if is_plain else found

    def gains(self, reading: Reading, family: ModelFamily, side: Side) -> dict[str, float]:
        """The gain of every phrase that the tables or the evidence speak of."""
        return {one.phrase: one.gain for one in self._gains(reading, family, side)}

    def blocker(self, reading: Reading, side: Side) -> Callable[[Choice], bool]:
        """What tells whether a phrase may not be said for this prompt."""
        return self._blocker(reading, side)

    def _places(self, reading: Reading) -> dict[str, int]:
        """Subject -> where in the prompt it is named; the first is what the picture is of."""
        kinds = self.knowledge.concepts
        placed = [one for one in reading.found if kinds[one.concept].kind in _PLACED]
        named = [one for one in placed if one.strength > 0.5]
        return {one.concept: one.place for one in named or placed}

    def _main(self, reading: Reading) -> frozenset[str]:
        """What the picture is of: the things that the prompt names first, or letters, a logo or pixels before them."""
        places, kinds = self._places(reading), self.knowledge.concepts
        first = min(places.values(), default=0)
        for one in reading.found:
            is_written = kinds[one.concept].kind in ("medium", "lettering") and not _WRITTEN.isdisjoint(
                self.knowledge.lineage(one.concept)
            )
            if is_written and one.strength > 0.5 and one.place <= first:
                return frozenset(self.knowledge.lineage(one.concept))
        return frozenset(name for name, place in places.items() if place == first and kinds[name].kind == "subject")

    def _shared(self, one: Found, reading: Reading) -> list[Concept]:
        """What stands above a thing and above another thing too: the clam takes no leg from the otter that holds it."""
        concepts = self.knowledge.concepts
        if concepts[one.concept].kind != "subject" or not concepts[one.concept].parents:
            return []
        own = set(self.knowledge.lineage(one.concept))
        others = [
            set(self.knowledge.lineage(other.concept))
            for other in reading.found
            if other.place != one.place and other.strength > 0.5 and concepts[other.concept].kind == "subject"
        ]
        return [concepts[name] for name in own if name != one.concept and any(name in lines for lines in others)]

    def _limits(self, reading: Reading) -> Limit:
        """How many faults are said of one thing: group of the phrase -> the most of that group."""
        places = self._places(reading)
        main = min(places.values(), default=0)

        def limit(choice: Choice) -> dict[str, int]:
            kind = self._kind(choice.phrase, "negative")
            if kind in ("anatomy", "medium"):
                return {kind: _OF_BODIES if kind == "anatomy" else _OF_MEDIA}
            cause = _cause(choice)
            if kind not in _SPECIFIC or cause.concept not in places:
                return {}
            place = places[cause.concept]
            return {"subjects": _OF_ALL, f"at {place}": _OF_MAIN if place == main else _OF_OTHER}

        return limit

    def _only_of_main(self, reading: Reading) -> Limit:
        """What flatters a thing is said of what the picture is of, not of what stands beside it.

        And only in photographs: in other pictures the medium decides how surfaces look.
        """
        places = self._places(reading)
        main = min(places.values(), default=0)

        is_drawn = any("not a photograph" in self.knowledge.lineage(one.concept) for one in reading.found)

        def limit(choice: Choice) -> dict[str, int]:
            concept = _cause(choice).concept
            is_surface = is_drawn and concept in places
            return {} if places.get(concept, main) == main and not is_surface else {"beside": 0}

        return limit

    def _gains(self, reading: Reading, family: ModelFamily, side: Side) -> list[Choice]:
        reasons: dict[str, list[Reason]] = {}
        variances: dict[str, float] = {}

        def add(phrase: str, reason: Reason, sd: float) -> None:
            if reason.effect:
                reasons.setdefault(phrase, []).append(reason)
                variances[phrase] = variances.get(phrase, 0.0) + sd**2

        if side == "negative":
            for thing in reading.unwanted:
                add(thing, Reason("your prompt does not want it", "prompt", _UNWANTED_GAIN), 0.0)
        for phrase, effect in family.effects[side].items():
            add(phrase, Reason(family.name, "model", effect), PRIOR_SD)
        for phrase, reason in self._known(reading, side):
            add(phrase, reason, PRIOR_SD)
        for table in self.evidence:
            concepts = table.effects[side]
            for name, strength, because in (
                (EVERY, 1.0, ANY_PROMPT),
                *((f.concept, f.strength, f.concept) for f in reading.found),
            ):
                for phrase, learned in concepts.get(name, {}).items():
                    add(phrase, Reason(because, table.source, strength * learned.mean), learned.sd)
        return [
            Choice(phrase, sum(one.effect for one in parts), math.sqrt(variances[phrase]), tuple(parts))
            for phrase, parts in reasons.items()
        ]

    def _known(self, reading: Reading, side: Side) -> Iterator[tuple[str, Reason]]:
        """Phrases and what the tables' concepts add to them.

        What several things beside the main one share is counted once: a bed, a vase and a lamp float no more than one.
        """
        concepts = self.knowledge.concepts
        main = self._main(reading) if side == "negative" else frozenset()
        beside: dict[str, dict[int, list[Reason]]] = {}
        for one in reading.found:
            because = one.concept if one.word == one.concept else f"{one.concept} ({one.word})"
            share = one.strength * (_MAIN_SHARE if one.concept in main else 1.0)
            shared = self._shared(one, reading) if side == "negative" else []
            is_beside = side == "negative" and concepts[one.concept].kind == "subject" and one.concept not in main
            for phrase, effect in concepts[one.concept].effects[side].items():
                if effect < 0.0 and any(above.effects[side].get(phrase, 0.0) > 0.0 for above in shared):
                    continue
                if one.by_name or not self._names_itself(one.concept, phrase):
                    reason = Reason(because, "knowledge", share * effect, one.concept)
                    if is_beside:
                        beside.setdefault(phrase, {}).setdefault(one.place, []).append(reason)
                    else:
                        yield phrase, reason
        for phrase, places in beside.items():
            most = max(places.values(), key=lambda reasons: sum(reason.effect for reason in reasons))
            lowering = [
                one for reasons in places.values() if reasons is not most for one in reasons if one.effect < 0.0
            ]
            yield from ((phrase, one) for one in [*most, *lowering])

    def _blocker(self, reading: Reading, side: Side) -> Callable[[Choice], bool]:
        concepts = self.knowledge.concepts
        here = {one.concept for one in reading.found}
        never = {phrase_key(phrase) for name in here for phrase in concepts[name].never}
        has_medium = any(concepts[name].kind in ("medium", "style") for name in here)
        unwanted = {phrase_key(thing) for thing in reading.unwanted}
        is_deserted = self._is_deserted(reading, here)
        is_mixed = {"photo", "not a photograph"} <= here
        handed = here - {"anime"} if reading.is_tagged else here
        handed = handed - {"creature"} if not here.isdisjoint(("dragon", "horse")) else handed
        is_handless = "animal" in here and _HANDED.isdisjoint(handed)
        is_scene = not reading.is_tagged and bool(self._places(reading)) and not _BODIES & here

        def is_blocked(choice: Choice) -> bool:
            phrase, key = choice.phrase, phrase_key(choice.phrase)
            if side == "negative":
                if key in unwanted:
                    return False
                is_of_family_only = all(reason.source == "model" for reason in choice.reasons)
                about_body = names_a_body(phrase) or self._kind(phrase, side) == "anatomy"
                named = not here.isdisjoint(self.lexicon.named(phrase))
                is_body = about_body and (is_of_family_only or is_deserted or (is_scene and self._is_of_look(choice)))
                words = set(phrase.split())
                is_body = (
                    is_body or (is_scene and "clothing" in words) or (is_handless and not _HANDS.isdisjoint(words))
                )
                is_medium = is_mixed and self._kind(phrase, side) in ("medium", "style")
                return key in never or is_body or is_medium or named or is_contradicted(phrase, reading.asked)
            names = self.lexicon.named(phrase)
            is_other_medium = has_medium and any(concepts[one].kind == "medium" and one not in here for one in names)
            is_unwanted = any(set(thing.split()) <= set(key.split()) for thing in unwanted if thing)
            is_body = names_a_body(phrase) and not reading.is_tagged and not _BODIES & here
            return key in never or is_body or is_other_medium or is_unwanted or is_unwelcome(phrase, reading.asked)

        return is_blocked

    def _is_deserted(self, reading: Reading, here: set[str]) -> bool:
        """True if people or animals are unwanted and none are left: then no word about bodies has a place."""
        named = {
            above
            for thing in reading.unwanted
            for one in self.lexicon.named(thing)
            for above in self.knowledge.lineage(one)
        }
        return bool(_LIVING & named) and not _LIVING & here

    def _is_of_look(self, choice: Choice) -> bool:
        """True if only the family, a medium or a style speaks for a phrase, and no thing in the picture."""
        kinds = self.knowledge.concepts
        return all(not one.concept or kinds[one.concept].kind in ("medium", "style") for one in choice.reasons)

    def _names_itself(self, concept: str, phrase: str) -> bool:
        """True for "asymmetrical bottle" of the concept bottle: nothing to say of a bowl, which is only like one."""
        return any(concept in self.lexicon.named(word) for word in phrase.split())

    def _kind(self, phrase: str, side: Side) -> str:
        known = self.knowledge.phrases[side].get(phrase)
        return known.kind if known else ""


def _room(reading: Reading) -> int:
    """How many modifiers a prompt of this length can bear."""
    return next((most for length, most in _ROOM if reading.length <= length), 0)


def _cause(choice: Choice) -> Reason:
    """What speaks most for a phrase."""
    return max(choice.reasons, key=lambda reason: reason.effect)
