"""What kind of thing a phrase names, by its words; the kind says when it acts."""

from __future__ import annotations

from typing import Literal, cast, get_args

from ..errors import PolicyError
from ..text.prompt import FULL, Window
from ..text.word_tables import pairs, word_set
from .words import words_of

Kind = Literal["style", "antonym", "quality", "structure", "surface", "marks", "light", "texture"]
"""What a phrase is about.

style: another medium · antonym: the opposite of what was asked · quality: a judgement · structure: form and framing ·
surface: how the pixels look · marks: writing on the picture · light: light and colour · texture: fine detail
"""

Term = tuple[str, Kind]

NEGATIVE_TIMES: dict[Kind, tuple[Window, float]] = {
    "style": (FULL, 1.0),
    "antonym": (FULL, 1.0),
    "quality": (FULL, 1.0),
    "structure": (FULL, 1.0),
    "surface": (Window(0.2, 1.0), 1.0),
    "marks": (Window(0.2, 1.0), 1.0),
}
"""When a negative acts. Layout and medium are settled in the first steps, so words about them must be there; a word
about the surface has nothing to forbid yet and can bring in what it names (arXiv 2406.02965), so it waits a fifth."""

MODIFIER_TIMES: dict[Kind, tuple[Window, float]] = {
    "quality": (FULL, 1.0),
    "light": (FULL, 1.0),
    "texture": (Window(0.5, 1.0), 0.75),
}
"""When a modifier acts: texture words do better late and with less weight (PAE, arXiv 2404.04095, figure 5)."""

PRIOR_CAVEAT = (
    "windows and weights are priors from published findings (arXiv 2406.02965, 2404.04095), not learned from pictures; "
    "train ppo with your own model replaces them"
)


def read_terms(field: str) -> tuple[Term, ...]:
    """The `phrase=kind` entries of a field of a word table; PolicyError for a kind that does not exist."""
    terms = pairs(field)
    unknown = [kind for _, kind in terms if kind not in get_args(Kind)]
    if unknown:
        raise PolicyError(f"there is no kind of phrase {unknown[0]!r}; install negopt again")
    return cast("tuple[Term, ...]", terms)


def negative_kind(phrase: str) -> Kind:
    """marks, surface, or structure for everything that must be settled from the start."""
    words = words_of(phrase)
    if not word_set("marks").isdisjoint(words):
        return "marks"
    return "structure" if word_set("surface").isdisjoint(words) else "surface"


def modifier_kind(phrase: str) -> Kind:
    """light, texture, or quality for everything else."""
    words = words_of(phrase)
    if not word_set("light").isdisjoint(words):
        return "light"
    return "quality" if word_set("texture").isdisjoint(words) else "texture"


def usual_time(phrase: str, polarity: str) -> tuple[Window, float]:
    """When a phrase acts and how much, by published findings on phrases of its kind; whole run, weight 1 if unknown."""
    if polarity == "negative":
        return NEGATIVE_TIMES.get(negative_kind(phrase), (FULL, 1.0))
    return MODIFIER_TIMES.get(modifier_kind(phrase), (FULL, 1.0))
