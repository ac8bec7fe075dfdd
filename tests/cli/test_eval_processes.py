"""`eval` in several processes: the pictures are shared out, and the report is that of one."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from negopt_core.cli import main
from negopt_core.world import world_dir
from tests.fakes.launcher import launch_together

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (world_dir() / "model_index.json").is_file(),
        reason="the demo world's weights are not in negopt_core/assets/world",
    ),
]


def command(folder: Path, *more: str) -> Callable[[], int]:
    line = ["eval", "-o", str(folder), "--prompts", "world:3", "--steps", "2", "--batch", "1"]
    line += ["--arm", "none", "--arm", "fixed=text:blurry", "--metrics", "world-quality,world-is", "--splits", "1"]
    return partial(main, [*line, *(more or ("--device", "cpu"))])


def report(folder: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return values


def test_two_processes_report_what_one_does_and_a_failed_job_goes_on(tmp_path: Path) -> None:
    assert launch_together([command(tmp_path / "one")])[0].code == 0
    first, second = launch_together([command(tmp_path / "two"), command(tmp_path / "two", "--device", "abacus")])
    assert second.code and "no device is called 'abacus'" in second.line
    assert first.code and "another process has ended" in first.line and "goes on from there" in first.line
    assert not (tmp_path / "two" / "report.json").exists()
    assert {one.code for one in launch_together([command(tmp_path / "two")] * 2)} == {0}
    one, two = report(tmp_path / "one"), report(tmp_path / "two")
    assert one["results"] == two["results"] and one["sets"] == two["sets"]
    painted = [sorted(path.name for path in (tmp_path / name / "cache").rglob("*.png")) for name in ("one", "two")]
    assert painted[0] == painted[1] and len(painted[0]) == 6
