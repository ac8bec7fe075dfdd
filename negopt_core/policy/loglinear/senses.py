"""Whether a thing that a prompt names stands in the picture, or only describes, is looked like, or is shown there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ...text.word_tables import word_set
from .lexicon import Found, Lexicon

COLORLESS = "black and white"
HEADS = "ordinary thing"
"""The concept of words that name a thing behind another, as the soap in "hand soap"."""
_BESIDE = 0.45
"""How far a thing counts that describes the next word, as the tea in "tea hills", or a medium that is only shown."""
OWNER = "’"
"""What stands for "'s" in a text that is read here."""
_THINGS = ("subject", "setting")
_NO_HEADS = frozenset({"portrait", "face", "empty place", "apocalyptic", "outdoors", "indoors"})
"""Concepts whose words do not make a describing word of the thing before: "dog portrait", "bus abandoned"."""
_STAY = frozenset({"person", "architecture", "landscape", "interior", "lettering", "food", "vehicle", "bottle", "shoe"})
"""Things that stay what they are before a noun of no concept: "church hill", "forest floor", "pizza crust"."""
_TOOLS = frozenset({"pencil", "crayon", "charcoal", "brush pen", "graphite"})
_ARTICLES = r"(?:(?:an?|the|his|her|their|its|my|some)\s+)?(?:\w+\s+){0,2}\Z"
_HELD = re.compile(
    r"(?<!\w)(?:on|over|onto|with|from|holding|reading|behind|beside)\s+(?:an?|the|his|her|their|some)\s+(?:\w+\s+){0,2}\Z",
    re.IGNORECASE,
)
"""Before a thing that somebody holds or that lies there."""
_LYING = re.compile(
    r"(?<!\w)(?:on|with|from|over|onto|and|under|between|beside|behind|near|by|holding|reading|into|among|past|"
    rf"wrapped\s+in|covered\s+(?:in|with))\s+{_ARTICLES}",
    re.IGNORECASE,
)
_SEEN = re.compile(
    rf"(?<!\w)(?:with|through|beside|behind|near|around|under|against|below|past|toward|towards)\s+{_ARTICLES}",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"(?<!\w)(?:an?|the|his|her|their)\s+(?:\w+\s+)?\Z", re.IGNORECASE)
_ON_BEHALF = re.compile(r"(?<!\w)for\s+(?:(?:an?|the|my|our|your)\s+)?(?:\w+\s+){0,2}\Z", re.IGNORECASE)
_ALIKE = re.compile(
    r"(?<!\w)(?:shaped\s+(?:like|as)|in\s+the\s+(?:shape|form)\s+of|looks?\s+like|looking\s+like|made\s+to\s+resemble|"
    r"resembling|that\s+resembles|carved\s+(?:as|like))\s+(?:an?\s+|the\s+)?(?:\w+\s+){0,2}\Z",
    re.IGNORECASE,
)
_LIKENESS = re.compile(
    r"[\s-]+(?:shaped|inspired|themed|flavou?red|scented|patterned|printed|colou?red)(?!\w)(?!\s+(?:like|as|by|from))",
    re.IGNORECASE,
)
_AFTERWARDS = re.compile(r"(?<!\w)after\s+(?:an?|the|his|her|their)\s+(?:\w+\s+)?\Z", re.IGNORECASE)
_ROOM_OF = re.compile(
    r"(?<!\w)(?:room|bedroom|house|home|study|desk|hut|lair|den|office|workshop|kitchen|tower|grave|tomb|shop|ship)\s+"
    r"of\s+(?:an?|the|some)\s+(?:\w+\s+)?\Z",
    re.IGNORECASE,
)
"""Before somebody who owns a place and need not be there."""
_MADE_OF = re.compile(r"(?<!\w)(?:made|folded|cut|built|formed|shaped|torn)\s+(?:out\s+)?(?:of|from)\s+(?:\w+\s+)?\Z")
_OF = re.compile(r"\s+of\s+", re.IGNORECASE)


def in_their_sense(found: list[Found], told: str, tokens: list[re.Match[str]], lexicon: Lexicon) -> list[Found]:
    """`found` without what is only a color, and with less of what describes another thing or is shown in the picture.

    "tea hills" are no tea, "a hand soap" is no hand, a door knocker shaped like a lion head is no lion; an origami
    animal of a road map is no map, a table with newspapers is no newspaper page.
    """
    reader = _Reader(tuple(found), told, tuple(tokens), lexicon)
    return [
        replace(one, strength=one.strength * _BESIDE) if reader.describes(one) or reader.is_shown(one) else one
        for one in found
        if not (reader.is_color(one) or reader.is_replica(one) or reader.is_drunk_from(one))
    ]


@dataclass(frozen=True)
class _Reader:
    """A text and what was found in it."""

    found: Sequence[Found]
    told: str
    tokens: Sequence[re.Match[str]]
    lexicon: Lexicon

    @cached_property
    def media(self) -> Sequence[Found]:
        """The media, in the order of the prompt."""
        kinds = self.lexicon.knowledge.concepts
        return sorted((one for one in self.found if kinds[one.concept].kind == "medium"), key=lambda one: one.place)

    @cached_property
    def heads(self) -> frozenset[int]:
        """Where words stand that make a describing word of the thing before."""
        return frozenset(one.place for one in self.found if self._is_head(one))

    @cached_property
    def things(self) -> Sequence[int]:
        """Where things and places are named."""
        kinds = self.lexicon.knowledge.concepts
        return [one.place for one in self.found if kinds[one.concept].kind in _THINGS]

    @cached_property
    def taken(self) -> frozenset[int]:
        """Where any concept was found."""
        return frozenset(one.place for one in self.found)

    def is_color(self, one: Found) -> bool:
        """The orange of "orange buoys", the emerald of "emerald sequins"."""
        last = one.place
        if one.word not in word_set("colors") or not self._is_joined(last):
            return False
        following = self.tokens[last + 1].group().casefold()
        above = self._above(one)
        beside = {up for other in self.found if other.place == last + 1 for up in self._above(other)}
        if {"food", "plant", "jewelry"} & above & beside:
            return False
        is_thing = last + 1 in self.heads or following in word_set("color ends")
        is_another = following not in word_set("fillers") and not following.endswith(("ed", "ing"))
        return is_thing or (is_another and following.isalpha() and len(following) > 2)

    def is_replica(self, one: Found) -> bool:
        """The model of "sailboat model" and "lego model of a tower"."""
        if one.word != "model" or one.concept != "person":
            return False
        end = self.tokens[one.place].end()
        before = self.tokens[one.place - 1].group().casefold() if one.place and self._is_joined(one.place - 1) else ""
        is_of_thing = one.place - 1 in self.things or before in ("scale", "lego", "wooden", "paper", "plastic")
        return bool(_OF.match(self.told, end)) or is_of_thing

    def is_drunk_from(self, one: Found) -> bool:
        """The glasses beside a bottle, where nobody could wear them."""
        if one.concept != "eyewear" or one.word != "glasses":
            return False
        above = {up for other in self.found for up in self._above(other)}
        return not {"drink", "bottle", "food", "eatery"}.isdisjoint(above) and above.isdisjoint(("person", "animal"))

    def describes(self, one: Found) -> bool:
        """True for a thing that only says what another one is like."""
        kind = self.lexicon.knowledge.concepts[one.concept].kind
        last = one.place + one.word.count(" ")
        if last >= len(self.tokens) or not (kind in _THINGS or one.concept == COLORLESS):
            return False
        before, end = self.told[: self.tokens[one.place].start()], self.tokens[last].end()
        above = self._above(one)
        is_absent = bool(_ALIKE.search(before) or _AFTERWARDS.search(before)) or self._is_done_by_animal(one)
        is_absent = is_absent or ("person" in above and bool(_ROOM_OF.search(before)))
        if _LIKENESS.match(self.told, end) or (kind in _THINGS and is_absent):
            return True
        if kind in _THINGS and self._is_symbol() and _ON_BEHALF.search(before):
            return True
        if one.word in word_set("vessels") and _OF.match(self.told, end):
            return any(last + 1 < place <= last + 5 for place in self.things)
        if not self._is_joined(last):
            return False
        following = self.tokens[last + 1].group().casefold()
        if self.told[end : end + 1] == OWNER:
            return not above.isdisjoint(("person", "animal", "creature")) and following not in word_set("own parts")
        if last + 1 in self.heads:
            return True
        is_free = last + 1 not in self.taken and above.isdisjoint(_STAY) and kind == "subject"
        is_verb = "animal" in above and following.endswith("s") and following not in word_set("of animals")
        return is_free and not is_verb and self._is_noun(following) and not self.lexicon.is_person(following)

    def is_shown(self, one: Found) -> bool:
        """True for a medium that is only seen in the picture: a map on the desk, a pencil on the table."""
        kinds = self.lexicon.knowledge.concepts
        if one.place >= len(self.tokens) or kinds[one.concept].kind != "medium":
            return False
        above, before = self._above(one), self.told[: self.tokens[one.place].start()]
        if "symbolic medium" in above and _HELD.search(before):
            return True
        if one.word in _TOOLS and _ARTICLE.search(before):
            return True
        has_thing = any(place < one.place for place in self.things)
        is_printed = "lettering" in above or "flat graphic" in above
        if is_printed and _MADE_OF.search(before):
            return True
        if has_thing and is_printed and one.concept != "neon sign" and _LYING.search(before):
            return True
        if has_thing and "craft object" in above and _SEEN.search(before):
            return True
        first = self.media[0] if self.media else None
        if first is None or one.place <= first.place:
            return False
        own = self._above(first)
        if "photo" in own and "flat medium" in above and "photo" not in above:
            return True
        if self._qualifies_next(first, one):
            return False
        return "symbolic medium" in above or ("craft object" in above and own.isdisjoint(("craft object", "photo")))

    def _is_head(self, one: Found) -> bool:
        kind = self.lexicon.knowledge.concepts[one.concept].kind
        if one.concept == HEADS or (kind == "medium" and not self._above(one).isdisjoint(("sculpture", "toy"))):
            return True
        return kind in _THINGS and one.concept not in _NO_HEADS and not one.word.endswith("ing")

    def _is_done_by_animal(self, one: Found) -> bool:
        """The dancing of a spider makes no dancer of it."""
        above = self._above(one)
        if (
            one.word in self.lexicon.nouns.places
            or not ({"person", "duel", "eating person", "writer"} & above)
            or not one.word.endswith("ing")
        ):
            return False
        earlier = [other for other in self.found if other.place < one.place and other.place in self.things]
        nearest = max(earlier, key=lambda other: other.place, default=None)
        return nearest is not None and not {"animal", "insect", "spider", "octopus"}.isdisjoint(self._above(nearest))

    def _is_symbol(self) -> bool:
        first = self.media[0] if self.media else None
        return first is not None and "symbolic medium" in self._above(first)

    def _qualifies_next(self, first: Found, one: Found) -> bool:
        """True for the line art of "line art logo"."""
        last = first.place + first.word.count(" ")
        return one.place == last + 1 and self._is_joined(last)

    def _is_joined(self, last: int) -> bool:
        """Whether a word follows behind nothing but a space."""
        if last + 1 >= len(self.tokens):
            return False
        between = self.told[self.tokens[last].end() : self.tokens[last + 1].start()]
        return not between.strip(f" -{OWNER}")

    def _is_noun(self, word: str) -> bool:
        places = self.lexicon.nouns.places
        return (
            word not in word_set("behind")
            and not word.endswith("ing")
            and (word in places or (word.endswith("s") and word[:-1] in places))
        )

    def _above(self, one: Found) -> set[str]:
        return set(self.lexicon.knowledge.lineage(one.concept))
