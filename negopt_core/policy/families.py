"""What people ask for and forbid by habit, by family of models, and when each kind of word acts: tables only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..text.prompt import FULL, Window

Kind = Literal["style", "antonym", "quality", "structure", "surface", "marks", "light", "texture"]
"""What a phrase is about; the kind decides when it acts.

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


@dataclass(frozen=True, slots=True)
class Family:
    """Models that were trained on the same kind of captions and therefore know the same words."""

    name: str
    negatives: tuple[Term, ...]
    """The most useful first: what does not fit the budget is cut from the end."""
    modifiers: tuple[Term, ...] = ()
    """Put before the modifiers of the medium."""
    is_tagged: bool = False
    """True if the captions were image-board tags."""
    has_medium_words: bool = True
    """False if modifiers and style conflicts by medium would be words that the model does not know."""
    max_tokens: int = 75
    caveats: tuple[str, ...] = ()


_COMMON: tuple[Term, ...] = (
    ("low quality", "quality"),
    ("blurry", "surface"),
    ("deformed", "structure"),
    ("watermark", "marks"),
    ("text", "marks"),
    ("ugly", "quality"),
    ("cropped", "structure"),
    ("jpeg artifacts", "surface"),
)

_TAGGED: tuple[Term, ...] = (
    ("worst quality", "quality"),
    ("low quality", "quality"),
    ("lowres", "surface"),
    ("normal quality", "quality"),
    ("blurry", "surface"),
    ("error", "structure"),
    ("cropped", "structure"),
    ("jpeg artifacts", "surface"),
    ("signature", "marks"),
    ("watermark", "marks"),
    ("username", "marks"),
    ("text", "marks"),
)

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            "sd15",
            (
                ("low quality", "quality"),
                ("worst quality", "quality"),
                ("blurry", "surface"),
                ("deformed", "structure"),
                ("lowres", "surface"),
                ("ugly", "quality"),
                ("watermark", "marks"),
                ("text", "marks"),
                ("jpeg artifacts", "surface"),
                ("cropped", "structure"),
                ("signature", "marks"),
                ("noisy", "surface"),
                ("oversaturated", "surface"),
            ),
        ),
        Family(
            "sd2",
            (
                ("ugly", "quality"),
                ("low quality", "quality"),
                ("blurry", "surface"),
                ("poorly drawn", "quality"),
                ("deformed", "structure"),
                ("out of frame", "structure"),
                ("tiling", "structure"),
                ("watermark", "marks"),
                ("text", "marks"),
                ("grainy", "surface"),
                ("signature", "marks"),
                ("cut off", "structure"),
                ("jpeg artifacts", "surface"),
            ),
        ),
        Family("sdxl", (*_COMMON, ("oversaturated", "surface"))),
        Family(
            "sd3",
            (("low quality", "quality"), ("blurry", "surface"), ("deformed", "structure"), ("watermark", "marks")),
            caveats=("sd3 models saw no negative prompts in training; expect a small effect from the negative",),
        ),
        Family(
            "flux",
            (("low quality", "quality"), ("blurry", "surface"), ("watermark", "marks"), ("text", "marks")),
            caveats=(
                "flux models run at CFG 1, where no negative is computed; "
                "use true CFG above 1 or NAG for the negative to act",
            ),
        ),
        Family(
            "pony",
            (
                ("score_6", "quality"),
                ("score_5", "quality"),
                ("score_4", "quality"),
                *_TAGGED,
            ),
            modifiers=(("score_9", "quality"), ("score_8_up", "quality"), ("score_7_up", "quality")),
            is_tagged=True,
        ),
        Family(
            "anime",
            _TAGGED,
            modifiers=(("masterpiece", "quality"), ("best quality", "quality"), ("absurdres", "texture")),
            is_tagged=True,
        ),
        Family(
            "world",
            (
                ("watermark", "marks"),
                ("low quality", "quality"),
                ("worst quality", "quality"),
                ("ugly", "quality"),
            ),
            modifiers=(("masterpiece", "quality"), ("best quality", "quality")),
            has_medium_words=False,
            max_tokens=38,
        ),
    )
}
"""Model families by name."""

ANIME_NEGATIVES = _TAGGED
"""What an anime prompt forbids whatever model paints it."""

PEOPLE_NEGATIVES: tuple[Term, ...] = (
    ("bad anatomy", "structure"),
    ("bad hands", "structure"),
    ("extra fingers", "structure"),
    ("extra limbs", "structure"),
    ("poorly drawn face", "structure"),
)
TAGGED_PEOPLE_NEGATIVES: tuple[Term, ...] = (
    ("bad anatomy", "structure"),
    ("bad hands", "structure"),
    ("missing fingers", "structure"),
    ("extra digit", "structure"),
    ("fewer digits", "structure"),
)
ANIMAL_NEGATIVES: tuple[Term, ...] = (
    ("bad anatomy", "structure"),
    ("extra legs", "structure"),
    ("extra limbs", "structure"),
)

MEDIUM_MODIFIERS: dict[str, tuple[Term, ...]] = {
    "photo": (("natural lighting", "light"), ("sharp focus", "texture"), ("highly detailed", "texture")),
    "painting": (("harmonious colors", "light"), ("visible brushstrokes", "texture"), ("intricate details", "texture")),
    "drawing": (("clean lines", "texture"), ("fine details", "texture")),
    "illustration": (("dramatic lighting", "light"), ("highly detailed", "texture"), ("sharp focus", "texture")),
    "anime": (("vibrant colors", "light"), ("clean lines", "texture"), ("highly detailed", "texture")),
    "cartoon": (("vibrant colors", "light"), ("clean lines", "texture")),
    "3d": (("global illumination", "light"), ("detailed texture", "texture"), ("sharp focus", "texture")),
    "pixel art": (("limited palette", "light"),),
    "vector": (("clean shapes", "texture"),),
}
PLAIN_MODIFIERS: tuple[Term, ...] = (
    ("cinematic lighting", "light"),
    ("highly detailed", "texture"),
    ("sharp focus", "texture"),
)
"""For a prompt that names no medium."""

WORLD_LIKELY: dict[str, tuple[Term, ...]] = {
    "photo": (("blurry", "surface"),),
    "painting": (("noisy", "surface"),),
    "sketch": (("pixelated", "surface"),),
    "cartoon": (("faded", "surface"),),
    "day": (("oversaturated", "surface"),),
    "sunset": (("underexposed", "surface"),),
    "night": (("overexposed", "surface"),),
    "star": (("deformed", "structure"),),
    "heart": (("deformed", "structure"),),
    "ring": (("cropped", "structure"),),
    "ball": (("cropped", "structure"),),
}
"""What goes wrong most often in the demo world when a prompt names this (docs/world.md says why)."""

WORLD_MEDIA = ("photo", "painting", "sketch", "cartoon")
"""The demo world's media, each the style conflict of the others."""

WORLD_MODIFIERS: dict[str, Term] = {
    "photo": ("cinematic", "texture"),
    "painting": ("textured", "texture"),
    "sketch": ("detailed", "texture"),
    "cartoon": ("vivid", "light"),
}
