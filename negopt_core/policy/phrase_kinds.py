"""What kind of thing a phrase names, by its words; the kind says when it acts (`families` has the times)."""

from __future__ import annotations

from ..text.prompt import FULL, Window
from .families import MODIFIER_TIMES, NEGATIVE_TIMES, Kind
from .words import listed, words_of

PRIOR_CAVEAT = (
    "windows and weights are priors from published findings (arXiv 2406.02965, 2404.04095), not learned from pictures; "
    "train ppo with your own model replaces them"
)

_MARKS = frozenset(
    listed(
        "watermark, watermarked, text, signature, logo, username, caption, copyright, letter, lettering, writing, "
        "title, subtitle, font, typography, stamp, border, frame, framed, url, website, banner, label, number, "
        "patreon, artist, autograph, speech"
    )
)
_SURFACE = frozenset(
    listed(
        "blur, blurry, blurred, noise, noisy, grain, grainy, jpeg, jpg, artifact, compression, lowres, resolution, "
        "pixelated, pixelation, oversaturated, saturated, saturation, undersaturated, desaturated, overexposed, "
        "underexposed, exposure, oversharpened, sharpened, focus, hazy, fuzzy, contrast, banding, aliasing, moire, "
        "overprocessed, halo"
    )
)
_TEXTURE = frozenset(
    listed(
        "detail, detailed, intricate, sharp, focus, texture, textured, hyperdetailed, 4k, 8k, 16k, 32k, 64k, uhd, hd, "
        "hdr, resolution, crisp, ornate, megapixel, ultrarealistic, hyperrealistic, hyper, quality, grain, render, "
        "rendering, tracing, raytracing, raytraced, ssao, bokeh, photorealistic, realistic"
    )
)
_LIGHT = frozenset(
    listed(
        "light, lighting, lit, glow, glowing, shadow, sunset, sunrise, sun, ray, godray, color, colorful, vibrant, "
        "vivid, pastel, warm, dark, bright, neon, illumination, moody, atmospheric, golden, hour"
    )
)


def negative_kind(phrase: str) -> Kind:
    """marks, surface, or structure for everything that must be settled from the start."""
    words = set(words_of(phrase))
    return "marks" if words & _MARKS else "surface" if words & _SURFACE else "structure"


def modifier_kind(phrase: str) -> Kind:
    """light, texture, or quality for everything else."""
    words = set(words_of(phrase))
    return "light" if words & _LIGHT else "texture" if words & _TEXTURE else "quality"


def usual_time(phrase: str, polarity: str) -> tuple[Window, float]:
    """When a phrase acts and how much, by published findings on phrases of its kind; whole run, weight 1 if unknown."""
    if polarity == "negative":
        return NEGATIVE_TIMES.get(negative_kind(phrase), (FULL, 1.0))
    return MODIFIER_TIMES.get(modifier_kind(phrase), (FULL, 1.0))
