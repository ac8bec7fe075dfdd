"""The demo world's own parts: scenes are deterministic, captions say what is there, ground truth is exact."""

import random
from dataclasses import replace

import pytest
import torch

from negopt_core.lab.data.world_people import draw_negatives
from negopt_core.lab.make_world.measure import auc, draw_prompts, is_held_out
from negopt_core.world import vocabulary as words
from negopt_core.world.captions import content_caption, read_prompt, scene_facts, write_caption
from negopt_core.world.render import SIZE, render
from negopt_core.world.scenes import MAX_DEGRADATIONS, Scenes, sample_clean_scenes, sample_scenes, true_quality

FAULTS = len(words.DEGRADATIONS)


def test_a_scene_renders_the_same_twice_and_alone_as_in_a_batch() -> None:
    scenes = sample_scenes(16, seed=3)
    pictures = render(scenes)
    assert pictures.shape == (16, 3, SIZE, SIZE)
    assert float(pictures.min()) >= 0.0 and float(pictures.max()) <= 1.0
    assert torch.equal(pictures, render(sample_scenes(16, seed=3)))
    assert torch.allclose(render(scenes[4:5]), pictures[4:5], atol=1e-5)


def test_clean_scenes_have_the_base_quality_and_faults_cost_what_the_table_says() -> None:
    scenes = sample_clean_scenes(FAULTS, seed=1)
    assert true_quality(scenes).tolist() == [words.BASE_QUALITY] * FAULTS
    broken = replace(scenes, severity=torch.eye(FAULTS))
    expected = [max(words.BASE_QUALITY + effect, 1.0) for effect in _effects(broken)]
    assert true_quality(broken).tolist() == pytest.approx(expected)
    count = len(words.ENHANCEMENTS)
    better = replace(scenes[:count], enhanced=torch.eye(count))
    assert true_quality(better).tolist() == pytest.approx(
        [words.BASE_QUALITY + bonus for bonus in words.ENHANCEMENTS.values()]
    )


def _effects(scenes: Scenes) -> list[float]:
    """What the table says of the first scene's first degradation, the second scene's second, ..."""
    return [
        words.quality_effect(name, words.MEDIUMS[medium], words.TIMES[time])
        for name, medium, time in zip(words.DEGRADATIONS, scenes.medium.tolist(), scenes.time.tolist(), strict=True)
    ]


def test_what_spoils_one_picture_makes_another() -> None:
    scenes = sample_clean_scenes(40, seed=1)
    noisy = torch.zeros(40, FAULTS)
    noisy[:, list(words.DEGRADATIONS).index("noisy")] = 1.0
    gain = true_quality(replace(scenes, severity=noisy)) - true_quality(scenes)
    photo = scenes.medium == words.MEDIUMS.index("photo")
    assert torch.allclose(gain[photo], torch.tensor(words.CHARMS["photo"]["noisy"]))
    assert torch.allclose(gain[~photo], torch.tensor(1.0 - words.BASE_QUALITY))  # as bad as can be


def test_a_charm_is_named_but_is_no_fault() -> None:
    facts = replace(scene_facts(sample_clean_scenes(1, seed=1))[0], medium="photo", time="day")
    grainy = replace(facts, degradations=("noisy", "watermark"))
    assert grainy.faults == ("watermark",)


@pytest.mark.parametrize("index", range(FAULTS))
def test_every_fault_changes_the_picture(index: int) -> None:
    from negopt_core.world.scenes import _pose, _sample_content

    content = _sample_content(4, torch.Generator().manual_seed(2))
    clean, broken = _pose(content), _pose(replace(content, severity=torch.eye(FAULTS)[[index] * 4]))
    assert float((render(clean) - render(broken)).abs().mean()) > 0.005


def test_faults_depend_on_content_as_the_rates_say() -> None:
    scenes = sample_scenes(6000, seed=5)
    blurry = (scenes.severity[:, list(words.DEGRADATIONS).index("blurry")] > 0).float()
    often = (scenes.medium == words.MEDIUMS.index("photo")) | (scenes.medium == words.MEDIUMS.index("painting"))
    assert float(blurry[often].mean()) > 5 * float(blurry[~often].mean())
    assert int((scenes.severity > 0).sum(1).max()) == MAX_DEGRADATIONS


def test_a_caption_of_the_content_is_read_back_as_the_content() -> None:
    for facts in scene_facts(sample_clean_scenes(60, seed=8)):
        request = read_prompt(content_caption(facts))
        colour, shape = facts.objects[0]
        assert words.MEDIUMS[request.medium or 0] == facts.medium
        assert words.PLACES[request.place or 0] == facts.place
        assert words.TIMES[request.time or 0] == facts.time
        assert (words.COLOURS[request.colour or 0], words.SHAPES[request.shape or 0]) == (colour, shape)


def test_captions_name_only_faults_that_are_there() -> None:
    rng = random.Random(0)
    for facts in scene_facts(sample_scenes(300, seed=9)):
        caption = write_caption(facts, rng)
        for name, synonyms in words.DEGRADATIONS.items():
            if name not in facts.degradations:
                assert not any(part in synonyms for part in caption.split(", ")), caption


def test_a_prompt_that_asks_for_nothing_known_asks_for_nothing() -> None:
    request = read_prompt("zebra crossing")
    assert request == read_prompt("")
    assert request.medium is None and request.shape is None


def test_auc_matches_hand_worked_numbers() -> None:
    assert auc(torch.tensor([0.9, 0.4, 0.5, 0.1]), torch.tensor([True, True, False, False])) == 0.75
    assert auc(torch.tensor([0.5, 0.5]), torch.tensor([True, False])) == 0.5


def test_evaluation_prompts_are_fixed_by_the_seed() -> None:
    assert draw_prompts(5, 1) == draw_prompts(5, 1) != draw_prompts(5, 2)


def test_held_out_prompts_are_never_trained_on() -> None:
    trained, held_out = (set(draw_prompts(600, 3, part=part)) for part in ("train", "held-out"))
    assert trained.isdisjoint(held_out)
    assert {pair.prompt for pair in draw_negatives(300, 1)} <= {p for p in draw_prompts(4000, 1, part="train")}
    every = set(draw_prompts(3000, 9))
    assert 0.15 < sum(map(is_held_out, every)) / len(every) < 0.25
