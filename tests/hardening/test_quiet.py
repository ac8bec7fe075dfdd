"""Other people's libraries do not speak to our user, and whatever they were set to stays as it was."""

import ast
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import diffusers.utils.logging
import huggingface_hub.utils as hub
import pytest
import transformers.utils.logging

from negopt_core.quiet import DEBUG, quiet

ROOT = Path(__file__).resolve().parents[2]
BARS = (diffusers.utils.logging, transformers.utils.logging)
LOADING = ("from_pretrained", "from_single_file", "save_pretrained")


def settings() -> list[Any]:
    levels = [
        (logging.getLogger(name).level, logging.getLogger(name).filters[:]) for name in ("transformers", "diffusers")
    ]
    return [
        levels,
        [one.is_progress_bar_enabled() for one in BARS],
        hub.are_progress_bars_disabled(),
        warnings.filters[:],
    ]


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process in which the libraries speak, as in a host that has set nothing."""
    monkeypatch.delenv(DEBUG, raising=False)
    monkeypatch.delenv("HF_HUB_DISABLE_PROGRESS_BARS", raising=False)
    for name in ("transformers", "diffusers"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.WARNING)
    for one in BARS:
        monkeypatch.setattr(one, "_tqdm_active", True)
    yield


def test_inside_nothing_is_said_and_afterwards_everything_is_as_it_was() -> None:
    before = settings()
    with pytest.raises(ZeroDivisionError), quiet():
        assert not logging.getLogger("transformers.models.clip").isEnabledFor(logging.WARNING)
        assert logging.getLogger("diffusers.pipelines").isEnabledFor(logging.ERROR)
        assert not any(one.is_progress_bar_enabled() for one in BARS) and hub.are_progress_bars_disabled()
        with quiet():
            pass
        assert not any(one.is_progress_bar_enabled() for one in BARS)
        raise ZeroDivisionError
    assert settings() == before


def test_what_a_host_had_switched_off_stays_off() -> None:
    diffusers.utils.logging.disable_progress_bar()
    logging.getLogger("transformers").setLevel(logging.CRITICAL)
    before = settings()
    with quiet():
        assert not logging.getLogger("transformers").isEnabledFor(logging.ERROR)
    assert settings() == before


def test_warnings_are_kept_back_unless_somebody_asked_for_them() -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.resetwarnings()
        with quiet():
            warnings.warn("kept back", FutureWarning, stacklevel=1)
        warnings.warn("said", FutureWarning, stacklevel=1)
    assert [str(one.message) for one in said] == ["said"]
    with quiet(), pytest.raises(FutureWarning):  # as the whole suite asks
        warnings.warn("old", FutureWarning, stacklevel=1)


@pytest.mark.parametrize("host_first", [True, False])
def test_a_host_that_sets_filters_meanwhile_gets_its_own_back(host_first: bool) -> None:
    """Two threads' blocks can end in any order; `catch_warnings` around ours would leave one of the lists behind."""
    before, theirs = warnings.filters[:], warnings.catch_warnings()
    with ExitStack() as ours:
        if host_first:
            theirs.__enter__()
            ours.enter_context(quiet())
            theirs.__exit__(None, None, None)
        else:
            ours.enter_context(quiet())
            theirs.__enter__()
    if not host_first:
        theirs.__exit__(None, None, None)
    assert warnings.filters == before


def test_threads_that_load_at_the_same_time_leave_nothing_behind() -> None:
    before, barrier = settings(), threading.Barrier(8)

    def load() -> None:
        barrier.wait()
        for _ in range(200):
            with quiet():
                assert not BARS[0].is_progress_bar_enabled()

    threads = [threading.Thread(target=load) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert settings() == before


def test_debug_leaves_everything_to_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEBUG, "1")
    before = settings()
    with quiet():
        assert settings() == before


def loud_calls(path: Path) -> list[str]:
    """Calls that read or write a model and do not stand in a `with quiet()` or a function that it decorates."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside: set[ast.AST] = set()
    for node in ast.walk(tree):
        is_function, is_block = isinstance(node, ast.FunctionDef), isinstance(node, ast.With)
        around = node.decorator_list if is_function else node.items if is_block else []
        if "quiet()" in map(ast.unparse, around):
            inside |= set(ast.walk(node))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return [f"{path}:{call.lineno}" for call in calls if call.func.attr in LOADING and call not in inside]


def test_every_call_that_reads_or_writes_a_model_is_quiet() -> None:
    assert [loud for path in sorted((ROOT / "negopt_core").rglob("*.py")) for loud in loud_calls(path)] == []


def test_a_program_that_uses_the_library_hears_nothing_of_others() -> None:
    code = """
from negopt_core.paint.base import PaintSettings
from negopt_core.paint.diffusers_painter import load_painter
from negopt_core.policy import load_policy, suggest
from negopt_core.text.prompt import PromptPair
from negopt_core.world import world_dir

suggest(load_policy("negopt-mini"), ["a cat"])
for sampler in ("model", "ddim"):
    painter = load_painter(str(world_dir()), PaintSettings(1, 2.5, sampler=sampler), device="cpu")
    painter.paint([PromptPair.plain("a cat " * 60, "blurry")], [1])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
