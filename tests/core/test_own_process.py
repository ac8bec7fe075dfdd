"""Threads that wait kindly in processes of our own; a host's are its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from negopt_core.cli import main
from negopt_core.own_process import wait_kindly

ROOT = Path(__file__).resolve().parents[2]


def told_by_openmp(*words: str) -> dict[str, str]:
    """What the OpenMP library says it goes by, once torch has loaded it."""
    unset = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**unset, "OMP_DISPLAY_ENV": "verbose"},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(re.findall(r"(GOMP_SPINCOUNT|OMP_WAIT_POLICY) ?= ?'(\w+)'", done.stderr))


@pytest.mark.skipif(sys.platform != "linux", reason="OpenMP libraries of other systems name this otherwise")
@pytest.mark.parametrize(
    ("words", "is_kind"),
    [
        (("-m", "negopt_core", "suggest", "cat", "--policy", "negopt-mini"), True),
        (("-c", "import negopt_core.policy.language, negopt_core.cli"), False),  # as in a host
    ],
)
def test_a_command_sets_it_before_torch_and_an_import_does_not(words: tuple[str, ...], is_kind: bool) -> None:
    told = told_by_openmp(*words)
    assert told and (told["GOMP_SPINCOUNT"] == "0") == is_kind, told


def test_a_command_called_from_a_program_changes_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    before = dict(os.environ)
    assert main(["suggest", "a cat", "--debug"]) == 0
    assert dict(os.environ) == before


def test_the_users_choice_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for said, kept in ((None, "PASSIVE"), ("active", "active")):
        monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
        if said:
            monkeypatch.setenv("OMP_WAIT_POLICY", said)
        wait_kindly()
        assert os.environ["OMP_WAIT_POLICY"] == kept


def test_this_suite_waits_kindly_too() -> None:
    assert os.environ["OMP_WAIT_POLICY"]
