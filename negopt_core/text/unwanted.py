"""What a prompt says that it does not want: "no people", "without text", "not blurry", `(people:-1)`, `--no hats`.

Text encoders read "no people" much like "people", so such words belong into the negative, and what they name is not a
thing that the prompt asks for. Words in quotation marks are what a picture should say, and are left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from .languages import guess_language

_LONGEST = 4
"""Words of an unwanted thing; more of them are a sentence, not a thing."""

_QUOTED = re.compile(r"\"[^\"\n]{1,200}\"|“[^”\n]{1,200}”|«[^»\n]{1,200}»|「[^」\n]{1,200}」")
_WEIGHTED = re.compile(r"\(([^()\n]{1,200}):\s*-\s*\d*\.?\d+\s*\)")
_FLAG = re.compile(r"(?<!\S)--no\s+(.*?)(?=\s--\w|$)", re.DOTALL)
_FIELD = re.compile(r"\"?\bnegative(?:[ _]prompt)?\"?\s*[:=]\s*(\"[^\"]*\"|[^\n}]*)", re.IGNORECASE)
_CUE = re.compile(
    r"(?<![\w-])(?:no|without(?:\s+any)?|not|never|devoid\s+of|free\s+(?:of|from)|avoid(?:ing)?|exclud(?:e|ing)|"
    r"(?:do\s+not|don['’]t|does\s+not|doesn['’]t)\s+(?:show|include|add|draw|use|have|want|contain)|"
    r"ohne|keine?[nmrs]?|nicht|sans|pas\s+d[e'’]|aucune?|sin|ning[uú]n[ao]?|sem|nenhuma?|senza|nessun[ao]?|"
    r"без|нет|не)(?:\s+(?:any|a|an|the|visible|some|ein(?:e[nmrs]?)?|der|die|das|de|des|du|la|le|les|el|los|las))*\s+",
    re.IGNORECASE,
)
_AUXILIARY = re.compile(r"(?<!\w)(?:did|does|do|could|would|should|will|can|has|have|had)\s+\Z", re.IGNORECASE)
"""Before "not": somebody who did not sleep is no thing to leave out."""
_AMBIGUOUS = ("sin", "sem", "sans")
"""In an English prompt these are a sin, a microscope and a typeface; "no" is "in the" in Portuguese."""
_CUE_BEFORE_HAN = re.compile(r"(?:没有|沒有|不要|不含|(?:无|無)(?!人))([^\s,，。、；;！!的]{1,8})")
_CUE_BEHIND = re.compile(r"([^\s,，。、；;のがは]{1,8})(?:(?:の|が|は)?(?:なし|無し|いない|ない)|\s?없(?:는|이|음))")
_FREE = re.compile(
    r"(?<!\w)(text|watermark|logo|people|person|noise|blur|clutter|distraction|shadow|border)s?[- ]free(?!\w)"
)
_END = re.compile(r"[,.;:!?\n()\[\]{}|<>\"“”，。、；]| - |--")
_IN_BACKGROUND = re.compile(r"\s*(?:in|at)\s+(?:the\s+)?background(?!\w)", re.IGNORECASE)
_AND = re.compile(r"\s+(?:and|or|nor|und|oder|et|ou|y|o|e|и|или)\s+(?:no\s+|any\s+|without\s+)?", re.IGNORECASE)
_STOPS = re.compile(
    r"\s+(?:of|in|on|at|with|under|over|behind|near|by|from|to|for|while|but|that|which|who|as|inside|around|across|"
    r"reaches|looks|stands|sits|walks|runs|leans|holds|waits|stares|rides|lies|sleeps|smiles|steps|climbs|"
    r"im|mit|auf|bei|dans|avec|sur|en|con|com|nel|sul|в|на|с|la|le|les|il|lo|el|los|las|der|die|das|anywhere|at\s+all)\s",
    re.IGNORECASE,
)
_NOT_NEGATION = re.compile(
    r"(?:longer|matter|doubt|man['’]?s|other|way|smoking|parking|entry|exit|trespassing|only|just|far|to|yet|quite|so|"
    r"even|unlike|surprisingly|you|me|us|him|her|them|it|we|they|i|\d\S*)(?!\w)",
    re.IGNORECASE,
)
_NOBODY = re.compile(
    r"(?<!\w)(?:no[ -]one|nobody|without anyone|niemand|personne|nadie|ninguém|nessuno)(?!\w)|無人|无人", re.IGNORECASE
)


_KEPT = 64
"""Prompts that stay read: one answer asks many times."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """A prompt taken apart."""

    wanted: str
    """The prompt without what it does not want; places of words are kept apart by spaces."""
    unwanted: tuple[str, ...]
    """The things that it does not want, each once, in order."""
    weighted: tuple[str, ...]
    """Those of them that were written with a weight below zero."""


@lru_cache(maxsize=_KEPT)
def read_wishes(prompt: str) -> Wishes:
    """Take a prompt apart; linear in its length."""
    is_fields = prompt.lstrip()[:1] in ("{", "[")  # there the marks are those of JSON
    quotes = [] if is_fields else [found.span() for found in _QUOTED.finditer(prompt)]
    text, unwanted, weighted = prompt, [], []
    for pattern in (_FIELD, _FLAG, _WEIGHTED):
        for found in pattern.finditer(text):
            listed = [part for part in re.split(r"[,;\n]", found.group(1)) if part.strip(' "')]
            things = [thing for part in listed if (thing := _thing(part))]
            unwanted += things
            if pattern is _WEIGHTED:
                weighted += things
        text = pattern.sub(lambda found: " " * len(found.group()), text)
    masked = "".join(_masked(text, quotes))
    for pattern in (_NOBODY, _FREE):
        unwanted += ["people" if pattern is _NOBODY else found.group(1) for found in pattern.finditer(masked)]
        masked = pattern.sub(lambda found: " " * len(found.group()), masked)
    for pattern in (_CUE_BEFORE_HAN, _CUE_BEHIND):
        unwanted += [found.group(1) for found in pattern.finditer(masked)]
        masked = pattern.sub(lambda found: " " * len(found.group()), masked)
    masked = _without_cues(masked, unwanted)
    wanted = "".join(text[at] if masked[at] == "\0" else masked[at] for at in range(len(text)))
    return Wishes(wanted, tuple(dict.fromkeys(unwanted)), tuple(dict.fromkeys(weighted)))


def _masked(text: str, quotes: list[tuple[int, int]]) -> list[str]:
    """Characters, with a zero in place of each that is quoted."""
    found = list(text)
    for start, stop in quotes:
        found[start:stop] = ["\0" if sign != " " or text[start] != " " else " " for sign in found[start:stop]]
    return found


def _without_cues(masked: str, unwanted: list[str]) -> str:
    """The text without "no X", each X added to `unwanted`."""
    kept, at = [], 0
    words = masked.casefold().split()
    is_romance = guess_language(words) in ("fr", "es", "pt")
    is_portuguese = guess_language([word for word in words if word != "no"]) == "pt"
    while found := _CUE.search(masked, at):
        cue = found.group().split()[0].casefold()
        is_word = (cue in _AMBIGUOUS and not is_romance) or (cue == "no" and is_portuguese)
        is_word = is_word or (cue == "not" and bool(_AUXILIARY.search(masked, 0, found.start())))
        stop, things = (found.end(), []) if is_word else _things(masked, found.end(), found.group())
        if not things:
            kept.append(masked[at : found.end()])
            at = found.end()
            continue
        unwanted += [thing for thing in things if len(thing.split()) <= _LONGEST]
        kept += [masked[at : found.start()], " " * (stop - found.start())]
        at = stop
    return "".join([*kept, masked[at:]])


def _things(text: str, start: int, cue: str) -> tuple[int, list[str]]:
    """Where the list of unwanted things behind a cue ends, and the things; `start` and none if it is no negation."""
    if _NOT_NEGATION.match(text, start) or "\0" in text[start : start + 1]:
        return start, []
    end = _END.search(text, start)
    part = text[start : end.start() if end else len(text)]
    things: list[str] = []
    stop = place = 0
    for joint in [*_AND.finditer(part), None]:
        piece = part[place : joint.start() if joint else len(part)]
        halt = _STOPS.search(f" {piece} ")
        piece = piece[: max(halt.start() - 1, 0)] if halt else piece
        thing = _thing(piece)
        if thing and (place_of := _IN_BACKGROUND.match(part, place + len(piece))):
            thing, piece = f"{thing} in the background", piece + place_of.group()
        is_act = bool(halt) and thing.endswith("ing") and cue.strip().casefold() == "not"
        if not thing or is_act or (things and not _is_listed(piece)):
            break
        things.append(thing)
        stop = place + len(piece)
        if halt or joint is None or cue.strip().casefold() in ("not", "nicht", "не"):
            break
        place = joint.end()
    return start + stop, things


def _is_listed(piece: str) -> bool:
    """True for a further thing of a list: "people and cars", but not "people and a dog sleeping"."""
    return len(piece.split()) <= 2 and not re.match(r"(?:a|an|the|some|his|her)\s", piece, re.IGNORECASE)


def _thing(text: str) -> str:
    """A thing without marks and articles around it."""
    plain = " ".join(text.strip(" \t\"'“”()[]{}.,;:!?").split())
    return re.sub(r"^(?:any|a|an|the|too|very|visible|some)\s+", "", plain, flags=re.IGNORECASE)
