"""`world learning`: its table, and that its learners end in words for every held-out prompt."""

from dataclasses import replace
from pathlib import Path

import pytest

from studies.learning.arms import kept, tuned
from studies.learning.settings import LearningSettings
from studies.learning.write import write_learning


def test_the_table_says_what_was_measured(tmp_path: Path) -> None:
    settings = LearningSettings(document=tmp_path / "learning.md", prompts=4)
    scores = {
        "tune": {"128": {"0": [1.0, 2.0, 1.0, 2.0], "1": [2.0, 2.0, 2.0, 2.0]}, "256": {"0": [2.0, 3.0, 2.0, 3.0]}},
        "ppo": {"800": {"0": [1.0, 1.0, 2.0, 2.0]}},
    }
    figures = write_learning(settings, scores, {256: {"held": 0.95, "useless": 0.96, "strong": 0.9}})
    text = settings.document.read_text(encoding="utf-8")
    assert "| tune (drawn sets) | 128 | 1.75 ± " in text and "| 1.50, 2.00 |" in text and "| 256 | 0.950 |" in text
    assert figures["tune"][128]["value"] == 1.75
    assert settings.document.with_suffix(".png").read_bytes()[:4] == b"\x89PNG"


def test_what_was_made_is_not_made_again(tmp_path: Path) -> None:
    calls: list[int] = []

    def make() -> list[int]:
        calls.append(1)
        return [1, 2]

    place = tmp_path / "a" / "b.json"
    assert kept(place, make) == kept(place, make) == [1, 2] and calls == [1]


@pytest.mark.slow
@pytest.mark.parametrize("is_random", [False, True])
def test_tune_ends_in_words_for_every_prompt(is_random: bool) -> None:
    settings = replace(LearningSettings(paint_dtype="float32"), budgets=(64, 96), train_steps=1)
    prompts = ["a photo of a red ball by the sea by day", "a sketch of a blue cube in the snow at night"]
    found = tuned(settings, 0, prompts, is_random)
    assert [int(pictures) for pictures in found] == [64, 96]
    assert all(len(texts) == 2 and any(texts) for texts in found.values())
