"""`data pairs`, `data split`, `data filter` from the command line, on real files and real pictures."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from negopt_core.cli import main
from negopt_core.lab.data.pairs import read_pairs, save_pairs
from negopt_core.lab.data.split import normalise
from negopt_core.lab.data.world_people import draw_modifiers, draw_negatives
from negopt_core.world import world_dir

pytestmark = pytest.mark.slow

needs_world = pytest.mark.skipif(
    not (world_dir() / "model_index.json").is_file(),
    reason="the demo world's weights are not in negopt_core/assets/world",
)


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    assert main(["data", *map(str, arguments), "--json"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    found: dict[str, Any] = json.loads(out)
    return found


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def people(tmp_path: Path) -> Path:
    save_pairs(tmp_path / "people.jsonl", [*draw_negatives(60, 1), *draw_negatives(20, 1)], "negative")
    return tmp_path / "people.jsonl"


def test_json_lines_are_cleaned_deduplicated_and_zipped(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = run(capsys, "pairs", people, "-o", tmp_path / "clean.jsonl.gz")
    pairs = read_pairs(tmp_path / "clean.jsonl.gz", "negative")
    assert told["pairs"] == len(pairs) == len(set(pairs)) == told["counts"]["distinct"] <= 60
    assert told["counts"]["lines with an answer"] == 80 and told["sha256"] == sha(tmp_path / "clean.jsonl.gz")
    again = run(capsys, "pairs", tmp_path / "clean.jsonl.gz", "-o", tmp_path / "again.jsonl.gz")
    assert again["sha256"] == told["sha256"]


def test_the_negative_prompts_db_and_the_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    texts = dict.fromkeys(("id", "created_at", "sampler", "url", "model"), ["x"] * 4)
    numbers = dict.fromkeys(("height", "width", "steps", "cursor"), [512] * 4)
    table = {**texts, **numbers, "cfg_scale": [7.0] * 4, "likes": [1, 0, 5, 2]}
    table["prompt"] = ["a cat, by Nobody, 8k", "a dog", "a nude", "a logo"]
    table["negative_prompt"] = ["(ugly:1.3), nsfw", "ugly", "ugly", "ugly"]
    parquet.write_table(arrow.table(table), tmp_path / "db.parquet")
    (tmp_path / "banned.txt").write_text("logo\n")
    rules = ("--safe", "--no-artists", "--without", tmp_path / "banned.txt")
    told = run(capsys, "pairs", tmp_path / "db.parquet", "-o", tmp_path / "n.jsonl", *rules)
    assert (tmp_path / "n.jsonl").read_text() == '{"prompt": "a cat, by Nobody, 8k", "negative": "ugly, nsfw"}\n'
    steps = ("rows", "liked", "safe", "without what you listed", "with a prompt", "with an answer", "distinct")
    assert told["counts"] == dict(zip(steps, (4, 3, 2, 1, 1, 1, 1), strict=True))
    run(capsys, "pairs", tmp_path / "db.parquet", "-o", tmp_path / "m.jsonl", "--polarity", "modifiers", *rules)
    assert (tmp_path / "m.jsonl").read_text() == '{"prompt": "a cat", "modifiers": "8k"}\n'


@needs_world
def test_ones_own_pictures_become_a_file_to_train_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed, prompt in enumerate(("a photo of a red ball, [vivid:0-0.5:1.25]", "a sketch of a star, vivid")):
        painted = ["paint", prompt, "--negative", "blurry, [noisy:0-0.5:1]", "--seed", str(seed), "--steps", "1"]
        assert main([*painted, "-o", str(tmp_path / "out")]) == 0
    (tmp_path / "out" / "broken.png").write_text("no picture")
    (tmp_path / "out" / "likes.jsonl").write_text('{"picture": "00001.png", "like": 1}\n')
    capsys.readouterr()
    told = run(capsys, "pairs", tmp_path / "out", "-o", tmp_path / "mine.jsonl", "--liked-weight", 3)
    assert told["counts"] == {
        **{"pictures": 3, "not disliked": 3, "readable": 2},
        **{"with a prompt": 2, "with an answer": 2, "distinct": 2},
    }
    first, second = (json.loads(line) for line in (tmp_path / "mine.jsonl").read_text().splitlines())
    assert first == {"prompt": "a photo of a red ball, vivid", "negative": "blurry, [noisy:0-0.5:1]"}
    assert second["weight"] == 3.0
    run(capsys, "pairs", tmp_path / "out", "-o", tmp_path / "m.jsonl", "--polarity", "modifiers")
    assert json.loads((tmp_path / "m.jsonl").read_text().splitlines()[0])["modifiers"] == "[vivid:0-0.5:1.25]"


def test_a_split_leaks_nothing_and_its_manifest_can_be_checked(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = run(capsys, "split", people, "-o", tmp_path / "parts")
    manifest = json.loads((tmp_path / "parts" / "manifest.json").read_text())
    assert told == {"folder": str(tmp_path / "parts"), **manifest} and manifest["source"]["sha256"] == sha(people)
    prompts: list[set[str]] = []
    for name in ("train", "val", "test"):
        path = tmp_path / "parts" / f"{name}.jsonl"
        pairs = read_pairs(path, "negative")
        assert manifest["parts"][name] == {"file": path.name, "pairs": len(pairs), "sha256": sha(path)}
        prompts.append({normalise(pair.prompt) for pair in pairs})
    assert sum(map(len, prompts)) == len(set.union(*prompts)) > 50
    assert sum(part["pairs"] for part in manifest["parts"].values()) == manifest["counts"]["distinct"] == 60
    paper = run(capsys, "split", people, "-o", tmp_path / "paper", "--shares", "sft=0.5,rl=0.3,test=0.2", "--salt", "x")
    assert list(paper["parts"]) == ["sft", "rl", "test"] and paper["salt"] == "x"


@needs_world
@pytest.mark.parametrize("polarity", ["modifiers", "negative"])
def test_the_filter_keeps_what_helps_and_paints_nothing_twice(
    polarity: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """P9 on the demo world with its own judges."""
    pairs = (draw_modifiers if polarity == "modifiers" else draw_negatives)(4, 3)
    save_pairs(tmp_path / "some.jsonl", pairs[:2], polarity)
    save_pairs(tmp_path / "all.jsonl", pairs, polarity)
    base = ("-o", tmp_path / "kept.jsonl", "--run", tmp_path / "run", "--polarity", polarity, "--batch", 2)
    small = (*base, "--steps", 2, "--pictures", 1, "--threads", 1)
    run(capsys, "filter", tmp_path / "some.jsonl", *small)
    scores = tmp_path / "run" / "scores.jsonl"
    begun = scores.read_text()
    told = run(capsys, "filter", tmp_path / "all.jsonl", *small)
    assert scores.read_text().startswith(begun) and scores.read_text().count("\n") == 4
    found = [json.loads(line)["score"] for line in scores.read_text().splitlines()]
    assert told["read"] == 4 and told["kept"] == sum(score >= 0.5 for score in found)
    assert read_pairs(tmp_path / "kept.jsonl", polarity) == [
        pair for pair, score in zip(pairs, found, strict=True) if score >= 0.5
    ]
    everything = run(capsys, "filter", tmp_path / "all.jsonl", *small, "--sigma", 0)
    assert everything["kept"] == 4 and scores.read_text().count("\n") == 4  # another threshold paints nothing
    assert main(["data", "filter", str(tmp_path / "all.jsonl"), *map(str, base), "--steps", "3"]) == 1
    assert "other settings (steps)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("pairs", "nowhere", "-o", "x.jsonl"), 1, "no folder of pictures; name a folder, a .jsonl or a .parquet"),
        (("pairs", "empty.jsonl", "-o", "x.jsonl"), 1, "no pairs of polarity negative (lines with an answer 0"),
        (("pairs", "bad.jsonl", "-o", "x.jsonl"), 1, "bad.jsonl, line 1: "),
        (("pairs", "empty.jsonl", "-o", "x.jsonl", "--liked-weight", "0"), 1, "above 0, got 0"),
        (("pairs", "empty.jsonl", "-o", "x.jsonl", "--without", "gone.txt"), 2, "cannot read"),
        (("split", "empty.jsonl", "-o", "parts"), 1, "make pairs of other data with `data pairs`"),
        (("split", "one.jsonl", "-o", "parts", "--shares", "train"), 2, "--shares is written train=0.8"),
        (("split", "one.jsonl", "-o", "parts", "--shares", "a=0.5,a=0.5"), 2, "--shares is written"),
        (("split", "one.jsonl", "-o", "parts", "--shares", "a=0.5,b=0.4"), 1, "add up to 1"),
        (("filter", "one.jsonl", "-o", "x.jsonl", "--run", "r", "--sigma", "2"), 1, "sigma lies between 0 and 1"),
        (("filter", "one.jsonl", "-o", "x.jsonl", "--run", "r", "--quality", "best"), 2, "no scorer is called 'best'"),
        (("filter", "one.jsonl", "-o", "x.jsonl", "--run", "r", "--model", "/no/model"), 2, "--source aesthetic="),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: tuple[str, ...],
    code: int,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.jsonl").write_text("")
    Path("bad.jsonl").write_text("{\n")
    Path("one.jsonl").write_text('{"prompt": "a cat", "negative": "blurry"}\n')
    assert main(["data", *arguments]) == code
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert not Path("x.jsonl").exists() and not Path("parts").exists()


def test_the_format_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Errors of `read_pairs` point there."""
    with pytest.raises(SystemExit):
        main(["data", "--help"])
    out = capsys.readouterr().out
    assert "negative_prompt" in out and "subject" in out and '"weight": 2' in out
