"""Nothing suggested forbids what the prompt asks for, and nothing harmless is lost to that rule."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negopt_core.policy.contradiction import is_contradicted, is_unwelcome, names_another_medium, read_asked


@pytest.mark.parametrize(
    ("prompt", "phrase"),
    [
        ("a blurry photo", "blurry"),
        ("a blurred photo", "Blurry"),
        ("portrait, bokeh", "out of focus"),
        ("low poly fox", "low poly"),
        ("low-poly fox", "3d render"),
        ("a watercolour of a boat", "painting"),
        ("a watercolor of a boat", "watercolors"),
        ("monochrome street", "grayscale"),
        ("black and white photo", "monochrome"),
        ("B&W photo", "black and white"),
        ("a dark forest", "too dark"),
        ("a city at night", "underexposed"),
        ("a photo of a cat", "cat"),
        ("a photo of a cat", "CATS"),
        ("two dogs", "a dog"),
        ("anime girl", "cartoon"),
        ("a poster that says hello", "text"),
        ("film grain", "grainy"),
        ("VHS footage", "jpeg artifacts"),
        ("a zombie", "deformed"),
        ("a low quality webcam picture", "worst quality"),
        ("macro of an ant", "cropped"),
        ("detailed drawing", "highly detailed"),
        ("photograph of a car", "photorealistic"),
        ("a poem by a man with a very long name", "very long name"),
        ("a deformed hand", "deformed hands"),
        ("a doll with plastic hair", "plastic skin"),
    ],
)
def test_a_phrase_the_prompt_asks_for_is_contradicted(prompt: str, phrase: str) -> None:
    assert is_contradicted(phrase, read_asked(prompt))


@pytest.mark.parametrize(
    ("prompt", "phrase"),
    [
        ("a photo of a cat", "blurry"),
        ("a high quality photo", "low quality"),
        ("best quality, a cat", "worst quality"),
        ("low poly fox", "low quality"),
        ("sharp focus", "out of focus"),
        ("high contrast street", "low contrast"),
        ("detailed face", "low detail"),
        ("a catalogue", "cat"),
        ("an extra large pizza", "extra fingers"),
        ("a photo of a cat", "painting"),
        ("a painting of a cat", "photo"),
        ("sunny beach", "too dark"),
        ("", "blurry"),
        ("a cat", "..."),
        ("a sketch of a hand", "bad hands"),
        ("a bowl of food", "plastic food"),
        ("a shop sign that says OPEN", "garbled letters"),
        ("a street, no text", "text"),
        ("portrait, not blurry", "blurry"),
    ],
)
def test_a_phrase_that_only_looks_like_it_is_kept(prompt: str, phrase: str) -> None:
    assert not is_contradicted(phrase, read_asked(prompt))


@pytest.mark.parametrize(
    ("prompt", "modifier", "expected"),
    [
        ("a cat, highly detailed", "highly detailed", True),
        ("a cat, vibrant", "vibrant colors", True),
        ("a blurry cat", "sharp focus", True),
        ("monochrome cat", "vivid colors", True),
        ("a ugly lowres doodle", "masterpiece", True),
        ("a cat at night", "natural lighting", True),
        ("soft lighting, a cat", "cinematic lighting", False),
        ("a cat", "sharp focus", False),
        ("a cat", "...", True),
    ],
)
def test_modifiers_neither_repeat_the_prompt_nor_work_against_it(prompt: str, modifier: str, expected: bool) -> None:
    assert is_unwelcome(modifier, read_asked(prompt)) == expected


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=200))
def test_every_prompt_contradicts_each_of_its_own_content_words(prompt: str) -> None:
    asked = read_asked(prompt)
    assert all(is_contradicted(word, asked) for word in ("fox", "harbor") if word in asked.words)
    assert is_contradicted("fox", read_asked(f"{prompt} fox"))


def test_a_modifier_of_another_medium_is_known() -> None:
    photo, plain = read_asked("a photo of a fox"), read_asked("a fox")
    assert names_another_medium("digital painting", photo) and names_another_medium("octane render", photo)
    assert not names_another_medium("sharp focus", photo) and not names_another_medium("film still", photo)
    assert not names_another_medium("digital painting", plain)
