"""Two runs of `world report` side by side."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from negopt_core.cli import main
from negopt_core.errors import ModelError
from negopt_core.world.report.agreement import compare_reports

REPORT = json.loads((Path(__file__).parents[2] / "docs" / "world-report.json").read_text(encoding="utf-8"))


def again(**arms: float) -> dict[str, Any]:
    """The report of this repository with some gains moved."""
    report = deepcopy(REPORT)
    for name, moved in arms.items():
        report["arms"][name]["R to none"]["mean"] += moved
    report["settings"]["seed"] = 5
    return report


def test_a_report_agrees_with_itself() -> None:
    pairs, text = compare_reports(REPORT, again())
    assert len(pairs) == len(REPORT["arms"]) - 1 and all(pair.agrees for pair in pairs)
    assert f"{len(pairs)} of {len(pairs)} gains" in text and "seed 5: 256 prompts" in text and "**no**" not in text


@pytest.mark.parametrize(("widths", "agrees"), [(1.0, True), (1.5, False)])
def test_figures_agree_within_their_joined_intervals(widths: float, agrees: bool) -> None:
    half = REPORT["arms"]["blurry"]["R to none"]["half_width"]
    pairs, text = compare_reports(REPORT, again(blurry=widths * half))
    assert {pair.name: pair.agrees for pair in pairs}["blurry"] is agrees
    assert ("| blurry |" in text) is not agrees


def test_checks_are_compared_by_interval_or_by_verdict() -> None:
    other = again()
    places = {check["what"]: check for check in other["checks"]}
    places["shape found in plain pictures"]["measured"] = "0.70 ± 0.03"
    places["best early"] |= {"measured": "none", "met": False}
    other["checks"].remove(places["judge, weakest AUC"])
    rows = compare_reports(REPORT, other)[1].splitlines()
    apart = [row.split(" | ")[0] for row in rows if row.endswith("**no** |")]
    assert apart == ["| shape found in plain pictures", "| best early"]
    assert any("(not there)" in row for row in rows)


@pytest.mark.parametrize("path", [("weights",), ("settings", "steps")])
def test_reports_of_other_things_are_not_compared(path: tuple[str, ...]) -> None:
    other = again()
    place = other if len(path) == 1 else other[path[0]]
    place[path[-1]] = "77"
    with pytest.raises(ModelError, match=f"{'.'.join(path)} is .* in the first and 77"):
        compare_reports(REPORT, other)


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    first.write_text(json.dumps(REPORT))
    second.write_text(json.dumps(again(blurry=3.0)))
    assert main(["world", "compare", str(first), str(second), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"agree": len(REPORT["arms"]) - 2, "apart": ["blurry"]}
    for text in ("[]", "{}", "{", '{"weights": 1}'):
        second.write_text(text)
        assert main(["world", "compare", str(first), str(second)]) == 1
        assert "report" in capsys.readouterr().err
