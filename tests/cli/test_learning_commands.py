"""`audit` and `tune` on the demo world, painted small: what they print, keep and refuse."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from negopt_core.cli import FAILED, USAGE, main
from tests.fakes.launcher import launch_together

pytestmark = pytest.mark.slow
FEW = ("--steps", "2", "--batch", "16", "--json")


def test_audit_paints_judges_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["audit", "--negative", "blurry, [watermark:0-0.5:1.2]", "--prompts", "world:8", "--pictures", "48"]
    words += [*FEW, "-o", str(tmp_path)]
    assert main(words) == 0
    report = json.loads(capsys.readouterr().out)
    assert [row["text"] for row in report["phrases"]] == ["blurry", "watermark"]
    assert "whole - none" in report["differences"] and report["cost"]["seconds_a_picture"] > 0
    page = Path(report["page"]).read_text(encoding="utf-8")
    assert "data:image/png" in page and "{{" not in page.partition("<script")[0]
    before = (tmp_path / "judged.jsonl").read_text()
    assert main(words) == 0  # nothing is painted again
    again = json.loads(capsys.readouterr().out)
    assert again["phrases"] == report["phrases"] and (tmp_path / "judged.jsonl").read_text() == before


def test_plan_says_what_it_costs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--negative", "blurry", "--plan", *FEW, "-o", str(tmp_path)]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert plan["pictures"] == 256 and plan["minutes"] >= 0 and not (tmp_path / "report.json").exists()


def test_tune_ends_with_a_check_against_its_rivals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "tune",
        "--prompts",
        "world:20",
        "--pictures",
        "64",
        "--check",
        "8",
        "--negative",
        "hdr",
        "--run",
        str(tmp_path),
    ]
    assert main([*words, *FEW]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report["means"]) == {"tuned", "before", "own", "none"}
    assert report["kept"] == (tmp_path / "policy" / "policy.json").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["audit"], "no phrase to audit"),
        (["audit", "--negative", "blurry", "--pictures", "9"], "fewer than 32"),
        (["audit", "--negative", "blurry", "--model", "nowhere.safetensors"], "--reward"),
        (["audit", "--negative", "blurry", "--reward", "world-quality:much"], "with numbers"),
        (["audit", "--negative", "blurry", "--reward", "nobody:1"], "no scorer is called 'nobody'"),
        (["tune", "--run", "r", "--mode", "sideways"], "--mode"),
        (["tune", "--run", "r", "--prompts", "world:1"], "at least 2 prompts"),
    ],
)
def test_what_cannot_work_is_one_line(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*words, *FEW]) in (FAILED, USAGE)
    told = capsys.readouterr().err
    assert says in told and told.count("\n") == 1


def test_two_processes_audit_as_one_does(tmp_path: Path) -> None:
    def command(folder: Path) -> Callable[[], int]:
        line = ["audit", "--negative", "blurry, noisy", "--prompts", "world:4", "--pictures", "32", "--steps", "2"]
        return partial(main, [*line, "--batch", "4", "--device", "cpu", "-o", str(folder)])

    assert {one.code for one in launch_together([command(tmp_path / "two")] * 2)} == {0}
    assert {one.code for one in launch_together([command(tmp_path / "one")])} == {0}
    asked = [(tmp_path / folder / "asked.jsonl").read_text(encoding="utf-8") for folder in ("one", "two")]
    one, two = (json.loads((tmp_path / folder / "report.json").read_text()) for folder in ("one", "two"))
    assert asked[0] == asked[1] and one["pictures"] == two["pictures"]
    for first, second in zip(one["phrases"], two["phrases"], strict=True):
        assert first["text"] == second["text"] and first["verdict"] == second["verdict"]
        assert first["effect"]["value"] == pytest.approx(second["effect"]["value"], abs=1e-3)  # batches round otherwise
