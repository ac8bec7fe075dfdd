"""The tables of results: rows of several seeds, paired differences, the recipe's order, runs picked up again."""

import io
import json
import math
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from negopt_core.errors import TrainingError
from negopt_core.lab.compare.arms import Arm, Writer
from negopt_core.lab.compare.study import Design
from negopt_core.lab.make_world.measure import is_held_out
from negopt_core.lab.train.setup import PAE_WEIGHTS, PAE_WINDOWS, build_reward
from negopt_core.policy import load_policy
from negopt_core.policy.phrases import append_phrases
from negopt_core.policy.store import SHIPPED
from negopt_core.text.prompt import DFPrompt, PromptPair, Span, Window
from negopt_core.world.judges import Judge, QualityScorer
from studies.policies import results
from studies.policies.arms import PolicyArms, at_all_steps, in_random_windows, plain
from studies.policies.curves import draw_curves, read_curve
from studies.policies.recipe import BALANCES, Recipe, Training, balanced
from studies.policies.runs import is_done, train_all
from studies.policies.ship import ship
from studies.policies.tables import Results, added_spans, agreement_table, phrase_tables
from studies.world.arms import WINDOWS, negative_arm
from studies.world.experiments import SEARCHED, SEARCHED_FIXED
from studies.world.runner import Runner
from studies.world.scores import Scores

pytestmark = pytest.mark.slow


def scores(quality: float, hit: float = 1.0) -> Scores:
    slope = torch.linspace(-0.5, 0.5, 6)[:, None].expand(6, 2)
    sure = torch.eye(36)[:12].reshape(6, 2, 36)
    return Scores(
        quality + slope,
        torch.full((6, 2, 5), hit),
        torch.zeros(6, 2),
        torch.zeros(6, 2, 10),
        torch.zeros(6, 2, 10),
        torch.zeros(6, 2, 6),
        sure,
        torch.zeros(6, 3, 8, 8, dtype=torch.uint8),
    )


SMALL = ("--pairs", "world:40", "--stock", "world", "--steps", "2", "--width", "16", "--layers", "1", "--batch", "4")
RESULTS = Results({"none": scores(4.0), "a-0": scores(5.0), "a-1": scores(6.0), "best": scores(7.0, 0.9)}, seeds=2)


def test_a_row_of_seeds_is_their_mean() -> None:
    assert RESULTS.reward("a") == pytest.approx(8.5) and RESULTS.reward("a-1") == pytest.approx(9.0)
    gain = RESULTS.gain("a", "none")
    assert gain.value == pytest.approx(1.5) and gain.high - gain.low == pytest.approx(0.0, abs=1e-5)
    assert RESULTS.inception("a") == pytest.approx(12.0, rel=1e-3)  # twelve classes, each surely seen
    assert float(RESULTS.values("a", "fidelity").mean()) == pytest.approx(math.log(12.0), rel=1e-3)


def test_the_room_and_the_wins_are_told() -> None:
    assert "56%" in RESULTS.gap_closed("a", "none", "best")  # 1.5 of 2.7
    assert "1.00 ± 0.00" in RESULTS.wins("best", ("none",))
    rows = RESULTS.table(["none", "a"], "a").split("\n")
    assert len(rows) == 4 and rows[2].startswith("| none |") and rows[0].endswith("| R to a |")


def test_every_start_is_made_before_it_is_needed() -> None:
    for recipe in (Recipe(), Recipe(seeds=1)):
        made: list[str] = []
        for training in recipe.trainings():
            assert not training.needs or training.needs in made, training
            made.append(training.name)
        assert len(made) == len(set(made))


def test_reward_balances_read_back_as_rewards() -> None:
    for shares in BALANCES.values():
        reward = build_reward(balanced(shares), lambda name: QualityScorer(Judge(), name))
        assert [term.weight for term in reward.terms] == [shares[0] * 1.0, shares[1] * 8.0, shares[2] * 2.0]


def test_the_prompts_of_the_tables_are_held_out_and_different(tmp_path: Path) -> None:
    prompts = PolicyArms.draw(60, tmp_path, Recipe(seeds=1)).prompts
    assert len(set(prompts)) == 60 and all(map(is_held_out, prompts))


