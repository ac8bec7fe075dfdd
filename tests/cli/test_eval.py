"""`eval` on the shipped demo world: figures, a page of its own, and no picture painted twice."""

import json
import re
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from negopt_core.cli import main
from negopt_core.world import world_dir
from tests.fakes.launcher import start

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (world_dir() / "model_index.json").is_file(),
        reason="the demo world's weights are not in negopt_core/assets/world",
    ),
]
ARMS = ["--arm", "none", "--arm", "fixed=text:blurry, low quality", "--arm", "<b>=policy:rules"]


def evaluate(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> dict[str, Any]:
    line = ["eval", "-o", str(folder), "--prompts", "world:3", "--steps", "2", "--json", "--device", "cpu", *arguments]
    assert main(line) == 0
    values: dict[str, Any] = json.loads(capsys.readouterr().out)
    return values


def test_arms_become_figures_and_a_page_that_asks_for_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = {"metrics": ["world-quality", "world-is", "clip", "world-fid"], "splits": 1, "seeds": 2}
    (tmp_path / "r.json").write_text(json.dumps(recipe))
    more = ["--recipe", str(tmp_path / "r.json"), "--wall", "2"]
    values = evaluate(capsys, tmp_path / "a", *ARMS, *more, "--sweep", "negative=fixed", "--starts", "0,0.5")
    assert [row["arm"] for row in values["results"]][:3] == ["none", "fixed", "<b>"]
    assert {row["metric"] for row in values["results"]} == {"world-quality"}
    assert set(values["absent"]) == {"clip", "world-fid"} and "--source clip=" in values["absent"]["clip"]
    compared = values["results"][1]
    assert compared["pairs"] == 6 and compared["difference"]["low"] <= compared["difference"]["high"]
    assert compared["p_holm"] >= compared["p"]
    assert any("4 comparisons" in note for note in values["notes"])
    report = json.loads((tmp_path / "a" / "report.json").read_text())
    assert len(report["pictures"]) == 5 * 3 * 2
    assert all((tmp_path / "a" / "cache" / one["file"]).is_file() for one in report["pictures"])
    assert [point["arm"] for point in report["sweeps"][0]["points"]] == [arm["name"] for arm in report["arms"]][3:]
    assert str(tmp_path) not in json.dumps(report)
    page = (tmp_path / "a" / "report.html").read_text()
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page) and "default-src 'none'" in page
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert "<" not in data and len(json.loads(data)["images"]) <= 2 * 5
    assert "{{" not in page.replace(data, "")


def test_a_second_run_paints_nothing_and_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = evaluate(capsys, tmp_path, *ARMS)
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.png")}
    again = evaluate(capsys, tmp_path, *ARMS)
    assert first == again and len(stamps) == 9
    assert stamps == {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.png")}


def test_killed_at_any_moment_it_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["eval", "-o", str(tmp_path), "--prompts", "world:3", "--steps", "2", *ARMS, "--batch", "1"]
    running = start(partial(main, line), tmp_path / "log.txt")
    cache = tmp_path / "cache"
    deadline = time.monotonic() + 240
    while len(list(cache.rglob("*.png"))) < 2 and running.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    running.kill()
    running.join()
    kept = {path: path.stat().st_mtime_ns for path in cache.rglob("*.png")}
    assert len(kept) >= 2 and not (tmp_path / "report.json").exists()
    evaluate(capsys, tmp_path, *ARMS, "--batch", "1")
    assert kept.items() <= {path: path.stat().st_mtime_ns for path in cache.rglob("*.png")}.items()


def test_votes_are_counted_in_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ballot = {"prompt": 0, "seed": 0, "shown": ["fixed", "none"], "ranking": ["fixed"]}
    (tmp_path / "v.json").write_text(json.dumps({"kind": "negopt-votes", "votes": [ballot]}))
    values = evaluate(capsys, tmp_path / "a", *ARMS, "--votes", str(tmp_path / "v.json"))
    assert values["votes"] == [{"arm": "fixed", "win_rate": {"value": 1.0, "low": None, "high": None}, "ballots": 1}]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--arm", "x=policy:missing"], "missing"),
        (["--metrics", "beauty"], "beauty"),
        (["--metrics", "world-quality,clip"], "--source clip=PLACE"),
        (["--metrics", "world-fid"], "--reference"),
        (["--prompts", "missing"], "missing"),
        (["--against", "y"], "'y'"),
        (["--sweep", "negative"], "SIDE=ARM"),
        (["--recipe", "missing"], "recipe"),
        (["--starts", "0,x"], "numbers"),
        (["--batch", "0"], "--batch"),
        (["--reference", "/nowhere"], "/nowhere"),
        (["--votes", "/nowhere"], "/nowhere"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_painted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    try:
        code = main(["eval", "-o", str(tmp_path / "a"), "--steps", "2", *arguments])
    except SystemExit as stop:
        code = int(stop.code or 0)
    error = capsys.readouterr().err
    assert code in (1, 2) and told in error and len(error.strip().splitlines()) == 1
    assert not (tmp_path / "a").exists()
