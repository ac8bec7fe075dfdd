"""The edges of the command line: streams, terminals, interruptions, and nothing overwritten."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from negopt_core.cli import main
from negopt_core.errors import OutputError
from negopt_core.files import check_folder, free_path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "negopt_core"]


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=ROOT,
        text=True,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env={**os.environ, **environment},
    )


def test_a_stream_answers_each_line_with_json_before_the_next_is_written() -> None:
    with start("suggest", "-") as process:
        assert process.stdin and process.stdout
        for prompt in ("a photo of a cat", "", "a [broken", "日本"):
            process.stdin.write(f"{prompt}\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["prompt"] == prompt
        process.stdin.close()
        assert process.stdout.read() == ""
    assert process.returncode == 0


def test_a_line_that_cannot_be_read_does_not_end_the_stream() -> None:
    with start("suggest", "-") as process:
        out, err = process.communicate("a cat\n" + "x" * 1_000_001 + "\na dog\n")
    rows = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 1 and err == ""
    assert "negative" in rows[0] and "shorten it" in rows[1]["error"] and rows[2]["prompt"] == "a dog"


@pytest.mark.parametrize("prompt", ["café 🐈", "a\x1b[31mred", "\udc80broken"])
def test_json_is_valid_whatever_the_terminal_can_show(prompt: str) -> None:
    raw = prompt.encode("utf-8", "surrogateescape")
    done = subprocess.run(
        [*map(os.fsencode, COMMAND), b"suggest", raw, b"--json"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"},
    )
    assert done.stdout.isascii() and json.loads(done.stdout)["prompt"] == prompt


@pytest.mark.skipif(sys.platform == "win32", reason="signals work differently there")
def test_an_interrupt_is_one_line_and_no_traceback() -> None:
    with start("suggest", "-") as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write("a cat\n")
        process.stdin.flush()
        process.stdout.readline()
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        err = process.stderr.read()
    assert (process.returncode, err.count("\n")) == (130, 1) and "stopped" in err


@pytest.mark.parametrize(
    "arguments", [[], ["nope"], ["suggest"], ["suggest", "a", "--seed", "x\ny"], ["schedule", "a"], ["policies"]]
)
def test_a_usage_error_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    err = capsys.readouterr().err
    assert stop.value.code == 2 and err.count("\n") == 1 and err.startswith("negopt: ") and "--help" in err


@pytest.mark.parametrize(
    "arguments", [["--debug", "schedule", "a", "--steps", "0"], ["schedule", "a", "--steps", "0", "--debug"]]
)
def test_debug_shows_the_traceback_wherever_it_stands(arguments: list[str]) -> None:
    with pytest.raises(Exception, match="at least 1 step"):
        main(arguments)


def test_a_bug_is_one_line_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a\nb")

    monkeypatch.setattr("negopt_core.commands.suggest.load_policy", broken)
    assert main(["suggest", "a cat"]) == 1
    assert capsys.readouterr().err == "negopt: unexpected ZeroDivisionError: a b; --debug shows where\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB. GPU 0 has"), "CUDA out of memory"),
        (MemoryError(), "memory is full"),
    ],
)
def test_a_full_memory_says_what_to_do(
    error: Exception, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr("negopt_core.commands.suggest.load_policy", full)
    assert main(["suggest", "a cat"]) == 1
    assert capsys.readouterr().err.startswith(f"negopt: {said}; what was saved is kept; take fewer at a time")


def test_suggesting_loads_nothing_heavy() -> None:
    code = "import sys; from negopt_core.cli import main; main(['suggest', 'a cat']); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not [name for name in ("torch", "PIL", "diffusers", "transformers") if f"'{name}'" in done.stdout]


def test_a_name_that_is_taken_is_counted_up(tmp_path: Path) -> None:
    first = tmp_path / "00001.png"
    for expected in ("00001.png", "00001-2.png", "00001-3.png"):
        path = free_path(first)
        assert path.name == expected
        path.touch()


def test_an_output_that_cannot_be_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    check_folder(tmp_path / "new" / "deep")
    assert not (tmp_path / "new").exists()
    for folder in (tmp_path / "file", tmp_path / "file" / "sub"):
        with pytest.raises(OutputError, match="choose another folder"):
            check_folder(folder)
