"""A short form of `make faults`, and folders that cannot be written or hold what a crash or a bad disk left."""

import gzip
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from negopt_core.cli import main
from negopt_core.errors import NegOptError, OutputError, TrainingError
from negopt_core.lab.data.confidence import score_pairs
from negopt_core.lab.data.corpus import read_rows
from negopt_core.lab.data.pairs import Pair, read_pairs
from negopt_core.lab.data.settings import ConfidenceSettings
from negopt_core.lab.jobs.run import CHECKPOINT, CONFIG, METRICS, RunFolder
from negopt_core.lab.train.setup import read_prompts
from negopt_core.text.prompt import Span

ROOT = Path(__file__).resolve().parents[2]
UNWRITABLE = Path("/sys/negopt-tests")
"""A folder that nobody can make, not even root."""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="NOT TESTED: kill -9 is a matter of Unix")
def test_jobs_that_are_killed_go_on_to_the_same_result() -> None:
    """Two moments of each job; `make faults` has fifty."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--moments", "2"],
        cwd=ROOT, capture_output=True, text=True, timeout=3600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["sft", "ppo", "filter", "paint", "eval", "pull"]


@pytest.mark.skipif(not UNWRITABLE.parent.is_dir(), reason="NOT TESTED: no folder here that root cannot write to")
@pytest.mark.parametrize(
    "command",
    [
        ("train", "sft", "--pairs", "world", "--steps", "1", "--run", "{}"),
        ("data", "filter", "{pairs}", "-o", "{}/kept.jsonl", "--run", "{}"),
        ("data", "split", "{pairs}", "-o", "{}"),
        ("data", "pairs", "{pairs}", "-o", "{}/pairs.jsonl"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_folder_that_cannot_be_written_is_one_line(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text('{"prompt": "a", "negative": "b"}\n')
    assert main([part.format(UNWRITABLE, pairs=pairs) for part in command]) == 1
    said = capsys.readouterr().err
    ours = [line for line in said.splitlines() if line.startswith("negopt: ")]  # after progress of libraries
    assert len(ours) == 1 and "cannot write /sys/negopt-tests" in ours[0] and "unexpected" not in ours[0]


def test_a_gzip_that_was_cut_short_is_named(tmp_path: Path) -> None:
    row = {"prompt": "a", "negative": "b", "negative_prompt": "b", "family": "user", "source_repo": "x", "license": "y"}
    whole = gzip.compress((json.dumps(row) + "\n").encode() * 100)
    path = tmp_path / "pairs.jsonl.gz"
    for content in (whole[:-20], whole[:30], whole[:20] + b"\xff" * 20, b"plain text"):
        path.write_bytes(content)
        for read in (lambda: read_pairs(path, "negative"), lambda: read_prompts(path), lambda: read_rows(path)):
            with pytest.raises(TrainingError, match=r"cannot read .*pairs\.jsonl\.gz"):
                read()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"settings": 3}', b"\0" * 200, b"[" * 100_000])
def test_a_run_whose_settings_are_damaged_is_not_gone_on_with(content: bytes, tmp_path: Path) -> None:
    RunFolder.open(tmp_path, {"a": 1})
    (tmp_path / CONFIG).write_bytes(content)
    with pytest.raises(TrainingError, match=r"config\.json is damaged .*choose another folder"):
        RunFolder.open(tmp_path, {"a": 1})
    assert (tmp_path / CONFIG).read_bytes() == content


@pytest.mark.parametrize("tail", [b"\0" * 512, b'{"step": 3, "lo', b"\xff\xfe\n", b"3\n", b"[1]\n", b'{"loss": 1}\n'])
def test_metrics_after_a_damaged_line_are_left_out(tail: bytes, tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path, {})
    run.note(1, {"loss": 2.0})
    with (tmp_path / METRICS).open("ab") as file:
        file.write(tail)
    assert run.metrics() == [{"step": 1, "loss": 2.0}]


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"\x08\0\0\0\0\0\0\0{}      ", b"\xff" * 8])
def test_a_damaged_checkpoint_is_named_and_left_alone(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs, folder = tmp_path / "pairs.jsonl", tmp_path / "run"
    pairs.write_text('{"prompt": "a", "negative": "b"}\n')
    folder.mkdir()
    (folder / CHECKPOINT).write_bytes(content)
    small = ("--width", "16", "--layers", "1", "--steps", "2", "--batch", "2")
    assert main(["train", "sft", "--pairs", str(pairs), "--run", str(folder), *small]) == 1
    said = capsys.readouterr().err
    assert f"the checkpoint {folder / CHECKPOINT} is damaged" in said and "unexpected" not in said
    assert (folder / CHECKPOINT).read_bytes() == content


PAIRS = [Pair(f"a {name}", (Span("blurry"),)) for name in ("ball", "cube", "star")]


def scored(cache: Path) -> tuple[list[float], int]:
    """Scores of the pairs, and how many were painted for."""
    from tests.fakes.painter import FakePainter

    painter = FakePainter()

    class Mean:
        name = "mean"

        def __call__(self, images: object, prompts: object) -> object:
            return images.mean(dim=(1, 2, 3))  # type: ignore[attr-defined]

    settings = ConfidenceSettings(pictures=1, batch=1, polarity="modifiers")
    found = score_pairs(PAIRS, painter, Mean(), Mean(), settings, cache)  # type: ignore[arg-type]
    return found, len({pair for pair, _ in painter.painted}) // 2


def test_a_damaged_cache_of_scores_costs_the_damaged_scores(tmp_path: Path) -> None:
    cache = tmp_path / "scores.jsonl"
    whole, painted = scored(cache)
    content = cache.read_bytes()
    first = content.index(b"\n") + 1
    assert painted == 3
    for damaged, again in (
        (content[:-5], 1), (content[: first + 1], 2), (b"\0" * 99 + b"\n" + content[first:], 1),
        (content + b"\xff\xfe\xfd", 0), (b'{"key": [], "score": 1e999}\n' + content, 0), (b"", 3),
    ):  # fmt: skip
        cache.write_bytes(damaged)
        assert scored(cache) == (whole, again), damaged


def test_a_full_disk_under_the_scores_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("NOT TESTED: no /dev/full here")
    cache, plain_open = tmp_path / "scores.jsonl", Path.open
    cache.write_text("")

    def append_to_full(path: Path, mode: str = "r", **more: str) -> object:
        return plain_open(full if path == cache and mode.startswith("a") else path, mode, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", append_to_full)  # /dev/full itself cannot be read to its end
    with pytest.raises(OutputError, match="make room, and the same command goes on from there"):
        scored(cache)


def test_logs_of_a_refused_job_hold_no_traceback(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "pairs.jsonl").write_text("[" * 5000 + "]" * 5000)
    with caplog.at_level(logging.DEBUG), pytest.raises(NegOptError, match="nested more than 100 levels deep"):
        read_pairs(tmp_path / "pairs.jsonl", "negative")
    assert "Traceback" not in caplog.text and json.dumps(caplog.text)
