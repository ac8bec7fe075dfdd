"""The study of reinforcement learning: its runs are commands, its controls change windows and nothing else."""

from pathlib import Path

import pytest
import torch

from negopt_core.lab.data.world_people import negative_stock
from negopt_core.policy.phrases import phrases_behind
from negopt_core.text.df_text import parse_prompt
from negopt_core.text.prompt import FULL, PromptPair, Window
from negopt_core.world import world_dir
from studies.policies.arms import at_all_steps
from studies.policies.tables import Results
from studies.rl.recipe import trainings
from studies.rl.referee import referee_table, sheets
from studies.rl.results import arms_of, clear_windows
from studies.rl.settings import PARTS, RLSettings
from studies.rl.stock import habits, large_stock, useless_phrases
from studies.rl.windows import in_other_windows, in_published_windows, timed_stock
from studies.world.arms import NONE
from studies.world.runner import Runner, design_of

PROMPTS = ("a photo of a red ball", "a sketch of a star")
PAIRS = tuple(
    PromptPair(parse_prompt(f"{prompt}, [detailed:0-0.5:1.25], [dramatic:0.5-1:1]"), parse_prompt(""))
    for prompt in PROMPTS
)


@pytest.mark.parametrize("part", PARTS)
def test_every_run_is_a_command_and_starts_from_one_before_it(part: str, tmp_path: Path) -> None:
    runs = trainings(RLSettings(seeds=2), part, tmp_path)
    names = [run.name for run in runs]
    assert len(set(names)) == len(names)
    for place, run in enumerate(runs):
        assert run.settings()["seed"] in "01"  # read by the command's own flags
        assert not run.needs or run.needs in names[:place]


def test_windows_are_changed_and_nothing_else() -> None:
    for moved in (in_other_windows(PROMPTS, PAIRS, 1), in_published_windows(PROMPTS, PAIRS), at_all_steps(PAIRS)):
        for prompt, before, after in zip(PROMPTS, PAIRS, moved, strict=True):
            old, new = phrases_behind(prompt, before.positive), phrases_behind(prompt, after.positive)
            assert [(one.text, one.weight) for one in old] == [(one.text, one.weight) for one in new]
    published = phrases_behind(PROMPTS[0], in_published_windows(PROMPTS, PAIRS)[0].positive)
    assert [one.window for one in published] == [Window(0.5, 1.0), FULL]
    assert {one.window for pair in at_all_steps(PAIRS) for one in pair.positive.spans} == {FULL}


def test_most_of_the_large_stock_does_nothing_and_people_write_it() -> None:
    assert len(set(large_stock())) == len(large_stock()) > 500
    useless = set(useless_phrases())
    assert not useless & set(negative_stock())
    written = [span.text in useless for pair in habits(0) for span in pair.spans]
    assert 0.3 < sum(written) / len(written) < 0.6
    assert habits(0) == habits(0) != habits(1)


def test_every_modifier_is_tried_in_every_window() -> None:
    stock = timed_stock()
    assert len(stock.options) == 3 * len(stock.texts)


def test_the_clear_windows_are_those_of_the_worlds_report() -> None:
    best = clear_windows()
    assert best["dramatic"] == "first half" and best["textured"] == "all steps" and "vivid" not in best


def test_the_referees_sheets_show_the_largest_and_smallest_gains(tmp_path: Path) -> None:
    """Order, both pictures of a card, and what the table says of the worse one."""
    prompts = ("a photo of a red ball", "a sketch of a star", "a painting of a blue cube")
    pairs = tuple(PromptPair(parse_prompt(f"{one}, [glossy:0-1:1.25]"), parse_prompt("")) for one in prompts)
    runner = Runner(world_dir(), "test", tmp_path, 2, 2.5, 1)
    design = design_of(prompts, arms_of({"glossy": pairs}), 1, 7)
    judge, referee = (Results(runner.run(design, role, role), 1) for role in ("reward", "eval"))
    largest, smallest = sheets(runner, design, "glossy", pairs, judge, referee)
    assert largest != smallest and largest[:2] == b"\xff\xd8"
    plain, glossy = (runner.pictures(design, name, [2, 0]) for name in (NONE, "glossy"))
    assert plain.shape == glossy.shape == (2, 3, 64, 64) and not torch.equal(plain, glossy)
    worse = float((referee.values("glossy") < referee.values(NONE)).double().mean())
    assert f"| {worse:.2f} ±" in referee_table(judge, referee, {"glossy": "glossy"})