def test_schedules_can_be_taken_off_and_drawn_at_random() -> None:
    late = Span("cinematic", 1.25, Window(0.5, 1.0))
    pair = PromptPair(
        DFPrompt((Span("a fox, "), late, Span(", vivid"))), DFPrompt((Span("blurry", 1.0, Window(0.2, 1.0)),))
    )
    assert plain([pair]) == (PromptPair.plain("a fox, cinematic, vivid", "blurry"),)
    (drawn,) = in_random_windows(["a fox"], [pair], seed=1)
    assert drawn.positive.text == "a fox, cinematic, vivid" and drawn.negative == pair.negative
    seen = {span.window for seed in range(20) for span in in_random_windows(["a fox"], [pair], seed)[0].positive.spans}
    assert seen == set(PAE_WINDOWS)


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """Run folders of a whole recipe of one seed: shipped policies under every name, short metrics."""
    for training in Recipe(seeds=1).trainings():
        kind = "world-modifiers" if training.name.startswith("modifiers") else "world-negative"
        shutil.copytree(SHIPPED / kind, tmp_path / training.name / "policy")
        (tmp_path / training.name / "run").mkdir()
        metrics = [{"step": step, "reward": step / 10} for step in range(1, 21)]
        lines = "".join(json.dumps(row) + "\n" for row in metrics)
        (tmp_path / training.name / "run" / "metrics.jsonl").write_text(lines)
    return tmp_path


