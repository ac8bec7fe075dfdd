"""Votes from the page: read, checked, counted."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import negopt_core
from negopt_core.errors import OutputError
from negopt_core.lab.compare.votes import VoteFile, gather, read_votes, tally, win_rate

SHOWN = ["a", "b", "c"]
WALL = Path(negopt_core.__file__).parent / "assets" / "report" / "wall.js"
_STAND_IN = """
const report = { id: "0123", arms: [], prompts: ["p"] }, kept = {}, made = {};
globalThis.localStorage = { getItem: (name) => kept[name] ?? null, setItem: (name, value) => { kept[name] = value; } };
globalThis.confirm = () => true;
globalThis.Blob = class { constructor(parts) { console.log(parts[0].replaceAll("\\n", "")); } };
URL.createObjectURL = () => ""; URL.revokeObjectURL = () => {};
const el = (tag, attributes, ...words) => ({ click() {}, ...(made[words[0]] = { onclick: attributes.onclick }) });
const list = { replaceChildren() {} };
"""
_VOTING = """
const ballot = { prompt: 0, seed: 0, shown: ["a", "b", "c"], ranking: ["a"] };
kept["negopt-votes-0123"] = JSON.stringify({ "0 0": ballot });
for (const press of [[], [], ["Start over"]]) {
  rank(list, [], () => []);
  press.forEach((name) => made[name].onclick());
  if (press.length) { kept["negopt-votes-0123"] = JSON.stringify({ "0 0": ballot }); rank(list, [], () => []); }
  made["Export votes"].onclick();
}
"""


def ballot(*ranking: str) -> dict[str, object]:
    return {"prompt": 0, "seed": 0, "shown": SHOWN, "ranking": list(ranking)}


def test_ranks_become_win_rates_and_what_is_not_ranked_is_equal_last() -> None:
    ballots = [ballot("b", "a"), ballot("b"), ballot("a"), ballot()]
    found, count = win_rate(ballots, "b", "a")
    assert count == 4 and found.value == pytest.approx((1 + 1 + 0 + 0.5) / 4)
    found, _ = win_rate(ballots, "c", "a")
    assert found.value == pytest.approx((0 + 0.5 + 0 + 0.5) / 4)
    rows = tally([*ballots, {"shown": ["a", "d"], "ranking": ["d"]}], [*SHOWN, "d", "e"], "a")
    assert [(row["arm"], row["ballots"]) for row in rows] == [("b", 4), ("c", 4), ("d", 1)]
    assert rows[2]["win_rate"] == {"value": 1.0, "low": None, "high": None}


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"kind": "negopt-votes"}',
        '{"kind": "other", "votes": []}',
        json.dumps({"kind": "negopt-votes", "votes": [{"shown": ["a"], "ranking": ["b"]}]}),
        json.dumps({"kind": "negopt-votes", "votes": [{"shown": ["a", "a"], "ranking": []}]}),
        json.dumps({"kind": "negopt-votes", "votes": ["a"]}),
        json.dumps({"kind": "negopt-votes", "votes": [], "report": 1}),
        json.dumps({"kind": "negopt-votes", "voter": "1", "votes": [{"shown": ["a"], "ranking": [], "prompt": [0]}]}),
    ],
)
def test_a_file_without_sense_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "v.json").write_text(content)
    with pytest.raises(OutputError, match=r"v\.json"):
        read_votes(tmp_path / "v.json")


def exported(path: Path, *ballots: dict[str, object], **told: str) -> VoteFile:
    path.write_text(json.dumps({"kind": "negopt-votes", "schema": 1, **told, "votes": ballots}))
    return read_votes(path)


def test_what_the_page_exports_is_read(tmp_path: Path) -> None:
    file = exported(tmp_path / "v.json", ballot("a"), report="0123", voter="5f")
    assert (file.report, file.voter, file.ballots) == ("0123", "5f", (ballot("a"),))
    old = exported(tmp_path / "v.json", ballot("a"))
    assert gather([old], "0123") == [ballot("a")]


def test_votes_of_another_report_are_refused(tmp_path: Path) -> None:
    other = exported(tmp_path / "v.json", ballot("a"), report="4567")
    with pytest.raises(OutputError, match=r"v\.json .* '4567'.* '0123'"):
        gather([other], "0123")


def test_of_two_exports_of_one_voter_the_last_one_counts(tmp_path: Path) -> None:
    second = ballot("b") | {"prompt": 1}
    first = exported(tmp_path / "1.json", ballot("a"), second, report="0123", voter="5f")
    again = exported(tmp_path / "2.json", ballot("c"), report="0123", voter="5f")
    friend = exported(tmp_path / "3.json", ballot("a"), report="0123", voter="60")
    assert gather([first, again, friend], "0123") == [ballot("c"), second, ballot("a")]


def test_the_page_exports_who_voted(tmp_path: Path) -> None:
    """Its own function under node, with nothing of a browser but what it uses."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("NOT TESTED: the wall's export; there is no node")
    done = subprocess.run([node, "-e", _STAND_IN + WALL.read_text() + _VOTING], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, again, other = (json.loads(line) for line in done.stdout.splitlines())
    assert re.fullmatch("[0-9a-f]{16}", first["voter"]) and first["votes"] == [ballot("a")]
    assert again == first and other["voter"] != first["voter"]  # after a reload, and after starting over
