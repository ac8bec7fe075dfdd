"""Audit and tune in a world with known effects: what they find, when they stop, and that a stopped run goes on."""

from pathlib import Path

import pytest

from negopt_core.errors import PromptError, TrainingError
from negopt_core.measure.statistics import Interval
from negopt_core.policy.tuned.effects import Stock
from negopt_core.tune.audit import HELPS, HURTS, OPEN, compare, examples, verdict_of
from negopt_core.tune.journal import Journal, _is_left, in_use
from negopt_core.tune.report import tune_report
from negopt_core.tune.rounds import Reader
from studies.learning.simulate import audit_figures
from tests.fakes.simulated_pictures import (
    EFFECTS,
    PROMPTS,
    STOCK,
    WEIGHTS,
    audit_plan,
    journal_in,
    judge,
    run,
    tune_plan,
)


def test_an_audit_finds_what_helps_and_what_hurts(tmp_path: Path) -> None:
    plan, journal = audit_plan(), journal_in(tmp_path)
    run(plan, journal)
    found = {row.text: row for row in plan.effects(journal)}
    assert found["blurry"].verdict == HELPS and found["grainy"].verdict == HURTS
    assert found["hdr"].verdict != HURTS and found["artstation"].verdict != HELPS
    for text, row in found.items():
        assert row.effect.low - 0.25 < EFFECTS[text] < row.effect.high + 0.25
        assert 0.35 < row.pictures / len(journal.asks("learn")) < 0.65
    arms = {name: dict.fromkeys(PROMPTS, places) for name, places in plan.arms(journal).items()}
    check = compare(journal, arms, WEIGHTS)
    assert check["means"]["shortened"]["value"] > check["means"]["whole"]["value"]
    assert len(journal.scores) <= plan.pictures + 2 * len(EFFECTS)


def test_an_audit_stops_when_all_is_decided(tmp_path: Path) -> None:
    plan, journal = audit_plan(2000), journal_in(tmp_path)
    strong = {name: 3.0 * (value or 1.0) for name, value in EFFECTS.items()}
    run(plan, journal, strong)
    assert all(row.verdict != OPEN for row in plan.effects(journal))
    assert len(journal.asks("learn")) < plan.learning / 4


def test_pairs_show_a_phrase_and_the_same_noise_without_it(tmp_path: Path) -> None:
    plan, journal = audit_plan(64), journal_in(tmp_path)
    run(plan, journal)
    for place in range(len(STOCK.options)):
        pairs = examples(journal, place)
        assert len(pairs) == 2
        for having, lacking in pairs:
            assert having.group == lacking.group and set(having.options) - set(lacking.options) == {place}


def test_a_stopped_audit_goes_on_where_it_was(tmp_path: Path) -> None:
    whole, plan = journal_in(tmp_path / "whole"), audit_plan(96)
    run(plan, whole)
    parts = journal_in(tmp_path / "parts")
    for _ in range(3):
        row = plan.next(parts)
        assert row is not None
        parts.ask(row)
        waiting = parts.waiting
        parts.tell(
            waiting[:5], [{"score": 0.0} for _ in waiting[:5]][:0] or [whole.scores[one.key] for one in waiting[:5]]
        )
        parts = journal_in(tmp_path / "parts")  # as after kill -9
        assert [one.key for one in parts.waiting] == [one.key for one in waiting[5:]]
        judge(parts)
    run(plan, parts)
    assert parts.scores == whole.scores
    assert plan.effects(parts) == plan.effects(whole)


def test_tune_learns_and_is_kept_only_if_it_wins(tmp_path: Path) -> None:
    plan, journal = tune_plan(), journal_in(tmp_path / "good")
    run(plan, journal)
    verdict = plan.verdict(journal)
    assert verdict["kept"] and verdict["differences"]["tuned - none"]["difference"]["low"] > 0
    apart = tune_report(plan, journal)["scores"]
    assert set(apart) == set(plan.weights) and all(
        one["means"].keys() == verdict["means"].keys() for one in apart.values()
    )
    nothing, empty = dict.fromkeys(EFFECTS, 0.0), journal_in(tmp_path / "nothing")
    run(plan, empty, nothing)
    assert not plan.verdict(empty)["kept"]


def test_tune_tries_weights_and_windows_of_what_matters(tmp_path: Path) -> None:
    plan, journal = tune_plan(192, refined=0.5), journal_in(tmp_path)
    run(plan, journal)
    refined = [row for row in journal.rounds if row.stage == "refine"]
    assert len(refined[0].stock.options) > len(STOCK.options)
    assert refined[0].stock.options[: len(STOCK.options)] == STOCK.options
    for ask in journal.asks("refine"):
        texts = [refined[-1].stock.options[one].text for one in ask.options]
        assert len(set(texts)) == len(texts)  # one weight and window at a time
    assert len({row.stock for row in refined}) == 1


