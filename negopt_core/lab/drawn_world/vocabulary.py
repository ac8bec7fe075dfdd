"""Every word of the drawn world, what it stands for, and how often things go wrong: tables only."""

from __future__ import annotations

THINGS: dict[str, str] = {
    "panda": "panda",
    "penguin": "penguin",
    "owl": "owl",
    "frog": "frog",
    "pig": "pig-face",
    "fox": "fox",
    "whale": "spouting-whale",
    "octopus": "octopus",
    "butterfly": "butterfly",
    "snail": "snail",
    "strawberry": "strawberry",
    "pizza": "pizza",
    "hamburger": "hamburger",
    "ice cream": "soft-ice-cream",
    "doughnut": "doughnut",
    "mushroom": "mushroom",
    "cactus": "cactus",
    "sunflower": "sunflower",
    "tree": "evergreen-tree",
    "pumpkin": "jack-o-lantern",
    "pineapple": "pineapple",
    "rocket": "rocket",
    "car": "automobile",
    "sailboat": "sailboat",
    "house": "house",
    "guitar": "guitar",
    "umbrella": "umbrella",
    "crown": "crown",
    "gift": "wrapped-gift",
    "robot": "robot",
    "ghost": "ghost",
    "snowman": "snowman-without-snow",
}
"""What a picture shows, by the name of its icon in the icon sets."""

STYLES = ("3d render", "flat icon", "cartoon", "line drawing")
"""In the order of `icons.SETS`."""
PLACES = ("grass", "snow", "sea", "desert")
PLACE_PHRASES = ("on the grass", "in the snow", "by the sea", "in the desert")
TIMES = ("day", "sunset", "night")
TIME_PHRASES = ("by day", "at sunset", "at night")

FAULTS: dict[str, tuple[str, ...]] = {
    "blurry": ("blurry", "out of focus"),
    "noisy": ("noisy", "grainy"),
    "faded": ("faded", "washed out"),
    "cropped": ("cropped", "out of frame"),
    "pixelated": ("pixelated", "jpeg artifacts"),
    "watermark": ("watermark", "text"),
    "underexposed": ("underexposed", "too dark"),
    "overexposed": ("overexposed", "too bright"),
}
"""What can be wrong with a picture, and the words people use for it."""

PENALTIES: dict[str, float] = {
    "blurry": 4.0,
    "noisy": 5.0,
    "faded": 4.0,
    "cropped": 4.0,
    "pixelated": 4.0,
    "watermark": 3.0,
    "underexposed": 4.0,
    "overexposed": 4.0,
}
"""Quality lost at severity 1, on the scale of 1 to 10, except where `CHARMS` says otherwise."""

CHARMS: dict[str, dict[str, float]] = {
    "3d render": {"blurry": 3.0},
    "flat icon": {"pixelated": 3.0},
    "cartoon": {"noisy": 3.0},
    "line drawing": {"faded": 3.0},
    "day": {"overexposed": 3.0},
    "night": {"underexposed": 3.0},
}
"""What spoils one picture makes another, and the quality it then adds: soft focus, pixel art, print grain, pale pencil;
a bright day, a dark night. The reason why one negative does not fit all."""

OPPOSITES = (("underexposed", "overexposed"), ("blurry", "pixelated"), ("faded", "overexposed"))
"""Faults that exclude each other."""

MODIFIERS: dict[str, float] = {
    "close-up": 1.0,
    "tiny": 0.8,
    "tilted": 1.0,
    "cinematic": 1.1,
    "glossy": 1.0,
    "glowing": 1.1,
    "outlined": 0.8,
    "vivid": 0.8,
}
"""What can be good about a picture, and the quality it adds: the first four change the layout, the others surfaces."""

FLATTERED: dict[str, tuple[str, float]] = {
    "close-up": ("blurry", 0.55),
    "tilted": ("noisy", 0.55),
    "glowing": ("cropped", 0.6),
    "glossy": ("cropped", 0.5),
}
"""A fault that often comes with a modifier, how often, and then goes without its own name. A layout's fault is one of
the surface and the other way round, so that it matters when the word acts: early for the first two, late for the
others."""

BAD_WORDS = ("low quality", "worst quality", "ugly")
GOOD_WORDS = ("masterpiece", "best quality", "award winning")
HABIT_WORDS = ("octane render", "vector art", "concept art", "ink")
"""Words that people add out of habit; here each goes with a style and changes no quality."""

BASE_QUALITY = 5.5
BAD_BELOW = 3.5
"""Captions may call a picture bad below this quality."""

_STYLE_RATES: dict[str, dict[str, float]] = {
    "3d render": {"noisy": 0.42, "blurry": 0.36},
    "flat icon": {"blurry": 0.42, "pixelated": 0.36},
    "cartoon": {"pixelated": 0.42, "noisy": 0.36},
    "line drawing": {"watermark": 0.35, "faded": 0.36},
}
_TIME_RATES: dict[str, dict[str, float]] = {
    "day": {"faded": 0.25, "overexposed": 0.28},
    "sunset": {"underexposed": 0.28, "overexposed": 0.25},
    "night": {"overexposed": 0.30, "underexposed": 0.28},
}
_PLACE_RATES: dict[str, dict[str, float]] = {
    "grass": {"noisy": 0.08},
    "snow": {"overexposed": 0.10},
    "sea": {"watermark": 0.25},
    "desert": {"faded": 0.12},
}
_THING_RATES: tuple[tuple[int, dict[str, float]], ...] = (
    (10, {"cropped": 0.22}),
    (21, {"watermark": 0.18}),
    (32, {"cropped": 0.08, "blurry": 0.06}),
)
"""For the animals, the plants and food, and the rest: the end of each part of THINGS, and its rates."""
RARE_RATE = 0.015
"""How often a fault happens where nothing makes it likely."""


def fault_rate(fault: str, style: str, place: str, time: str, thing: int) -> float:
    """Probability of a fault given what is in the picture; `thing` is an index into THINGS."""
    of_thing = next(rates for end, rates in _THING_RATES if thing < end)
    rates = (_STYLE_RATES[style], _PLACE_RATES[place], _TIME_RATES[time], of_thing)
    return RARE_RATE + sum(rate.get(fault, 0.0) for rate in rates)


def quality_effect(fault: str, style: str, time: str) -> float:
    """What a fault at severity 1 adds to the quality of such a picture: mostly less than 0."""
    charm = CHARMS.get(style, {}).get(fault) or CHARMS.get(time, {}).get(fault)
    return -PENALTIES[fault] if charm is None else charm
