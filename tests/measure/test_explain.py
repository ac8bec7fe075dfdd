"""What a phrase does: exact on a painter and a scorer made for it."""

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from negopt_core import PromptPair, format_prompt
from negopt_core.errors import ModelError, PromptError
from negopt_core.measure.explain import (
    COLOURS,
    HELPS,
    HURTS,
    NOTHING,
    UNKNOWN,
    Texts,
    describe,
    draw_explanation,
    explain,
)
from tests.fakes.gallery import AnyScorer

WORTH = {"good": 0.2, "bad": -0.1, "idle": 0.0, "sharp": 0.05}
SEEDS = (3, 5, 8)


class Painter:
    """Paints brightness: 0.4, plus what each phrase is worth, plus a little of the seed."""

    def __init__(self) -> None:
        self.calls: list[list[tuple[str, str, int]]] = []

    def __call__(self, pairs: Sequence[PromptPair], seeds: Sequence[int]) -> Tensor:
        texts = [(format_prompt(pair.positive), format_prompt(pair.negative)) for pair in pairs]
        self.calls.append([(*text, seed) for text, seed in zip(texts, seeds, strict=True)])
        images = []
        for (positive, negative), seed in zip(texts, seeds, strict=True):
            noise = 0.001 * seed * (1 + ("idle" in negative) * ((seed % 2) - 0.7))
            level = 0.4 + noise + sum(worth for word, worth in WORTH.items() if word in f"{positive} {negative}")
            images.append(torch.full((3, 4, 6), level))
        return torch.stack(images)


TEXTS = Texts.read("a cat", "a cat, [sharp:0-0.5:1.2]", "good, [bad:0-0.5:1], idle")


def test_phrases_are_read_from_both_sides_in_order() -> None:
    assert [(side, TEXTS.span((side, at)).text) for side, at in TEXTS.phrases] == [
        ("negative", "good"), ("negative", "bad"), ("negative", "idle"), ("modifier", "sharp"),
    ]  # fmt: skip
    pair = TEXTS.keeping(TEXTS.phrases)
    assert format_prompt(pair.positive) == "a cat, [sharp:0-0.5:1.2]"
    assert format_prompt(pair.negative) == "good, [bad:0-0.5:1], idle"
    assert not Texts.read("a cat", "the cat, sharp", "x").modifiers
    with pytest.raises(PromptError, match="no phrase"):
        Texts.read("a cat", "a cat", " , ")


def test_scorers_read_words_not_brackets() -> None:
    read: list[str] = []

    def give(images: Tensor, prompts: Sequence[str]) -> Tensor:
        read.extend(prompts)
        return images.mean(dim=(1, 2, 3))

    explain(TEXTS, "a [big:0-0.5:1.2] cat", Painter(), [AnyScorer(give)], SEEDS)
    assert set(read) == {"a big cat"}


def test_each_phrase_gets_what_it_is_worth_and_costs_one_picture_a_seed() -> None:
    painter = Painter()
    found = explain(TEXTS, "a cat", painter, [AnyScorer()], SEEDS)
    (call,) = painter.calls
    assert len(call) == (4 + 1) * len(SEEDS) and len(set(call)) == len(call)
    effects = {phrase.text: phrase.effects["any"] for phrase in found.phrases}
    for word, worth in WORTH.items():
        assert effects[word].value == pytest.approx(worth, abs=0.004)
    assert [found.verdict(phrase) for phrase in found.phrases] == [HELPS, HURTS, NOTHING, HELPS]
    assert found.phrases[0].change == pytest.approx(0.2, abs=1e-3)
    assert float(found.phrases[0].picture.mean()) == pytest.approx(0.35, abs=0.02)
    assert format_prompt(found.without(HURTS).negative) == "good, idle"
    useful = found.without(HURTS, NOTHING)
    assert (format_prompt(useful.positive), format_prompt(useful.negative)) == ("a cat, [sharp:0-0.5:1.2]", "good")


def test_add_one_measures_each_phrase_alone() -> None:
    painter = Painter()
    found = explain(TEXTS, "a cat", painter, [AnyScorer()], SEEDS, add_one=True)
    assert len(painter.calls[0]) == 2 * (4 + 1) * len(SEEDS)
    for phrase in found.phrases:
        assert phrase.alone["any"].value == pytest.approx(WORTH[phrase.text], abs=0.004)


def test_one_seed_has_no_interval_and_claims_nothing() -> None:
    found = explain(TEXTS, "a cat", Painter(), [AnyScorer()], [1])
    assert {found.verdict(phrase) for phrase in found.phrases} == {UNKNOWN}
    assert math.isnan(found.phrases[0].effects["any"].low)


def test_scores_that_are_no_numbers_and_seeds_twice_are_refused() -> None:
    odd = AnyScorer(lambda images, prompts: torch.full((len(images),), math.nan))
    with pytest.raises(ModelError, match="finite"):
        explain(TEXTS, "a cat", Painter(), [odd], [1])
    for seeds in ([], [1, 1]):
        with pytest.raises(PromptError, match="seeds"):
            explain(TEXTS, "a cat", Painter(), [AnyScorer()], seeds)


def test_the_sheet_shows_words_in_the_colour_of_their_effect() -> None:
    found = explain(TEXTS, "a cat", Painter(), [AnyScorer()], SEEDS)
    sheet = draw_explanation(found)
    colours = {pixel for _, pixel in sheet.getcolors(1 << 20) or []}
    assert set(COLOURS.values()) <= colours
    assert [line.split()[0] for line in describe(found)[1:]] == ["good", "sharp", "idle", "bad"]
    many = Texts.read("a cat", "a cat", ", ".join(f"a rather long phrase number {n}" for n in range(40)))
    assert draw_explanation(explain(many, "a cat", Painter(), [AnyScorer()], [1])).height > 40 * 100
