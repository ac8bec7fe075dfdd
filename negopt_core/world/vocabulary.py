"""Every word the demo world knows, what it stands for, and how often things go wrong: tables only."""

from __future__ import annotations

MEDIUMS = ("photo", "painting", "sketch", "cartoon")
PLACES = ("sea", "desert", "forest", "snow")
PLACE_PHRASES = ("by the sea", "in the desert", "in the forest", "in the snow")
TIMES = ("day", "sunset", "night")
TIME_PHRASES = ("by day", "at sunset", "at night")
SHAPES = ("ball", "cube", "star", "heart", "ring", "pyramid")
COLOURS = ("red", "green", "blue", "yellow", "purple", "white")
COLOUR_RGB = (
    (0.88, 0.13, 0.12),
    (0.13, 0.66, 0.20),
    (0.16, 0.30, 0.90),
    (0.97, 0.83, 0.10),
    (0.58, 0.18, 0.72),
    (0.96, 0.96, 0.96),
)
RELATIONS = ("", "next to", "above")
"""How a second object stands to the first; the empty relation means there is none."""

DEGRADATIONS: dict[str, tuple[str, ...]] = {
    "blurry": ("blurry", "out of focus"),
    "noisy": ("noisy", "grainy"),
    "faded": ("faded", "washed out"),
    "cropped": ("cropped", "out of frame"),
    "pixelated": ("pixelated", "jpeg artifacts"),
    "watermark": ("watermark", "text"),
    "deformed": ("deformed", "disfigured"),
    "underexposed": ("underexposed", "too dark"),
    "oversaturated": ("oversaturated", "garish"),
    "overexposed": ("overexposed", "too bright"),
}
"""What can be wrong with a picture, and the words people use for it."""

PENALTIES: dict[str, float] = {
    "blurry": 4.0,
    "noisy": 5.5,
    "faded": 4.0,
    "cropped": 4.0,
    "pixelated": 4.0,
    "watermark": 2.5,
    "deformed": 2.0,
    "underexposed": 4.0,
    "oversaturated": 5.5,
    "overexposed": 4.0,
}
"""Quality lost at severity 1, on the scale of 1 to 10, except where `CHARMS` says otherwise."""

CHARMS: dict[str, dict[str, float]] = {
    "photo": {"noisy": 3.0},
    "painting": {"blurry": 3.0},
    "sketch": {"faded": 3.0},
    "cartoon": {"pixelated": 3.0},
    "day": {"overexposed": 3.0},
    "sunset": {"oversaturated": 3.0},
    "night": {"underexposed": 3.0},
}
"""What spoils one picture makes another, and the quality it then adds: film grain, soft brushes, pale pencil, pixel
art; a bright day, a glowing sunset, a dark night. The reason why one negative does not fit all."""

OPPOSITES = (("faded", "oversaturated"), ("underexposed", "overexposed"), ("blurry", "noisy"), ("blurry", "pixelated"))
"""Faults that exclude each other: pushing a picture away from one pushes it towards the other."""

ENHANCEMENTS: dict[str, float] = {
    "vivid": 0.7,
    "glossy": 0.7,
    "detailed": 1.1,
    "cinematic": 1.1,
    "textured": 1.0,
    "dramatic": 1.1,
}
"""What can be good about a picture, and the quality it adds."""

FLATTERED: dict[str, tuple[str, float]] = {"dramatic": ("noisy", 0.6), "vivid": ("oversaturated", 0.25)}
"""A fault that often comes with an enhancement, how often, and then goes without its own name: people call a grainy
picture from a tilted camera dramatic, not noisy."""

BAD_WORDS = ("low quality", "worst quality", "ugly")
GOOD_WORDS = ("masterpiece", "best quality", "award winning")
FASHION_WORDS = ("8k", "artstation", "concept art", "hdr")
"""Words that people add out of habit; here each goes with a medium and changes no quality."""

BASE_QUALITY = 5.5
BAD_BELOW = 3.5
"""Captions may call a picture bad below this quality, good if nothing is wrong with it."""

_COMMON_RATES: dict[str, float] = {"watermark": 0.42, "cropped": 0.14, "deformed": 0.08}
"""What happens to any picture."""
_MEDIUM_RATES: dict[str, dict[str, float]] = {
    "photo": {"blurry": 0.45, "noisy": 0.38},
    "painting": {"noisy": 0.45, "blurry": 0.38},
    "sketch": {"pixelated": 0.45, "faded": 0.38},
    "cartoon": {"faded": 0.45, "pixelated": 0.38},
}
_TIME_RATES: dict[str, dict[str, float]] = {
    "day": {"oversaturated": 0.32, "overexposed": 0.28},
    "sunset": {"underexposed": 0.32, "oversaturated": 0.28},
    "night": {"overexposed": 0.32, "underexposed": 0.28},
}
_SHAPE_RATES: dict[str, dict[str, float]] = {
    "ball": {"cropped": 0.12},
    "cube": {"deformed": 0.10},
    "star": {"deformed": 0.30},
    "heart": {"deformed": 0.15},
    "ring": {"cropped": 0.18},
    "pyramid": {"deformed": 0.12},
}
RARE_RATE = 0.015
"""How often a degradation happens where nothing makes it likely."""


def degradation_rate(degradation: str, medium: str, time: str, shape: str) -> float:
    """Probability of a degradation given what is in the picture."""
    rates = (_MEDIUM_RATES[medium], _TIME_RATES[time], _SHAPE_RATES[shape])
    return RARE_RATE + _COMMON_RATES.get(degradation, 0.0) + sum(rate.get(degradation, 0.0) for rate in rates)


def quality_effect(degradation: str, medium: str, time: str) -> float:
    """What a degradation at severity 1 adds to the quality of such a picture: mostly less than 0."""
    charm = CHARMS[medium].get(degradation) or CHARMS[time].get(degradation)
    return -PENALTIES[degradation] if charm is None else charm


MEDIUM_ENHANCEMENTS: dict[str, str] = {
    "photo": "cinematic",
    "painting": "textured",
    "sketch": "detailed",
    "cartoon": "vivid",
}
"""The enhancement that a medium makes likely."""
