"""`make compat`: one Python's answers, and what is said of those that differ. The matrix itself is run by hand."""

import importlib
import json
import os
import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from negopt_core.policy.store import builtin_names
from tests.fakes.launcher import start

pytestmark = pytest.mark.slow

TOOLS = Path(__file__).resolve().parent.parent / "tools"


@pytest.fixture
def compat(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module("compat")


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    said = tmp_path_factory.mktemp("compat") / "said.txt"
    running = start(ask_from_elsewhere, said)
    running.join()
    assert running.exitcode == 0, said.read_text()
    found: dict[str, Any] = json.loads(said.read_text().splitlines()[-1])
    return found


def ask_from_elsewhere() -> None:
    """What a Python of another environment runs."""
    os.chdir("/")
    sys.argv = ["compat_answers.py"]
    runpy.run_path(str(TOOLS / "compat_answers.py"), run_name="__main__")


def test_every_policy_that_comes_with_negopt_is_asked(answers: dict[str, Any]) -> None:
    assert set(answers["policies"]) == set(builtin_names())
    assert "low quality" in answers["policies"]["rules"]["said"][0][1]


def test_one_other_word_is_a_difference(
    compat: ModuleType, answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compat, "ask", lambda python, folders: answers)
    assert compat.row("here", lambda: Path(sys.executable), [], answers)
    other = json.loads(json.dumps(answers))
    other["policies"]["nearest"]["said"][1][1] += ", more"
    assert not compat.row("here", lambda: Path(sys.executable), [], other)
    assert capsys.readouterr().out.endswith("DIFFERS in nearest\n")


def test_an_environment_that_does_not_run_is_a_failure(
    compat: ModuleType, answers: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert not compat.row("nowhere", lambda: Path("/no/python"), [], answers)
    assert capsys.readouterr().out.startswith("nowhere: DID NOT RUN")


def test_a_row_that_is_not_in_the_matrix_is_refused(compat: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["compat.py", "4.31"])
    with pytest.raises(SystemExit) as refused:
        compat.read_arguments()
    assert refused.value.code == 2
