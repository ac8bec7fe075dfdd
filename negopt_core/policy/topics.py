"""What asking for one thing means for other words: tables only, looked up by `contradiction`.

All but `negate` is written in the spelling of `words.words_of`: singular, American, without hyphens.
"""

from __future__ import annotations

from dataclasses import dataclass

from .words import listed


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
        listed(
            "blurry, blurred, blur, out of focus, defocused, unfocused, bokeh, depth of field, shallow focus, "
            "soft focus, motion blur, tilt shift, long exposure, dreamy, foggy, fog, mist, misty, haze, hazy"
        ),
        listed("soft, fuzzy"),
        listed("sharp focus, sharp, crisp, crisp line, clean line"),
        (),
    ),
    Topic(
        listed(
            "noisy, noise, grainy, grain, film grain, gritty, analog film, analogue film, polaroid, lomography, "
            "35mm, kodak, vhs, daguerreotype, found footage"
        ),
        listed("film noise, iso noise"),
        listed("clean, smooth"),
        (),
    ),
    Topic(
        listed(
            "monochrome, black and white, b w, grayscale, noir, film noir, sepia, charcoal, pencil, pencil "
            "drawing, ink drawing, ink wash, line art, lineart, engraving, etching, woodcut, daguerreotype, "
            "blueprint, silhouette"
        ),
        listed("desaturated, colorless, faded, washed out, dull, muted color, dull color"),
        listed("vivid, vivid color, vibrant color, rich color, colorful, harmonious color"),
        listed("colorful"),
    ),
    Topic(
        listed("colorful, vibrant, vivid, rainbow, saturated, neon, psychedelic, multicolored"),
        listed("saturated, oversaturated, garish, high saturation"),
        listed("muted color, desaturated"),
        listed("monochrome, dull colors"),
    ),
    Topic(listed("oversaturated, garish, gaudy, hdr"), listed("saturated"), (), ()),
    Topic(
        listed(
            "faded, washed out, vintage, retro, pastel, muted, old photo, antique photo, desaturated, bleached, pale"
        ),
        listed("dull, dull color, low contrast, desaturated, muted color"),
        listed("vivid, vivid color, vibrant color, rich color"),
        (),
    ),
    Topic(
        listed(
            "dark, night, midnight, nighttime, underexposed, too dark, dim, low light, low key, gloomy, shadow, "
            "shadowy, silhouette, noir, moonlight, moonlit, candlelight, starry, black background, chiaroscuro, "
            "darkness"
        ),
        listed("underexposed, dark, too dark, dim, dimly lit, shadow, night"),
        listed("bright, sunny, daylight, natural light, natural lighting"),
        (),
    ),
    Topic(listed("night, midnight, nighttime, moonlit"), (), (), listed("daylight")),
    Topic(
        listed("bright, sunny, daylight, high key, overexposed, white background, glowing, noon"),
        listed("overexposed, bright, too bright, blown out"),
        listed("low key, dark, dramatic shadow"),
        (),
    ),
    Topic(
        listed("high contrast, harsh light, harsh lighting, harsh shadow"), listed("harsh lighting, hard light"), (), ()
    ),
    Topic(listed("low contrast, flat lighting, flat light"), listed("flat lighting, dull"), (), ()),
    Topic(
        listed("low poly, lowpoly, low polygon, voxel, minecraft, papercraft, origami, ps1, playstation 1"),
        listed("polygon, low detail, simple, flat shading, 3d, render, cgi, video game, blocky, pixelated"),
        listed("highly detailed, detailed texture, intricate, intricate detail, fine detail"),
        (),
    ),
    Topic(
        listed("pixel art, pixelart, pixel, pixelated, 8 bit, 8bit, 16 bit, 16bit, sprite"),
        listed("pixelated, jpeg artifact, lowres, low resolution, low res, aliasing, jagged edge, blocky, video game"),
        listed("highly detailed, fine detail, intricate, intricate detail, sharp focus"),
        (),
    ),
    Topic(
        listed("glitch, glitch art, datamosh, corrupted, jpeg, jpeg artifact, vhs, vaporwave"),
        listed("jpeg artifact, compression artifact, glitch, distorted, noisy, artifact, pixelated, error"),
        (),
        (),
    ),
    Topic(
        listed(
            "low quality, bad quality, poor quality, worst quality, lowres, low res, low resolution, lofi, lo fi, "
            "amateur, cctv, security camera, webcam, ms paint, crayon, child drawing, poorly drawn, badly drawn, "
            "doodle, score 4, score 5, score 6"
        ),
        listed(
            "low quality, worst quality, bad quality, normal quality, lowres, low resolution, low res, poorly "
            "drawn, bad art, amateur, amateurish, score 6, score 5, score 4, undetailed, low detail"
        ),
        listed(
            "masterpiece, best quality, high quality, award winning, highly detailed, professional, score 9, "
            "score 8 up, score 7 up, very aesthetic"
        ),
        (),
    ),
    Topic(
        listed("ugly, grotesque, hideous, hag, ogre, troll"), listed("ugly, gross, disfigured"), listed("beautiful"), ()
    ),
    Topic(
        listed(
            "deformed, disfigured, distorted, malformed, mutant, mutated, mutation, monster, zombie, creature, "
            "alien, demon, horror, body horror, eldritch, lovecraftian, cthulhu, chimera, hydra, cyborg, surreal, "
            "surrealism, surrealist, dali, cubism, cubist, picasso, abstract, melting, caricature, centaur, "
            "octopus, spider"
        ),
        listed(
            "deformed, disfigured, distorted, malformed, mutated, mutation, bad anatomy, bad proportion, extra "
            "limb, extra arm, extra leg, extra eye, extra head, missing limb, malformed limb, fused finger, "
            "unnatural"
        ),
        listed("anatomically correct"),
        (),
    ),
    Topic(
        listed("amputee, prosthetic, one armed, one legged"), listed("missing arm, missing leg, missing limb"), (), ()
    ),
    # framing
    Topic(
        listed(
            "cropped, close up, closeup, macro, headshot, head shot, extreme close up, out of frame, detail shot, bust"
        ),
        listed("cropped, out of frame, cut off, close up, closeup"),
        listed("wide shot, full body"),
        (),
    ),
    Topic(listed("full body, full length, whole body, wide shot"), (), listed("close up"), listed("cropped, close up")),
    Topic(
        listed("frame, framed, border, polaroid, postcard, stamp, card, poster, book cover, collage"),
        listed("frame, border, picture frame, text, collage"),
        (),
        (),
    ),
    Topic(listed("symmetrical, symmetric, symmetry"), (), (), listed("asymmetrical")),
    Topic(listed("centered, centred, center composition"), (), (), listed("off center")),
    Topic(
        listed("minimalist, minimalism, minimalistic, simple, plain background, simple background"),
        listed("simple, plain, plain background, simple background, minimalist, empty background, flat"),
        listed("highly detailed, intricate, intricate detail, ornate"),
        listed("cluttered, busy background"),
    ),
    Topic(listed("empty, deserted, abandoned, uninhabited"), (), (), listed("crowd")),
    Topic(
        listed(
            "crowd, group, twin, couple, duo, two, three, four, several, many, family, pair, team, army, "
            "reflection, mirror, pattern, tile, tiled, seamless, collage, grid, clone"
        ),
        listed("duplicate, multiple view, cloned face, tiling, extra person, crowd"),
        (),
        (),
    ),
    # marks on the picture
    Topic(
        listed(
            "text, letter, lettering, typography, word, sign, signboard, logo, poster, book cover, magazine "
            "cover, newspaper, comic, manga page, speech bubble, quote, caption, title, saying, say, label, "
            "banner, graffiti, calligraphy, movie poster, infographic, meme, subtitle, written, writing, menu, "
            "chart, diagram, map, blueprint, tarot, tarot card, neon sign, license plate, keyboard, monogram, "
            "font, billboard, postcard"
        ),
        listed("text, letter, word, logo, caption, title, speech bubble, artist name, username"),
        (),
        (),
    ),
    Topic(
        listed("watermark, signature, signed, autograph, stamp, logo, copyright"),
        listed("watermark, signature, logo, stamp, copyright"),
        (),
        (),
    ),
    Topic(
        listed(
            "text, lettering, letter, typography, sign, signboard, saying, say, written, caption, title, quote, "
            "neon sign, graffiti, calligraphy, billboard, slogan"
        ),
        (),
        (),
        listed("misspelled text, garbled letters"),
    ),
    # pictures that are no views of a scene
    Topic(
        listed("x ray, xray, radiograph, radiography, mri, ct scan, ultrasound, sonogram"),
        listed("blurry, noisy, grainy, monochrome, desaturated, low contrast, dark, transparent"),
        listed("cinematic lighting, dramatic lighting, natural lighting, sharp focus, vivid color, vibrant color"),
        listed("opaque, colorful, painting"),
    ),
    Topic(
        listed("map, atlas, cartography"),
        (),
        listed("cinematic lighting, dramatic lighting, natural lighting, sharp focus, bokeh"),
        listed("photo, 3d render, satellite image"),
    ),
    Topic(
        listed("blueprint, floor plan, schematic, diagram, infographic, chart"),
        (),
        listed("cinematic lighting, dramatic lighting, natural lighting, sharp focus, bokeh"),
        listed("photo, 3d render"),
    ),
    # what is in it
    Topic(listed("crowd, crowded, audience, parade, mob, spectator"), (), (), listed("fused limbs, deformed faces")),
    Topic(listed("summer, summery"), (), (), listed("winter, snow")),
    Topic(listed("winter, wintry, snow, snowy"), (), (), listed("summer")),
    Topic(
        listed("medieval, ancient, victorian, renaissance, baroque, antique, viking, roman"),
        (),
        (),
        listed("modern, cars"),
    ),
    Topic(listed("modern, contemporary, futuristic"), (), (), listed("old-fashioned")),
    Topic(
        listed("realistic, photorealistic, hyperrealistic, realism, photorealism, hyperrealism, lifelike"),
        listed("realistic, photorealistic, realism, photo"),
        (),
        (),
    ),
    Topic(listed("stylized, stylised, cute, chibi"), listed("cartoon, anime, stylized, bad proportion"), (), ()),
    Topic(listed("smiling, happy, joyful, laughing"), (), (), listed("sad")),
    Topic(listed("sad, crying, melancholic"), (), (), listed("smiling")),
)

