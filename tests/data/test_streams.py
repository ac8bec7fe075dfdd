"""Data sets of any length: what is held in memory is a key for each pair, not the pairs."""

import gzip
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from negopt_core.cli import main
from negopt_core.errors import OutputError, TrainingError
from negopt_core.lab.data.pairs import Pair, iter_pairs, pair_file, read_pairs, save_pairs
from negopt_core.lab.data.sources import Gathering, SourceSettings
from negopt_core.text.prompt import Span

BYTES_A_ROW = 250
"""A key of 16 bytes and a number in a table; the same rows as pairs take ten times as much."""
NEGATIVE = ", ".join(f"fault number {number} of a dozen" for number in range(12))


def write_rows(path: Path, count: int) -> Path:
    with path.open("w") as file:
        for number in range(count):
            file.write(json.dumps({"prompt": f"a picture of thing number {number}", "negative": NEGATIVE}) + "\n")
    return path


def peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize("what", ["pairs", "split"])
def test_memory_grows_by_a_key_for_each_row(what: str, tmp_path: Path) -> None:
    def run(rows: Path) -> int:
        line = ["data", what, str(rows), "-o", str(tmp_path / what), "--json"]
        return peak(lambda: main(line))

    run(write_rows(tmp_path / "one.jsonl", 1))  # what is loaded and kept once is not counted
    few, many = run(write_rows(tmp_path / "few.jsonl", 2500)), run(write_rows(tmp_path / "many.jsonl", 5000))
    assert (many - few) / 2500 < BYTES_A_ROW


def test_the_heavier_of_two_equals_stands_at_the_place_of_the_first(tmp_path: Path) -> None:
    light, other, heavy = (
        Pair("A cat", (Span("blurry"),)),
        Pair("a dog", (Span("blurry"),)),
        Pair("a cat.", (Span("Blurry"),), 2.0),
    )
    save_pairs(tmp_path / "pairs.jsonl", [light, other, heavy, light], "negative")
    gathering = Gathering(tmp_path / "pairs.jsonl", SourceSettings())
    assert list(gathering) == [heavy, other] == list(gathering)
    assert gathering.counts == {"lines with an answer": 4, "with a prompt": 4, "with an answer": 4, "distinct": 2}


def test_pairs_are_read_as_they_are_needed(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", 2)
    with path.open("a") as file:
        file.write("not JSON\n")
    found = iter_pairs(path, "negative")
    assert [next(found).prompt, next(found).prompt] == [f"a picture of thing number {number}" for number in (0, 1)]
    with pytest.raises(TrainingError, match="line 3"):
        next(found)


@pytest.mark.parametrize("name", ["pairs.jsonl", "pairs.jsonl.gz"])
def test_a_file_that_is_not_finished_is_not_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError), pair_file(tmp_path / name, "negative") as file:
        file.add(Pair("a cat", (Span("blurry"),)))
        raise TrainingError("stopped")
    assert list(tmp_path.iterdir()) == []


def test_zipped_files_have_the_same_bytes_whatever_their_name(tmp_path: Path) -> None:
    pairs = [Pair("a cat", (Span("blurry"),))]
    first, second = (save_pairs(tmp_path / name, pairs, "negative") for name in ("a.gz", "longer-name.gz"))
    assert first == second and gzip.decompress((tmp_path / "a.gz").read_bytes()).count(b"\n") == 1
    assert read_pairs(tmp_path / "a.gz", "negative") == pairs


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose a folder"):
        save_pairs(tmp_path / "file" / "pairs.jsonl", [], "negative")
