"""What asking for one thing means for other words: tables only, looked up by `contradiction`.

Entries of `asks` are written in the spelling of `words.words_of` (singular, American); the others as people write them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing that a prompt can ask for."""

    asks: tuple[str, ...]
    """A prompt with one of these asks for it; none of them is ever negated then."""
    same: tuple[str, ...] = ()
    """More words that mean it, or come with it: not negated either."""
    opposite: tuple[str, ...] = ()
    """Words that would work against it: never added as modifiers."""
    negate: tuple[str, ...] = ()
    """Antonyms worth a place in the negative."""


TOPICS: tuple[Topic, ...] = (
    # how the picture came out, where somebody may want just that
    Topic(
        ("blurry", "blurred", "blur", "out of focus", "defocused", "unfocused", "bokeh", "depth of field",
         "shallow focus", "soft focus", "motion blur", "tilt shift", "long exposure", "dreamy", "foggy", "fog", "mist",
         "misty", "haze", "hazy"),
        ("soft", "fuzzy"),
        ("sharp focus", "sharp", "crisp", "crisp lines", "clean lines"),
    ),
    Topic(
        ("noisy", "noise", "grainy", "grain", "film grain", "gritty", "analog film", "analogue film", "polaroid",
         "lomography", "35mm", "kodak", "vhs", "daguerreotype", "found footage"),
        ("film noise", "iso noise"),
        ("clean", "smooth"),
    ),
    Topic(
        ("monochrome", "black and white", "b w", "grayscale", "noir", "film noir", "sepia", "charcoal", "pencil",
         "pencil drawing", "ink drawing", "ink wash", "line art", "lineart", "engraving", "etching", "woodcut",
         "daguerreotype", "blueprint", "silhouette"),
        ("desaturated", "colorless", "faded", "washed out", "dull", "muted colors", "dull colors"),
        ("vivid", "vivid colors", "vibrant colors", "rich colors", "colorful", "harmonious colors"),
        ("colorful",),
    ),
    Topic(
        ("colorful", "vibrant", "vivid", "rainbow", "saturated", "neon", "psychedelic", "multicolored"),
        ("saturated", "oversaturated", "garish", "high saturation"),
        ("muted colors", "desaturated"),
        ("monochrome", "dull colors"),
    ),
    Topic(("oversaturated", "garish", "gaudy", "hdr"), ("saturated",)),
    Topic(
        ("faded", "washed out", "vintage", "retro", "pastel", "muted", "old photo", "antique photo", "desaturated",
         "bleached", "pale"),
        ("dull", "dull colors", "low contrast", "desaturated", "muted colors"),
        ("vivid", "vivid colors", "vibrant colors", "rich colors"),
    ),
    Topic(
        ("dark", "night", "midnight", "nighttime", "underexposed", "too dark", "dim", "low light", "low key", "gloomy",
         "shadow", "shadowy", "silhouette", "noir", "moonlight", "moonlit", "candlelight", "starry", "black background",
         "chiaroscuro", "darkness"),
        ("underexposed", "dark", "too dark", "dim", "dimly lit", "shadow", "night"),
        ("bright", "sunny", "daylight", "natural light", "natural lighting"),
    ),
    Topic(("night", "midnight", "nighttime", "moonlit"), (), (), ("daylight",)),
    Topic(
        ("bright", "sunny", "daylight", "high key", "overexposed", "white background", "glowing", "noon"),
        ("overexposed", "bright", "too bright", "blown out"),
        ("low key", "dark", "dramatic shadow"),
    ),
    Topic(("high contrast", "harsh light", "harsh lighting", "harsh shadow"), ("harsh lighting", "hard light")),
    Topic(("low contrast", "flat lighting", "flat light"), ("flat lighting", "dull")),
    Topic(
        ("low poly", "lowpoly", "low polygon", "voxel", "minecraft", "papercraft", "origami", "ps1", "playstation 1"),
        ("polygon", "low detail", "simple", "flat shading", "3d", "render", "cgi", "video game", "blocky", "pixelated"),
        ("highly detailed", "detailed texture", "intricate", "intricate details", "fine details"),
    ),
    Topic(
        ("pixel art", "pixelart", "pixel", "pixelated", "8 bit", "8bit", "16 bit", "16bit", "sprite"),
        ("pixelated", "jpeg artifacts", "lowres", "low resolution", "low res", "aliasing", "jagged edges", "blocky",
         "video game"),
        ("highly detailed", "fine details", "intricate", "intricate details", "sharp focus"),
    ),
    Topic(
        ("glitch", "glitch art", "datamosh", "corrupted", "jpeg", "jpeg artifact", "vhs", "vaporwave"),
        ("jpeg artifacts", "compression artifacts", "glitch", "distorted", "noisy", "artifact", "pixelated", "error"),
    ),
    Topic(
        ("low quality", "bad quality", "poor quality", "worst quality", "lowres", "low res", "low resolution", "lofi",
         "lo fi", "amateur", "cctv", "security camera", "webcam", "ms paint", "crayon", "child drawing",
         "poorly drawn", "badly drawn", "doodle", "score 4", "score 5", "score 6"),
        ("low quality", "worst quality", "bad quality", "normal quality", "lowres", "low resolution", "low res",
         "poorly drawn", "bad art", "amateur", "amateurish", "score 6", "score 5", "score 4", "undetailed",
         "low detail"),
        ("masterpiece", "best quality", "high quality", "award winning", "highly detailed", "professional",
         "score 9", "score 8 up", "score 7 up", "very aesthetic"),
    ),
    Topic(("ugly", "grotesque", "hideous", "hag", "ogre", "troll"), ("ugly", "gross", "disfigured"), ("beautiful",)),
    Topic(
        ("deformed", "disfigured", "distorted", "malformed", "mutant", "mutated", "mutation", "monster", "zombie",
         "creature", "alien", "demon", "horror", "body horror", "eldritch", "lovecraftian", "cthulhu", "chimera",
         "hydra", "cyborg", "surreal", "surrealism", "surrealist", "dali", "cubism", "cubist", "picasso", "abstract",
         "melting", "caricature", "centaur", "octopus", "spider"),
        ("deformed", "disfigured", "distorted", "malformed", "mutated", "mutation", "bad anatomy", "bad proportions",
         "extra limbs", "extra arms", "extra legs", "extra eyes", "extra heads", "missing limbs", "malformed limbs",
         "fused fingers", "unnatural"),
        ("anatomically correct",),
    ),
    Topic(("amputee", "prosthetic", "one armed", "one legged"), ("missing arms", "missing legs", "missing limbs")),
    # framing
    Topic(
        ("cropped", "close up", "closeup", "macro", "headshot", "head shot", "extreme close up", "out of frame",
         "detail shot", "bust"),
        ("cropped", "out of frame", "cut off", "close up", "closeup"),
        ("wide shot", "full body"),
    ),
    Topic(("full body", "full length", "whole body", "wide shot"), (), ("close up",), ("cropped", "close up")),
    Topic(("frame", "framed", "border", "polaroid", "postcard", "stamp", "card", "poster", "book cover", "collage"),
          ("frame", "border", "picture frame", "text", "collage")),
    Topic(("symmetrical", "symmetric", "symmetry"), (), (), ("asymmetrical",)),
    Topic(("centered", "centred", "center composition"), (), (), ("off center",)),
    Topic(
        ("minimalist", "minimalism", "minimalistic", "simple", "plain background", "simple background"),
        ("simple", "plain", "plain background", "simple background", "minimalist", "empty background", "flat"),
        ("highly detailed", "intricate", "intricate details", "ornate"),
        ("cluttered", "busy background"),
    ),
    Topic(("empty", "deserted", "abandoned", "uninhabited"), (), (), ("crowd",)),
    Topic(("crowd", "group", "twin", "couple", "duo", "two", "three", "four", "several", "many", "family",
           "pair", "team", "army", "reflection", "mirror", "pattern", "tile", "tiled", "seamless", "collage", "grid",
           "clone"),
          ("duplicate", "multiple views", "cloned face", "tiling", "extra person", "crowd")),
    # marks on the picture
    Topic(
        ("text", "letter", "lettering", "typography", "word", "sign", "signboard", "logo", "poster", "book cover",
         "magazine cover", "newspaper", "comic", "manga page", "speech bubble", "quote", "caption", "title", "saying",
         "say", "label", "banner", "graffiti", "calligraphy", "movie poster", "infographic", "meme", "subtitle",
         "written", "writing", "menu", "chart", "diagram", "map", "blueprint", "tarot", "tarot card", "neon sign",
         "license plate", "keyboard", "monogram", "font", "billboard", "postcard"),
        ("text", "letters", "words", "logo", "caption", "title", "speech bubble", "artist name", "username"),
    ),
    Topic(("watermark", "signature", "signed", "autograph", "stamp", "logo", "copyright"),
          ("watermark", "signature", "logo", "stamp", "copyright")),
    # what is in it
    Topic(("summer", "summery"), (), (), ("winter", "snow")),
    Topic(("winter", "wintry", "snow", "snowy"), (), (), ("summer",)),
    Topic(("medieval", "ancient", "victorian", "renaissance", "baroque", "antique", "viking", "roman"),
          (), (), ("modern", "cars")),
    Topic(("modern", "contemporary", "futuristic"), (), (), ("old-fashioned",)),
    Topic(("realistic", "photorealistic", "hyperrealistic", "realism", "photorealism", "hyperrealism", "lifelike"),
          ("realistic", "photorealistic", "realism", "photo"), (), ()),
    Topic(("stylized", "stylised", "cute", "chibi"), ("cartoon", "anime", "stylized", "bad proportions")),
    Topic(("smiling", "happy", "joyful", "laughing"), (), (), ("sad",)),
    Topic(("sad", "crying", "melancholic"), (), (), ("smiling",)),
)

QUALIFIERS = frozenset(
    "low lower bad worst worse poor poorly extra missing fewer fused more less most best high good gross normal wrong "
    "weird excessive unnatural malformed mutated harsh uneven too many".split()
)
"""Words that say how, not what: sharing one with the prompt does not make a phrase contradict it."""

NEUTRAL = frozenset(
    "quality resolution focus detail detailed contrast light lighting color composition proportion exposure drawn "
    "image picture artifact background view digit".split()
)
"""Things every picture has: "high quality" in a prompt is no reason to keep "low quality" out of the negative."""

FILLERS = frozenset(
    "a an the of in on at by with and or to for from is it very highly extremely ultra super insanely hyper really "
    "too so quite overly".split()
)
"""Words that carry no meaning of their own: "too dark" contradicts a dark forest."""
