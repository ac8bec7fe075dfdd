"""Votes from the page: read, checked, counted."""

import json
from pathlib import Path

import pytest

from negopt_core.errors import OutputError
from negopt_core.evidence.votes import read_votes, tally, win_rate

SHOWN = ["a", "b", "c"]


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
    ],
)
def test_a_file_without_sense_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "v.json").write_text(content)
    with pytest.raises(OutputError, match=r"v\.json"):
        read_votes(tmp_path / "v.json")


def test_what_the_page_exports_is_read(tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text(json.dumps({"kind": "negopt-votes", "schema": 1, "votes": [ballot("a")]}))
    assert read_votes(tmp_path / "v.json") == [ballot("a")]