def test_every_picture_of_a_pair_differs_and_shares_noise(tmp_path: Path) -> None:
    plan, journal = tune_plan(), journal_in(tmp_path)
    run(plan, journal)
    asks = journal.asks("learn", "refine")
    assert len({one.key for one in asks}) == len(asks)
    groups = [one.group for one in asks]
    assert max(groups.count(one) for one in set(groups)) == 2


def test_two_processes_do_not_share_a_folder(tmp_path: Path) -> None:
    with in_use(tmp_path), pytest.raises(TrainingError, match="in use by another process"), in_use(tmp_path):
        pass
    with in_use(tmp_path):
        pass
    (tmp_path / "in-use").write_text("999999999", encoding="utf-8")  # of a process that was killed
    with in_use(tmp_path):
        pass
    assert not (tmp_path / "in-use").exists()


def test_on_windows_nobody_is_asked_by_a_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There signal 0 is Ctrl-C; a file that a process has open cannot be deleted."""
    monkeypatch.setattr("negopt_core.tune.journal.os.name", "nt")
    monkeypatch.setattr("negopt_core.tune.journal.os.kill", lambda *_: pytest.fail("a process was sent Ctrl-C"))
    mark = tmp_path / "in-use"
    mark.write_text("1", encoding="utf-8")
    assert _is_left(mark) and not mark.exists()
    mark.write_text("1", encoding="utf-8")

    def is_open(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "in use by another process")

    monkeypatch.setattr(Path, "unlink", is_open)
    assert not _is_left(mark)


def test_another_run_in_the_folder_is_refused(tmp_path: Path) -> None:
    Journal.open(tmp_path, {"kind": "audit", "seed": 0})
    with pytest.raises(TrainingError, match="other settings \\(seed\\)"):
        Journal.open(tmp_path, {"kind": "audit", "seed": 1})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"pictures": 10}, "fewer than 32"),
        ({"prompts": ()}, "at least one prompt"),
        ({"reader": Reader(Stock(()), "")}, "no phrase"),
    ],
)
def test_audits_that_cannot_work_are_refused(change: dict[str, object], says: str) -> None:
    from dataclasses import replace

    with pytest.raises(PromptError, match=says):
        replace(audit_plan(), **change)


def test_clicks_are_about_pictures_of_the_same_noise(tmp_path: Path) -> None:
    plan, journal = audit_plan(64), journal_in(tmp_path)
    row = plan.next(journal)
    assert row is not None
    journal.ask(row)
    judge(journal)
    first, second, third = row.asks[0], row.asks[1], row.asks[2]
    journal.prefer(first, second)
    with pytest.raises(TrainingError, match="same prompt and noise"):
        journal.prefer(first, third)
    assert Journal.open(tmp_path, {"kind": "test"}).clicks == journal.clicks


def test_an_audit_by_clicks_alone(tmp_path: Path) -> None:
    from dataclasses import replace

    plan, journal = replace(audit_plan(160), weights={}), journal_in(tmp_path)
    while (row := plan.next(journal)) is not None and row.stage == "learn":
        journal.ask(row)
        waiting = journal.waiting
        journal.tell(waiting, [{} for _ in waiting])
        for one, two in zip(row.asks[::2], row.asks[1::2], strict=True):
            gap = sum(EFFECTS[STOCK.options[p].span.text] for p in one.options)
            gap -= sum(EFFECTS[STOCK.options[p].span.text] for p in two.options)
            journal.prefer(*((one, two) if gap > 0 else (two, one)))
    found = {r.text: r.effect.value for r in plan.effects(journal)}
    assert found["blurry"] > found["hdr"] > found["grainy"]


def test_intervals_cover_what_is_true() -> None:
    """The simulation of docs/generated/learning.md, on few runs."""
    found = audit_figures(8, 192)
    assert found["held"] >= 0.9 and found["useless"] >= 0.9 and found["strong"] >= 0.7


@pytest.mark.parametrize(
    ("low", "high", "says"), [(0.1, 0.5, HELPS), (-0.5, -0.1, HURTS), (-0.1, 0.1, "no effect seen"), (-0.1, 0.5, OPEN)]
)
def test_verdicts(low: float, high: float, says: str) -> None:
    assert verdict_of(Interval((low + high) / 2, low, high), 0.2) == says
