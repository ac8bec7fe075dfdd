"""The report's own arithmetic: what is paired, what is searched, what is kept, what counts as met."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from negopt_core.errors import NegOptError
from negopt_core.lab.compare.arms import Arm, Writer
from negopt_core.lab.compare.prompt_sets import Item
from negopt_core.lab.make_world.measure import draw_prompts, is_held_out
from negopt_core.world import vocabulary as words
from negopt_core.world.captions import read_prompt
from negopt_core.world.judges import CONTENT_HEADS, Verdict
from studies.document import table
from studies.world import arms, figures
from studies.world.experiments import search_prompts
from studies.world.runner import Runner, design_of
from studies.world.scores import Scores, gain, load_scores, make_scores, save_scores
from studies.world.search import MAX_WORDS, VOCABULARY, content_features, fit_gains, random_negatives
from studies.world.settings import ReportSettings

PROMPTS = draw_prompts(6, seed=4)


def scores(quality: float = 5.0, hit: float = 1.0, fault: float = 0.0, better: float = 0.5) -> Scores:
    """The same verdict on 6 prompts with 2 seeds, a little different for each prompt."""
    slope = torch.linspace(-0.5, 0.5, 6)[:, None].expand(6, 2)
    return Scores(
        quality + slope,
        torch.full((6, 2, 5), hit),
        torch.full((6, 2), hit),
        torch.full((6, 2, 10), fault),
        torch.full((6, 2, 10), fault),
        torch.full((6, 2, 6), better),
        torch.full((6, 2, 36), 1 / 36),
        torch.zeros(6, 3, 4, 4, dtype=torch.uint8),
    )


def verdict_for(prompts: list[str]) -> Verdict:
    """A judge that sees exactly what each prompt asks for."""
    logits = {head: torch.zeros(len(prompts), size) for head, size in CONTENT_HEADS.items()}
    for row, prompt in enumerate(prompts):
        request = read_prompt(prompt)
        for head in ("medium", "place", "time", "shape", "colour", "shape2", "colour2"):
            if (value := getattr(request, head)) is not None:
                logits[head][row, value] = 9.0
    flags = {"degradations": torch.full((len(prompts), 10), -3.0), "enhancements": torch.zeros(len(prompts), 6)}
    return Verdict(torch.arange(len(prompts)).float(), logits | flags, torch.zeros(len(prompts), 10))


def test_verdicts_are_ordered_by_prompt_and_seed() -> None:
    repeated = [prompt for prompt in PROMPTS for _ in range(2)]
    made = make_scores(verdict_for(repeated), PROMPTS, 2, torch.rand(6, 3, 4, 4))
    assert made.quality.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11]]
    assert made.alignment.tolist() == [1.0] * 6 and float(made.second.sum()) == 0.0
    assert made.mean_quality.tolist() == [0.5, 2.5, 4.5, 6.5, 8.5, 10.5]
    assert made.reward.tolist() == [3.5, 5.5, 7.5, 9.5, 11.5, 13.5]
    assert float(made.faults.sum()) == 0.0 and made.pictures.shape == (6, 3, 4, 4)


def test_both_objects_count_only_if_both_are_right() -> None:
    pairs = draw_prompts(8, seed=1, objects=2)
    requests = [read_prompt(prompt) for prompt in pairs]
    assert all(request.shape2 is not None and request.colour2 is not None for request in requests)
    seen = verdict_for(pairs)
    assert float(make_scores(seen, pairs, 1, torch.rand(8, 3, 4, 4)).second.mean()) == 1.0
    seen.logits["colour2"][3] = seen.logits["colour2"][3].roll(1)
    assert float(make_scores(seen, pairs, 1, torch.rand(8, 3, 4, 4)).second.mean()) == 7 / 8


def test_scores_are_read_back_as_they_were(tmp_path: Path) -> None:
    one = scores()
    save_scores(one, tmp_path / "deep" / "one.safetensors")
    other = load_scores(tmp_path / "deep" / "one.safetensors")
    assert torch.equal(one.quality, other.quality) and torch.equal(one.pictures, other.pictures)
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "one.safetensors"]


def test_differences_are_paired() -> None:
    found = gain(scores(quality=6.0, hit=0.8), scores())
    assert found.value == pytest.approx(1.0 - 3 * 0.2, abs=1e-5)
    assert found.high - found.low == pytest.approx(0.0, abs=1e-5)  # prompts differ, their differences do not


def test_the_search_finds_what_was_planted() -> None:
    prompts = draw_prompts(400, seed=1) * 3
    negatives = random_negatives(prompts, seed=2)
    noise = random.Random(3)

    def gain(prompt: str, negative: tuple[str, ...]) -> float:
        fits = 1.0 if "photo" in prompt else -1.0
        return (
            fits * ("blurry" in negative) + 0.8 * ("watermark" in negative) - 0.3 * len(negative) + noise.gauss(0, 0.3)
        )

    found = fit_gains(prompts, negatives, torch.tensor([gain(*pair) for pair in zip(prompts, negatives, strict=True)]))
    assert found.choose() == ("watermark",) and found.explained > 0.5
    features = content_features(prompts)
    for prompt, row in list(zip(prompts, features, strict=True))[:40]:
        assert ("blurry" in found.choose(row)) == ("photo" in prompt) and "watermark" in found.choose(row)


def test_random_negatives_name_each_word_once_and_depend_on_the_seed() -> None:
    drawn = random_negatives(PROMPTS, seed=5)
    assert drawn == random_negatives(PROMPTS, seed=5) != random_negatives(PROMPTS, seed=6)
    for negative in drawn:
        assert 1 <= len(negative) <= MAX_WORDS and len(set(negative)) == len(negative)
        assert set(negative) <= set(VOCABULARY)


def test_rows_of_a_prompt_are_held_out_together() -> None:
    prompts = draw_prompts(42, 3)
    repeated = prompts * 4
    negatives = random_negatives(repeated, 5)
    noise = torch.randn(42, generator=torch.Generator().manual_seed(1))
    shared = noise.repeat(4)  # what the rows of a prompt share says nothing of other prompts
    assert fit_gains(repeated, negatives, shared).explained < 0.1


def test_the_search_meets_no_held_out_prompt() -> None:
    assert not any(map(is_held_out, search_prompts(ReportSettings(prompts=30))))


def test_a_negative_against_the_prompt_names_what_it_asks_for() -> None:
    assert arms.against_the_prompt(["a photo of a red ball in the snow at night"]) == ["photo, red ball"]


def test_delays_and_weights_share_the_plain_arms() -> None:
    late = {arm.name for arm in arms.delayed_arms({"blurry": "blurry"}, arms.STARTS)}
    assert late == {"blurry from 10%", "blurry from 20%", "blurry from 40%", "blurry from 60%"}
    assert arms.delayed("blurry", 0.0) == "blurry"
    assert arms.weighted("vivid", 1.0) in {arm.name for arm in arms.timing_arms()}
    assert len(arms.weight_arms()) == 4 * len(words.ENHANCEMENTS)
    (pair,) = Writer().write(arms.delayed_arms({"list": "blurry, low quality"}, (0.4,))[0], [Item("a fox")])
    (span,) = pair.negative.spans  # one span, so that nothing acts before its start
    assert span.text == "blurry, low quality" and span.window.steps(10) == range(4, 10)


def test_a_window_is_clearly_best_only_if_it_beats_both_others() -> None:
    found = {
        arms.timed("vivid", name): scores(quality=q) for name, q in zip(arms.WINDOWS, (5.0, 5.0, 6.0), strict=True)
    }
    assert figures.best_window("vivid", found) == ("last half", True)
    found[arms.timed("vivid", "all steps")] = found[arms.timed("vivid", "last half")]
    assert figures.best_window("vivid", found)[1] is False


def test_growing_weights_are_told_from_others() -> None:
    found = {arms.weighted("vivid", w): scores(better=w / 2) for w in arms.WEIGHTS}
    assert figures.is_monotone("vivid", found)
    found[arms.weighted("vivid", 1.25)] = scores(better=0.1)
    assert not figures.is_monotone("vivid", found)


def test_a_table_has_a_row_for_each_line() -> None:
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_arms_are_painted_once_and_kept(tmp_path: Path, jobs: int) -> None:
    from negopt_core.world import world_dir

    runner = Runner(world_dir(), "hash", tmp_path, steps=2, guidance_scale=3.0, jobs=jobs)

    def run(*compared: Arm, by: Runner = runner) -> dict[str, Scores]:
        return by.run(design_of(PROMPTS[:2], compared, 2, 7), "eval", "test")

    def kept(ending: str) -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in tmp_path.rglob(f"*.{ending}")}

    plain, blurry = Arm(arms.NONE, "none"), arms.negative_arm("blurry", "blurry")
    assert design_of(PROMPTS[:2], [plain], 2, 7).numbers == [[7, 8], [1007, 1008]]
    both = (plain, blurry, Arm("twin", "none"))  # painted once, however many processes there are
    found = run(*both)
    assert list(found) == [arms.NONE, "blurry", "twin"] and found["blurry"].quality.shape == (2, 2)
    scored, painted = kept("safetensors"), kept("png")
    assert len(scored) == 2 and len(painted) == 8
    again = run(*both)
    assert torch.equal(again["blurry"].quality, found["blurry"].quality)
    assert kept("safetensors") == scored and kept("png") == painted
    run(Arm("other name, same pictures", "none"))
    assert kept("safetensors") == scored
    next(iter(scored)).unlink()  # stopped before an arm was scored: its pictures are not painted again
    assert torch.equal(run(*both)["blurry"].quality, found["blurry"].quality)
    assert len(kept("safetensors")) == 2 and kept("png") == painted
    rounded = run(blurry, by=replace(runner, dtype="bfloat16"))["blurry"]
    assert len(kept("safetensors")) == 3 and not torch.equal(rounded.quality, found["blurry"].quality)


@pytest.mark.slow
def test_a_fault_in_a_worker_is_told_and_leaves_no_file(tmp_path: Path) -> None:
    runner = Runner(tmp_path / "nowhere", "hash", tmp_path / "cache", steps=2, guidance_scale=3.0, jobs=2)
    with pytest.raises(NegOptError):
        runner.run(design_of(PROMPTS[:2], [Arm(arms.NONE, "none")], 1, 7), "eval", "test")
    assert not (tmp_path / "cache").exists()