def test_the_whole_page_is_written_from_run_folders(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    painted: list[str] = []

    def run(runner: Runner, design: Design, role: str, label: str) -> dict[str, Scores]:
        assert role == "eval"
        painted.extend(arm.name for arm in design.arms)
        pairs = {arm.name: Writer().write(arm, design.items) for arm in design.arms}
        return {name: scores(4.0 + len(set(written)) / 10) for name, written in pairs.items()}

    def searched(runner: Runner, trained: PolicyArms) -> list[Arm]:
        return [negative_arm(name, "blurry") for name in (SEARCHED_FIXED, SEARCHED)]

    monkeypatch.setattr(Runner, "run", run)
    monkeypatch.setattr(results, "_searched", searched)
    monkeypatch.setattr(results, "search_windows", lambda runner, settings: {"vivid": "last half"})
    document = trained / "results.md"
    document.write_text(f"before\n{results.BEGIN}\nold\n{results.END}\nafter\n")
    figures = results.write_results(trained, document, Recipe(seeds=1), 6, 1, trained / "cache")
    text = document.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "\nold\n" not in text
    assert (
        text.count("\n### ") == 12
        and "| negative-rl |" in text
        and "| scheduled-rl-weights |" in text
        and "of the room" in text
        and "| scheduled-rl - negative-rl |" in text
        and "| R over none | seed 0 |" in text
        and "| vivid | last half |" in text
    )
    assert set(figures["arms"]) == set(painted) and len(painted) == len(set(painted))
    for name in (results.CURVES, results.SHEET):
        assert f"images/{name})" in text
        with Image.open(trained / "images" / name) as picture:
            assert picture.width > 400
    (trained / "rl-only" / "run" / "metrics.jsonl").unlink()
    with pytest.raises(TrainingError, match="rl-only"):
        results.write_results(trained, document, Recipe(seeds=1), 6, 1, trained / "cache")
    assert document.read_text() == text


def test_a_table_against_none_says_it_once() -> None:
    assert RESULTS.table(["none", "a"], "none").split("\n")[0].endswith("| R to none |")
    assert RESULTS.table(["none", "a"], "none").count("R to none") == 1


def test_weights_stay_where_windows_are_taken_away() -> None:
    late = PromptPair(DFPrompt.plain("a fox"), DFPrompt((Span("blurry", 1.25, Window(0.5, 1.0)), Span(", "))))
    (found,) = at_all_steps([late])
    assert found == PromptPair(late.positive, DFPrompt((Span("blurry", 1.25), Span(", "))))


def test_what_is_written_is_told_as_shares_of_windows_and_weights() -> None:
    late, early = Span("vivid", 1.25, Window(0.5, 1.0)), Span("vivid", 0.5, Window(0.0, 0.5))
    pairs = [PromptPair(append_phrases(DFPrompt.plain("a fox"), [span])) for span in (late, late, late, early)]
    spans = added_spans(["a fox"] * 4, pairs)
    assert spans == [late, late, late, early]
    phrases, both = phrase_tables(spans, WINDOWS, PAE_WEIGHTS)
    assert phrases.split("\n")[2] == "| vivid | 4 | 0.00 | 0.25 | 0.75 | 0.25 | 0.00 | 0.00 | 0.75 | 0.00 |"
    assert both.split("\n")[2:] == ["| last half | 1.25 | 0.75 |", "| first half | 0.5 | 0.25 |"]
    agreement = agreement_table(spans, WINDOWS, {"vivid": "last half", "glossy": "all steps"})
    assert agreement.split("\n")[2:] == ["| vivid | last half | 4 | 0.75 |", "| glossy | all steps | 0 | - |"]


def test_a_learning_curve_is_drawn_from_the_metrics_of_a_run(tmp_path: Path) -> None:
    rows = [{"step": step, "reward": float(step)} for step in range(1, 26)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    curve = read_curve(tmp_path / "metrics.jsonl", 32)
    assert curve == [(320, 5.5), (640, 15.5), (800, 23.0)]
    with Image.open(io.BytesIO(draw_curves("Reward", {"rising": curve, "flat": [(0, 5.5), (800, 5.5)]}))) as sheet:
        pixels = sheet.convert("RGB")
    first, second = ((43, 108, 176), (192, 86, 33))
    rows_of = {ink: [y for y in range(pixels.height) if pixels.getpixel((600, y)) == ink] for ink in (first, second)}
    assert max(rows_of[first]) < min(rows_of[second])  # what rises is above what does not


def test_settings_of_a_run_read_as_its_folder_has_them() -> None:
    told = {training.name: training.settings() for training in Recipe(seeds=1).trainings()}
    assert told["scheduled-sft-0"] | {"scheduled": "True", "polarity": "negative"} == told["scheduled-sft-0"]
    assert told["modifiers-rl-0"]["paint_steps"] == "6" and "policy" not in told["modifiers-rl-0"]


def test_only_finished_runs_are_shipped(tmp_path: Path) -> None:
    train_all(tmp_path, [Training("negative-sft-0", ("sft", *SMALL))], jobs=1)
    (folder,) = ship(
        tmp_path, tmp_path / "shipped", ["a fox", "a red ball"], {"negative-sft-0, likeliest": {"quality": 5.0}}
    )
    card = load_policy(str(folder)).card
    assert (card.name, card.metrics["held-out/quality"]) == ("world-negative-sft", 5.0)
    assert card.metrics["written_alike"] == 1.0  # half precision changes no word here
    assert "demo world" in (folder / "NOTICE.md").read_text()


def test_runs_are_done_in_order_and_picked_up_again(tmp_path: Path) -> None:
    first = Training("first", ("sft", *SMALL))
    second = Training("second", ("sft", "--policy", "first", "--pairs", "world:40", "--steps", "1"), needs="first")
    train_all(tmp_path, [first, second], jobs=2)
    assert is_done(tmp_path, "first") and is_done(tmp_path, "second")
    written = (tmp_path / "first" / "log.txt").stat().st_mtime_ns
    train_all(tmp_path, [first, second], jobs=2)
    assert (tmp_path / "first" / "log.txt").stat().st_mtime_ns == written
    longer = Training("first", ("sft", *("3" if part == "2" else part for part in SMALL)))
    with pytest.raises(TrainingError, match="first was trained with steps 2, and 3 is asked for"):
        train_all(tmp_path, [longer], jobs=1)
    with pytest.raises(TrainingError, match=r"log\.txt"):
        train_all(tmp_path, [Training("bad", ("sft", "--pairs", "nowhere.jsonl"))], jobs=1)
    with pytest.raises(TrainingError, match="nothing makes lost"):
        train_all(tmp_path, [Training("orphan", ("sft",), needs="lost")], jobs=1)
