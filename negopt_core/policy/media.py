"""What a picture is made with, what then belongs to it and what does not; and who is in it."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from .words import listed, words_of


@dataclass(frozen=True, slots=True)
class Medium:
    """One way of making a picture."""

    name: str
    asks: tuple[str, ...]
    """A prompt with one of these wants it; in the spelling of `words.words_of`."""
    own: tuple[str, ...]
    """More words that belong to it and are never negated when it is asked for; in the same spelling."""
    conflicts: tuple[str, ...]
    """Words for what it is not, the commonest mix-up first."""


MEDIA: tuple[Medium, ...] = (
    Medium(
        "photo",
        listed(
            "photo, photograph, photography, photographic, photorealistic, photorealism, photoreal, dslr, selfie, "
            "snapshot, film still, movie still, raw photo, photoshoot, polaroid, 35mm, nikon, canon eos, "
            "fujifilm, kodak, hyperrealistic, editorial, fashion editorial"
        ),
        listed("photo, realistic, photorealistic, realism"),
        listed("painting, drawing, cartoon, anime, 3d render, sketch, illustration, cgi"),
    ),
    Medium(
        "painting",
        listed(
            "painting, watercolor, gouache, acrylic, oil on canvas, impressionist, impressionism, fresco, "
            "tempera, ukiyo e, expressionist, pointillism, matte painting"
        ),
        listed("painting, painted, brushstroke, art, illustration, watercolor, oil painting, artwork"),
        listed("photo, photorealistic, 3d render, cgi"),
    ),
    Medium(
        "drawing",
        listed(
            "drawing, sketch, pencil, charcoal, doodle, line art, lineart, ink wash, crayon, engraving, etching, "
            "woodcut, linocut, coloring page"
        ),
        listed("drawing, sketch, line art, illustration, art, monochrome, unfinished, rough, sketchy"),
        listed("photo, photorealistic, 3d render, cgi"),
    ),
    Medium(
        "illustration",
        listed(
            "illustration, digital art, concept art, digital painting, fantasy art, storybook, art nouveau, "
            "artstation, poster"
        ),
        listed("illustration, digital art, art, drawing, painting, artwork"),
        listed("photo, photorealistic"),
    ),
    Medium(
        "anime",
        listed(
            "anime, manga, ghibli, makoto shinkai, waifu, chibi, visual novel, 1girl, 1boy, 1woman, 1man, 2girl, "
            "2boy, danbooru, kyoto animation, light novel, cel shading, cel shaded"
        ),
        listed("anime, manga, cartoon, drawing, illustration, 2d, art, sketch"),
        listed("photo, photorealistic, realistic, 3d render"),
    ),
    Medium(
        "cartoon",
        listed("cartoon, comic, comic book, graphic novel, toon, caricature, disney, simpson, webcomic"),
        listed("cartoon, comic, drawing, illustration, 2d, flat, art"),
        listed("photo, photorealistic, realistic"),
    ),
    Medium(
        "3d",
        listed(
            "3d, 3d render, 3d model, render, rendering, cgi, blender, octane render, unreal engine, low poly, "
            "lowpoly, voxel, claymation, pixar, zbrush, isometric, plasticine, clay"
        ),
        listed("3d, 3d render, render, cgi, plastic, video game, doll, digital art"),
        listed("photo, painting, drawing, sketch, 2d"),
    ),
    Medium(
        "pixel art",
        listed("pixel art, pixelart, 8 bit, 8bit, 16 bit, 16bit, sprite"),
        listed("pixel art, pixelated, video game, 2d, flat"),
        listed("photo, photorealistic, 3d render, smooth shading, gradients"),
    ),
    Medium(
        "vector",
        listed("vector, vector art, flat design, logo, icon, sticker, emoji, clipart, clip art, svg"),
        listed("vector, flat, simple, 2d, illustration, cartoon, plain background"),
        listed("photo, photorealistic, 3d render, texture, gradients"),
    ),
)

PEOPLE = frozenset(
    listed(
        "man, woman, person, girl, boy, lady, guy, child, kid, baby, toddler, teenager, portrait, face, "
        "human, character, warrior, knight, king, queen, prince, princess, soldier, wizard, witch, mage, elf, "
        "model, actor, actress, bride, groom, dancer, doctor, nurse, chef, farmer, fisherman, pirate, "
        "samurai, ninja, monk, priest, astronaut, hero, heroine, goddess, god, angel, fairy, vampire, mother, "
        "father, sister, brother, daughter, son, grandmother, grandfather, wife, husband, couple, selfie, "
        "hand, finger, 1girl, 1boy, 1woman, 1man, 2girl, 2boy, waifu, cosplay, cosplayer, cowboy, athlete, "
        "runner, player, musician, singer"
    )
)
"""A prompt with one of these words shows people: hands, faces and limbs can go wrong."""

ANIMALS = frozenset(
    listed(
        "cat, kitten, dog, puppy, horse, pony, cow, bull, pig, sheep, goat, lamb, chicken, rooster, duck, "
        "goose, bird, owl, eagle, parrot, penguin, swan, crow, raven, fox, wolf, bear, panda, lion, tiger, "
        "leopard, cheetah, elephant, giraffe, zebra, rhino, hippo, monkey, gorilla, ape, deer, moose, elk, "
        "rabbit, bunny, hare, squirrel, mouse, rat, hamster, hedgehog, raccoon, otter, beaver, seal, whale, "
        "dolphin, shark, fish, goldfish, koi, turtle, tortoise, frog, toad, snake, lizard, crocodile, "
        "dinosaur, dragon, unicorn, camel, kangaroo, koala, sloth, bat, bee, butterfly, animal, pet, "
        "wildlife, creature, corgi, husky, retriever, poodle, alpaca, llama"
    )
)
"""A prompt with one of these words shows an animal: legs, tails and heads can go wrong."""

_BODY = frozenset(
    listed(
        "anatomy, ankle, arm, body, breast, cross, digit, ear, eye, face, finger, fingered, foot, forehead, hand, "
        "head, knee, leg, limb, mouth, neck, nose, palm, pupil, thigh, thumb, toe, tooth, torso"
    )
)


def names_a_body(phrase: str) -> bool:
    """True for "bad hands" and its like: nothing for a picture without people or animals."""
    return not _BODY.isdisjoint(words_of(phrase))


def shows_a_body(words: AbstractSet[str]) -> bool:
    """True if a prompt of these words (as `words_of` spells them) shows people or animals."""
    return not (words.isdisjoint(PEOPLE) and words.isdisjoint(ANIMALS))
