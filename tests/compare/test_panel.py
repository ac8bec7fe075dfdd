"""The blind reading: nothing on the sheet tells an arm, and verdicts come to the right figures."""

import csv
import json
from pathlib import Path

import pytest

from negopt_core.cli import main
from negopt_core.errors import OutputError, PolicyError
from negopt_core.lab.compare.panel import Entry, Vote, beats, read_votes, standings, write_panel
from negopt_core.lab.compare.panel_arms import ask

ENTRIES = [
    Entry(
        f"prompt {number}", "sdxl", {"first": f"a {number}", "second": f"b {number}", "third": "" if number else "b 0"}
    )
    for number in range(12)
]


def fill(folder: Path, rank_of: dict[str, int], verdict_of: dict[str, str]) -> Path:
    """Verdicts by arm, written as a reader would."""
    key = json.loads((folder / "key" / "key.json").read_text())
    rows = [["prompt", "candidate", "rank", "verdict"]]
    for number, entry in enumerate(key["prompts"], 1):
        for arm, label in entry["arms"].items():
            rows.append([str(number), label, str(rank_of[arm]), verdict_of[arm]])
    path = folder / "filled.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_the_sheet_is_shuffled_and_names_no_arm(tmp_path: Path) -> None:
    write_panel(ENTRIES, "negative", 3, tmp_path)
    sheet = (tmp_path / "sheet.md").read_text()
    assert not any(arm in sheet for arm in ("first", "second", "third"))
    assert "**C** (nothing)" in sheet or "**B** (nothing)" in sheet or "**A** (nothing)" in sheet
    key = json.loads((tmp_path / "key" / "key.json").read_text())
    assert len({entry["arms"]["first"] for entry in key["prompts"]}) > 1
    assert key["prompts"][0]["arms"]["second"] == key["prompts"][0]["arms"]["third"]  # the same words are one candidate
    assert len((tmp_path / "verdicts.csv").read_text().splitlines()) == 1 + 3 * 12 - 1


def test_the_same_seed_writes_the_same_sheet(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_panel(ENTRIES, "negative", 3, tmp_path / name)
    assert (tmp_path / "a/sheet.md").read_bytes() == (tmp_path / "b/sheet.md").read_bytes()


def test_verdicts_come_back_as_first_places_ranks_and_rates(tmp_path: Path) -> None:
    write_panel(ENTRIES, "negative", 3, tmp_path)
    path = fill(tmp_path, {"first": 1, "second": 2, "third": 2}, {"first": "keep", "second": "edit", "third": "reject"})
    votes = read_votes([path, path], tmp_path / "key" / "key.json")
    found = {one.arm: one for one in standings(votes)}
    assert found["first"].first.value == found["first"].alone.value == found["first"].keep.value == 1
    assert found["second"].first.value == 0 and found["second"].mean_rank.value == 2
    assert found["third"].reject.value == pytest.approx(11 / 12, abs=0.1) and found["first"].prompts == 12
    wins, ties = beats(votes, "second", "third")
    assert wins.value == 0 and ties.value == 1


def test_ties_share_the_first_place() -> None:
    votes = [
        Vote(0, 1, "a", 1, "keep"),
        Vote(0, 1, "b", 1, "keep"),
        Vote(0, 2, "a", 2, "edit"),
        Vote(0, 2, "b", 1, "keep"),
    ]
    found = {one.arm: one for one in standings(votes)}
    assert (found["a"].first.value, found["a"].alone.value) == (0.5, 0.0)
    assert (found["b"].first.value, found["b"].alone.value) == (1.0, 0.5)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("1,A,one,keep", "line 2: a verdict is"),
        ("1,A,0,keep", "a rank is 1 or more"),
        ("1,A,1,fine", "a rank is 1 or more"),
        ("1,A,1,keep", "no verdict on candidate"),
    ],
)
def test_a_verdict_that_makes_no_sense_is_named(tmp_path: Path, line: str, says: str) -> None:
    write_panel(ENTRIES, "negative", 3, tmp_path)
    (tmp_path / "bad.csv").write_text(f"prompt,candidate,rank,verdict\n{line}\n")
    with pytest.raises(OutputError, match=says):
        read_votes([tmp_path / "bad.csv"], tmp_path / "key" / "key.json")


def test_the_commands_write_a_sheet_and_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text('{"prompt": "a photo of a dog", "family": "illustrious"}\n{"prompt": "a castle"}\n')
    arms = ["--arm", "negopt", "--arm", "rules", "--arm", "nothing", "--arm", "fixed:blurry"]
    assert main(["policies", "panel", "write", str(prompts), *arms, "-o", str(tmp_path / "panel")]) == 0
    key = tmp_path / "panel" / "key" / "key.json"
    ranks = {"negopt": 1, "rules": 2, "fixed": 3, "nothing": 4}
    path = fill(tmp_path / "panel", ranks, {name: "keep" if name == "negopt" else "edit" for name in ranks})
    capsys.readouterr()
    assert main(["policies", "panel", "read", str(path), "--key", str(key), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["arms"][0]["arm"] == "negopt" and told["first_arm_against"]["rules"]["before"]["value"] == 1
    assert main(["policies", "panel", "read", str(path), "--key", str(prompts)]) == 1


def test_arms_are_written_as_in_eval_and_old_spellings_are_read(tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text('{"prompt": "a dog", "family": "sdxl", "negative": "own words"}\n')
    arms = ["none", "own", "x=text:blurry, dark", "r=policy:rules", "rules", "nothing", "fixed: blurry"]
    (entry,) = ask(arms, prompts, "negative", ())
    assert list(entry.answers) == ["none", "own", "x", "r", "rules", "nothing", "fixed"]
    assert entry.answers["none"] == entry.answers["nothing"] == "" and entry.answers["own"] == "own words"
    assert entry.answers["x"] == "blurry, dark" and entry.answers["fixed"] == "blurry"
    assert entry.answers["r"] == entry.answers["rules"] != ""
    (entry,) = ask(["modifiers:vivid", "fixed:vivid", "policy:rules"], prompts, "modifiers", ())
    assert entry.answers["modifiers:vivid"] == entry.answers["fixed"] == "vivid" and entry.answers["policy:rules"]
    with pytest.raises(PolicyError, match="missing"):
        ask(["missing"], prompts, "negative", ())


def test_why_is_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policies", "why", "a photo of a dog", "--family", "sdxl", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["family"] == "sdxl" and {"photo", "dog", "animal"} <= {one["concept"] for one in told["concepts"]}
    assert main(["policies", "why", "a dog", "--policy", "rules"]) == 2