QUALIFIERS = frozenset(
    listed(
        "low, lower, bad, worst, worse, poor, poorly, extra, missing, fewer, fused, more, less, most, best, "
        "high, good, gross, normal, wrong, weird, excessive, unnatural, malformed, mutated, harsh, uneven, "
        "too, many"
    )
)
"""Words that say how, not what: sharing one with the prompt does not make a phrase contradict it."""

NEUTRAL = frozenset(
    listed(
        "quality, resolution, focus, detail, detailed, contrast, light, lighting, color, composition, "
        "proportion, exposure, drawn, image, picture, artifact, background, view, digit, score"
    )
)
"""Things every picture has: "high quality" in a prompt is no reason to keep "low quality" out of the negative."""

FILLERS = frozenset(
    listed(
        "a, an, the, of, in, on, at, by, with, and, or, to, for, from, is, it, very, highly, extremely, "
        "ultra, super, insanely, hyper, really, too, so, quite, overly"
    )
)
"""Words that carry no meaning of their own: "too dark" contradicts a dark forest."""

FAULTS = frozenset(
    listed(
        "airbrushed, anti, asymmetrical, awkward, backward, bad, banded, bent, blank, blobby, blown, blurry, "
        "broken, burnt, clipped, cloned, cloudy, crooked, cropped, crossed, crumpled, crushed, cut, damaged, "
        "deformed, detached, digital, dirty, disconnected, disfigured, disjointed, distorted, doubled, duplicate, "
        "duplicated, elongated, empty, extra, fake, flat, floating, fractured, frozen, fused, garbled, gibberish, "
        "glassy, gummy, hard, harsh, hollow, illegible, illogical, impossible, incoherent, incomplete, "
        "inconsistent, incorrect, indoors, jagged, jumbled, leaning, long, lopsided, lumpy, malformed, mangled, "
        "melted, melting, merged, messy, mirrored, misaligned, mismatched, misplaced, misshapen, missing, "
        "misspelled, mixed, muddy, multiple, mushy, mutated, mutilated, noisy, nonsense, nowhere, off, "
        "overlapping, overworked, painted, pasted, pasty, plastic, poorly, printed, random, repeated, repeating, "
        "rubbery, scrambled, scribbled, severed, shapeless, slanted, smeared, smooth, smudged, stiff, stock, "
        "stray, stretched, swapped, tangled, thin, tilted, twisted, two, uneven, uniform, unnatural, unreadable, "
        "unrelated, uphill, vacant, warped, washed, waxy, weird, wilted, wobbly, wonky, wrong"
    )
)
"""Words that make a fault of whatever they stand with: who asks for hands does not ask for "fused hands"."""
