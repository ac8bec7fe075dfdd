"""What a prompt is about: concepts, wishes, length, kind of language."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ...text.languages import read_foreign
from ...text.unwanted import read_wishes
from ..contradiction import Asked, read_asked
from ..structure import without_names
from ..words import words_of
from .lexicon import SURE, Found, Lexicon
from .senses import OWNER, in_their_sense

_RAW = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"['’]s\b")
_BREAK = re.compile(r"[,;!?\n]|\.\s")
"""Between words that are no name together: the "car, mirror" of a list is no car mirror."""
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_NAME = re.compile(
    r"(?<=\b(?:called|titled) )(?:The\s+)?(?:[A-Z]\w*\s?)+|(?<=\bthe word )[A-Z]{2,}|(?<=\bthe words )(?:[A-Z]{2,}\s?)+"
)
"""What something in the picture is called, or says, without quotation marks."""
_READING = re.compile(r"(?<!\w)reading\W*$", re.IGNORECASE)
_TAG = re.compile(
    r"(?:\d\+?(?:girl|boy|other|woman|man)s?|solo|score_\d\w*|rating_\w+|[a-z]+_[a-z_]+|masterpiece|absurdres)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“„«][^\"”“»\n]{1,120}[\"”“»]|(?<=\s)'[^'\n]{2,80}'(?!\w)")
_SAYS = re.compile(
    r"(?<!\w)(?:says?|saying|reads?|reading|titled?|labell?ed|spell(?:s|ing)|word|text|sign|letters?)\W*$",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"(?<!\w)(?:[2-6]\+?(?:girl|boy|other)s|(?:two|three|four|five|six|several|many|multiple|a\s+group\s+of|pair\s+of)\s+"
    r"(?:\w+\s+){0,2}?(?:men|women|people|persons|girls|boys|children|kids|friends|dancers|soldiers|players|guys|ladies))(?!\w)",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"(?<!\w)(?:[2-9]|1\d|two|three|four|five|six|seven|eight|nine|ten|a dozen|several|many|multiple|"
    r"(?:pair|row|stack|couple|bunch|group|set) of)\s+[a-z]+",
    re.IGNORECASE,
)
_MORE_PARTS = re.compile(
    r"(?<!\w)(?:(?:two|three|four|five|six|seven|eight|nine|ten|many|multiple|\d+)[\s-]+"
    r"(?:legged|armed|handed|headed|eyed|tailed|winged|horned)|"
    r"(?:three|four|five|six|seven|eight|nine|ten|many|multiple|extra|[3-9]|\d\d)\s+"
    r"(?:legs|arms|hands|heads|eyes|tails|wings|horns|limbs))(?!\w)",
    re.IGNORECASE,
)
"""A body that is to have more of something than others have."""
PLAIN, BRIEF = "no medium", "few words"
"""Concepts of a prompt that says what to show and not how; of one that says it in at most `_FEW` words."""
_FEW = 3
_MOST_WORDS = 3_000
"""Words of a prompt that are looked up; no encoder reads as many."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A prompt, read."""

    found: tuple[Found, ...]
    """Each concept once, those above the named ones too, in the order of the prompt."""
    asked: Asked
    unwanted: tuple[str, ...]
    length: int
    """Words, without unwanted ones."""
    is_tagged: bool

    @property
    def strengths(self) -> dict[str, float]:
        """Concept -> how far it counts."""
        return {one.concept: one.strength for one in self.found}


def read_prompt(prompt: str, lexicon: Lexicon) -> Reading:
    """Read a prompt; linear in its length, whatever is in it."""
    wishes = read_wishes(prompt)
    told = _said_about_picture(without_names(wishes.wanted))
    told = _POSSESSIVE.sub(OWNER, told)
    tokens = list(_RAW.finditer(told))[:_MOST_WORDS]
    raw = [token.group().casefold() for token in tokens]
    words = [(words_of(word) or [word])[0] for word in raw]
    foreign = read_foreign(told, lexicon.knowledge.languages, lexicon.knows)
    breaks = frozenset(
        place for place in range(1, len(tokens)) if _BREAK.search(told[tokens[place - 1].end() : tokens[place].start()])
    )
    found = list(lexicon.find(words, raw, is_english=not foreign, breaks=breaks))
    found = in_their_sense(found, told, tokens, lexicon)
    spoken_for = {part for one in found for part in one.word.split() if " " in one.word}
    for place, word in enumerate(foreign):
        if word.written in spoken_for:
            continue
        found += [Found(name, word.written, SURE, place=place) for name in lexicon.named(word.english)]
    is_tagged = len(_TAG.findall(told)) >= 2
    found += [Found(name, why, SURE) for name, why in _signs(prompt, wishes.wanted, is_tagged)]
    lines = {above for one in found for above in lexicon.knowledge.lineage(one.concept)}
    looks = {lexicon.knowledge.concepts[name].kind for name in lines}
    length = len(raw) + len(_UNSPACED.findall(told)) // 3
    if not is_tagged and looks.isdisjoint(("medium", "style")):
        found.append(Found(PLAIN, "no medium named", SURE))
    if not is_tagged and looks.isdisjoint(("medium", "lettering")) and 0 < length <= _FEW:
        found.append(Found(BRIEF, "few words", SURE))
    asked = read_asked(" ".join([wishes.wanted, *(word.english for word in foreign)]))
    everything = read_foreign(prompt, lexicon.knowledge.languages, lexicon.knows) if wishes.unwanted else []
    english = {word.written: word.english for word in everything}
    unwanted = [english.get(thing.casefold(), thing) for thing in wishes.unwanted]
    return Reading(_with_parents(found, lexicon), asked, tuple(dict.fromkeys(unwanted)), length, is_tagged)


def _said_about_picture(text: str) -> str:
    """Without the words that the picture is to show as letters."""
    kept, at = [], 0
    for quoted in _QUOTED.finditer(text):
        kept.append(_READING.sub("", text[at : quoted.start()]))
        at = quoted.end()
    return _NAME.sub(" ", " ".join([*kept, text[at:]]))


def _signs(prompt: str, wanted: str, is_tagged: bool) -> list[tuple[str, str]]:
    """Concepts that are told by signs and numbers: name and what told it."""
    found = [("tags", "tags")] if is_tagged else []
    if several := _SEVERAL.search(wanted):
        found += [("group", several.group().strip())]
    if counted := _COUNTED.search(wanted):
        found += [("several things", counted.group())]
    if more := _MORE_PARTS.search(wanted):
        found += [("more parts", more.group())]
    for quoted in _QUOTED.finditer(wanted):
        is_letters = _SAYS.search(wanted[max(0, quoted.start() - 30) : quoted.start()]) or quoted.group()[0] != "'"
        if is_letters and ":" not in prompt[quoted.end() : quoted.end() + 1] and prompt[:1] not in "{[":
            return [*found, ("lettering", quoted.group()[:40])]
    return found


def _with_parents(found: list[Found], lexicon: Lexicon) -> tuple[Found, ...]:
    """Each concept once and as strongly as its strongest finding, then what stands above it."""
    concepts = lexicon.knowledge.concepts
    best: dict[str, Found] = {}
    for one in found:
        if one.concept in concepts:
            for name in lexicon.knowledge.lineage(one.concept):
                known = best.get(name)
                if known is None or known.strength < one.strength:
                    best[name] = replace(one, concept=name)
                elif known.strength == one.strength and one.place < known.place:
                    best[name] = replace(known, place=one.place)
    return tuple(best.values())
