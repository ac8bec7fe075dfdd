"""What a prompt says that it does not want is told apart from what it wants."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negopt_core.text.unwanted import read_wishes
from tests.fakes.calls import is_linear


@pytest.mark.parametrize(
    ("prompt", "unwanted"),
    [
        ("1girl, anime, no watermark", "watermark"),
        ("a street without people", "people"),
        ("portrait, not blurry, no text", "blurry|text"),
        ("a street without people in the rain", "people"),
        ("a room without people and a dog sleeping", "people"),
        ("no text or watermark, a cat", "text|watermark"),
        ("dog, no people, no cars and no text", "people|cars|text"),
        ("do not include any text", "text"),
        ("a scene with no humans or animals anywhere", "humans|animals"),
        ("a beach with no one on it", "people"),
        ("a text-free poster", "text"),
        ("a man not smiling", "smiling"),
        ("a samurai on a bench, no humans in background", "humans in the background"),
        ("夏の終わりの無人駅", "people"),
        ("a landscape (people:-1), mountains", "people"),
        ("a cat --ar 16:9 --no hat, dog --v 6", "hat|dog"),
        ('{"subject": "a street, no people", "negative_prompt": "dog, blurry"}', "dog|blurry|people"),
        ("ein Garten ohne Menschen", "Menschen"),
        ("une rue sans voitures la nuit", "voitures"),
        ("una calle sin gente", "gente"),
        ("улица без людей", "людей"),
        ("没有人的街道", "人"),
        ("文字なし、猫", "文字"),
        ("사람 없는 거리", "사람"),
        ("no man's land", ""),
        ("not only a cat but a dog", ""),
        ('a sign that says "no smoking"', ""),
        ("a no smoking sign", ""),
        ("no. 5 perfume bottle", ""),
        ("a knot, a note, notable noise", ""),
        ("a person who is not looking at the camera", ""),
        ("sem image of a spitfire", ""),
        ("sin city at night, sans serif title", ""),
        ("a cat", ""),
        ("", ""),
    ],
)
def test_unwanted_things_are_found_in_their_order(prompt: str, unwanted: str) -> None:
    assert "|".join(read_wishes(prompt).unwanted) == unwanted


def test_what_is_wanted_keeps_the_rest_of_the_prompt() -> None:
    wanted = read_wishes('a street without people in the rain, sign "no parking", cat').wanted
    assert wanted.split() == ["a", "street", "in", "the", "rain,", "sign", '"no', 'parking",', "cat"]


def test_a_weight_below_zero_is_told_apart() -> None:
    wishes = read_wishes("a lake (people, boats:-0.5), no birds")
    assert wishes.weighted == ("people", "boats") and wishes.unwanted == ("people", "boats", "birds")


@pytest.mark.parametrize(
    "prompt",
    [
        "a man who did not sleep last night",
        "what the government does not want you to know",
        "um bonde subindo uma ladeira de Lisboa, roupas no varal",
    ],
)
def test_what_only_looks_like_a_no_is_none(prompt: str) -> None:
    assert read_wishes(prompt).unwanted == ()


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200))
def test_any_text_can_be_read(prompt: str) -> None:
    wishes = read_wishes(prompt)
    assert len(wishes.wanted) <= len(prompt) and all(thing.strip() for thing in wishes.unwanted)


@pytest.mark.parametrize("piece", ["no ", "without people and ", "(a:-1) ", '"', "--no ", "не ", "negative: ", "([{"])
def test_a_long_prompt_is_read_in_linear_work(piece: str) -> None:
    assert is_linear(lambda size: read_wishes(piece * (size // len(piece))), 4_000)
