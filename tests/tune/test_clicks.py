"""Clicks instead of scores, and a journal that was cut short."""

from dataclasses import replace
from pathlib import Path

from negopt_core.tune.audit import OPEN, compare
from negopt_core.tune.journal import JUDGED, Journal
from negopt_core.tune.report import audit_report, check_pairs, click_pairs
from tests.fakes.simulated_pictures import EFFECTS, PROMPTS, STOCK, audit_plan, journal_in


def worth(key: tuple[str, tuple[int, ...]]) -> float:
    return sum(EFFECTS[STOCK.options[one].span.text] for one in key[1])


def click_all(journal: Journal, pairs: list[tuple[tuple[str, tuple[int, ...]], tuple[str, tuple[int, ...]]]]) -> None:
    asked = {one.key: one for row in journal.rounds for one in row.asks}
    for pair in pairs:
        better, worse = sorted(pair, key=worth, reverse=True)
        journal.prefer(asked[better], asked[worse])


def test_clicks_alone_carry_an_audit_to_its_end(tmp_path: Path) -> None:
    plan, journal = replace(audit_plan(), weights={}), journal_in(tmp_path)
    assert {row.verdict for row in plan.effects(journal)} == {OPEN}
    assert audit_report(plan, journal)["checks"] == 0  # the page says that the last check is still to come
    while (row := plan.next(journal)) is not None:
        journal.ask(row)
        journal.tell(journal.waiting, [{} for _ in journal.waiting])
        assert row.stage == "check" or len(click_pairs(journal)) == len(row.asks) // 2
        click_all(journal, click_pairs(journal))
    arms = {name: dict.fromkeys(PROMPTS, places) for name, places in plan.arms(journal).items()}
    pairs = check_pairs(journal, arms)
    assert pairs and compare(journal, arms, {})["clicked"] == {}
    click_all(journal, pairs)
    assert check_pairs(journal, arms) == []
    found = {row.text: row.effect.value for row in plan.effects(journal)}
    assert found["blurry"] > 0 > found["grainy"]
    report = audit_report(plan, journal)
    first = next(iter(report["clicked"].values()))
    assert (
        report["checks"] > 8
        and report["differences"] == {}
        and first["win_rate"]["value"] in (0.0, 1.0)
        and first["pairs"] >= 8
    )


def test_a_line_that_was_cut_short_is_a_picture_that_is_asked_for_again(tmp_path: Path) -> None:
    plan, journal = audit_plan(64), journal_in(tmp_path)
    row = plan.next(journal)
    assert row is not None
    journal.ask(row)
    journal.tell(row.asks, [{"score": 1.0} for _ in row.asks])
    path = tmp_path / JUDGED
    path.write_text(path.read_text()[:-9])
    assert [one.key for one in journal_in(tmp_path).waiting] == [row.asks[-1].key]
