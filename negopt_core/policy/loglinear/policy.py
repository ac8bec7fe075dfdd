"""The policy `negopt`: what the model chooses, written the way that the painting model reads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from ...errors import PolicyError
from ...text.prompt import FULL, DFPrompt, PromptPair, Span
from ..card import PolicyCard
from ..folder_check import read_header
from ..phrase_kinds import MODIFIER_TIMES, NEGATIVE_TIMES, PRIOR_CAVEAT, usual_time
from ..phrases import append_phrases
from ..token_estimate import estimate_tokens
from .choosing import Choice, Reason
from .evidence import PEOPLE, Evidence
from .knowledge import Knowledge, ModelFamily, Side, read_families
from .lexicon import Lexicon
from .model import Model
from .reading import Reading, read_prompt
from .tables import VECTORS_FILE, WORDS, TablesError

NAME, SCHEDULED = "negopt", "negopt-scheduled"
UNKNOWN_FAMILY = "sd15"
"""Whose words are written where the painting model is not known."""
LEARNED_FILE = "effects.json"
"""In a policy folder: what pictures and thumbs taught, over the shipped table."""
_SHOWN = 6
_SIDES: tuple[Side, Side] = ("negative", "modifiers")


def knowledge() -> Knowledge:
    """The shipped tables; read once."""
    return _shipped().knowledge


@lru_cache(maxsize=1)
def _shipped() -> Model:
    tables = Knowledge.read()
    read_header(WORDS / VECTORS_FILE)  # the rows are read when a word needs them
    people = (Evidence.read(PEOPLE),) if PEOPLE.is_file() else ()
    return Model(tables, Lexicon(tables), people)


@lru_cache(maxsize=1)
def family_names() -> tuple[str, ...]:
    """Families that the shipped table has, for menus; none if it cannot be read, which whoever loads it is told."""
    try:
        return tuple(read_families(WORDS / "families.txt"))
    except TablesError:
        return ()


def family_named(name: str) -> ModelFamily | None:
    """The family by its name, one of its other names, the name of a model's file, or a type of ComfyUI's loaders.

    A file may match the patterns of several families; then the longest pattern says which.
    """
    families, asked = knowledge().families, name.replace("\\", "/").rpartition("/")[2].casefold().strip()
    if asked in families:
        return families[asked]
    rows = list(families.values())
    hits = [(len(one), row.name) for row in rows for one in row.names if asked and fnmatchcase(asked, one)]
    if hits:
        return families[max(hits)[1]]
    return next((row for row in rows if asked in row.clip_types), None)


@dataclass(frozen=True, slots=True)
class Prior:
    """What the shipped tables know of one prompt, for whoever learns on top of them."""

    concepts: Mapping[str, float]
    """What it is about -> 0..1."""
    gains: Mapping[Side, Mapping[str, float]]
    """Side -> phrase -> gain."""
    is_blocked: Callable[[Side, str], bool]
    """Whether a phrase may not be said, whoever proposes it: the promises of `negopt`."""


def prior_of(prompt: str, family: str) -> Prior:
    """Read a prompt once; an unknown family is `UNKNOWN_FAMILY`."""
    model = _shipped()
    reading = read_prompt(prompt, model.lexicon)
    known = family_named(family) or model.knowledge.families[UNKNOWN_FAMILY]
    blockers = {side: model.blocker(reading, side) for side in _SIDES}
    learned = (Reason("pictures", "pictures", 1.0),)
    return Prior(
        {name: strength for name, strength in reading.strengths.items() if strength > 0},
        {side: model.gains(reading, known, side) for side in _SIDES},
        lambda side, phrase: blockers[side](Choice(phrase, 1.0, 0.0, learned)),
    )


def tables_fingerprint() -> str:
    """SHA-256 over the shipped tables, 16 hex digits."""
    return NegOptPolicy(negopt_card()).fingerprint[:16]


def negopt_card(family: str = "", name: str = NAME) -> PolicyCard:
    """The card for one family of models; PolicyError for an unknown one."""
    known = knowledge().families[UNKNOWN_FAMILY] if not family else knowledge().families.get(family)
    if known is None:
        raise PolicyError(f"unknown model family {family[:60]!r}; choose one of {', '.join(knowledge().families)}")
    times = [*NEGATIVE_TIMES.values(), *MODIFIER_TIMES.values()] if name == SCHEDULED else [(FULL, 1.0)]
    return PolicyCard(
        kind="loglinear",
        name=name,
        families=(family,) if family else (),
        windows=tuple(sorted({window for window, _ in times}, key=lambda window: (window.start, window.end))),
        weights=tuple(sorted({weight for _, weight in times})),
        max_tokens=known.max_tokens,
        caveats=(*((PRIOR_CAVEAT,) if name == SCHEDULED else ()), *(_caveats(known) if family else ())),
        provenance={
            "made_by": "tables written by hand for negopt; WordNet 3.0, GloVe 6B and the licensed pairs of NOTICE.md",
            **({"source": known.source} if family and known.source else {}),
        },
        licence="Apache-2.0",
    )


def _caveats(family: ModelFamily) -> tuple[str, ...]:
    if family.reads_negative == "yes":
        return ()
    how = "computes no negative" if family.reads_negative == "no" else "reads a negative only weakly"
    remedy = "use true CFG above 1 or NAG for it to act" if family.reads_negative == "no" else "expect a small effect"
    return (f"{family.name} {how} at its usual CFG ({family.cfg or '1'}); {remedy}",)


@dataclass(frozen=True, slots=True)
class Why:
    """Why an answer is what it is."""

    reading: Reading
    family: ModelFamily
    negative: tuple[Choice, ...]
    modifiers: tuple[Choice, ...]


@dataclass(frozen=True)
class NegOptPolicy:
    """Answers from the shipped tables, and from a small learned table over them. The seed changes nothing."""

    card: PolicyCard
    learned: Evidence | None = None

    @classmethod
    def open(cls, folder: Path, card: PolicyCard) -> NegOptPolicy:
        """A folder with a card and `effects.json`."""
        return cls(card, Evidence.read(folder / LEARNED_FILE))

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the tables, the family and what was learned."""
        digest = hashlib.sha256(repr((self.card.name, self.card.families, self.learned)).encode())
        for path in sorted(WORDS.iterdir()):
            if path.suffix in (".txt", ".json", ".safetensors"):
                digest.update(path.read_bytes())
        return digest.hexdigest()

    def suggest(self, prompts: Sequence[str], seed: int) -> list[PromptPair]:
        """A pair for each prompt; nothing in it contradicts the prompt."""
        return [self._pair(prompt, self.why(prompt)) for prompt in prompts]

    def why(self, prompt: str) -> Why:
        """What the prompt is about, and the phrases for each side with their reasons."""
        model = _shipped()
        if self.learned:
            model = Model(model.knowledge, model.lexicon, (*model.evidence, self.learned))
        reading = read_prompt(prompt, model.lexicon)
        family = model.knowledge.families[self.card.families[0] if self.card.families else UNKNOWN_FAMILY]
        sides = {side: model.choose(reading, family, side, estimate_tokens) for side in _SIDES}
        return Why(reading, family, tuple(sides["negative"]), tuple(sides["modifiers"]))

    def summary(self, prompt: str) -> str:
        """In one line what the prompt was read as, and where the phrases come from."""
        found = self.why(prompt)
        named = list(dict.fromkeys(one.word for one in found.reading.found if one.strength > 0))[:_SHOWN]
        sources: dict[str, int] = {}
        for choice in (*found.negative, *found.modifiers):
            most = max(choice.reasons, key=lambda reason: reason.effect)
            sources[most.because] = sources.get(most.because, 0) + 1
        ordered = sorted(sources.items(), key=lambda one: -one[1])[:_SHOWN]
        counted = ", ".join(f"{name} {count}" for name, count in ordered)
        return f"why: read in your prompt {', '.join(named) or 'no word of the tables'}; phrases by reason: {counted}"

    def _pair(self, prompt: str, why: Why) -> PromptPair:
        plain, modifiers = DFPrompt.plain(prompt), [self._span(one.phrase, "modifiers") for one in why.modifiers]
        if why.family.language == "sentences" and modifiers and not why.reading.is_tagged:
            modifiers = [Span(_clause([span.text for span in modifiers], prompt))]
        negatives = [self._span(one.phrase, "negative") for one in why.negative]
        return PromptPair(append_phrases(plain, modifiers), append_phrases(DFPrompt(), negatives))

    def _span(self, phrase: str, side: Side) -> Span:
        if self.card.name != SCHEDULED:
            return Span(phrase)
        window, weight = usual_time(phrase, side)
        return Span(phrase, weight, window)


def _clause(phrases: list[str], prompt: str) -> str:
    """The phrases in one: "a, b and c", a sentence of its own behind a full stop."""
    *most, last = phrases
    text = f"{', '.join(most)} and {last}" if most else last
    return f"{text[0].upper()}{text[1:]}." if prompt.rstrip().endswith((".", "!", "?")) else text
