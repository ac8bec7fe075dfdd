"""The word lists behind `rules` and what every suggestion keeps to: whole, and the demo world's kept apart."""

from pathlib import Path

import pytest

from negopt_core.errors import PolicyError
from negopt_core.policy.families import WORLD, families
from negopt_core.policy.media import media
from negopt_core.policy.phrase_kinds import read_terms
from negopt_core.policy.rules import RulesPolicy, rules_card
from negopt_core.policy.topics import topics
from negopt_core.policy.world_rules import world_table
from negopt_core.text import word_tables
from negopt_core.text.word_tables import FOLDER, entries, named_fields, pairs, read_rows, word_set


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.name)
def test_every_field_is_there_and_no_entry_is_empty_or_doubled(path: Path) -> None:
    for row in read_rows(path.name):
        assert row[0] and row[-1], row
        if "caveat" in path.read_text(encoding="utf-8"):
            row = row[:4]
        for field in row:
            listed = entries(field)
            assert all(entry and entry == entry.strip() for entry in listed) and len(set(listed)) == len(listed), row


def test_the_tables_have_what_the_code_asks_for() -> None:
    assert len(topics()) == 41 and len(media()) == 9 and WORLD in families()
    assert {"people", "animals", "body", "fillers", "faults"} <= set(named_fields("word_sets.txt"))
    assert "cat" in word_set("animals") and "cat" not in word_set("people")
    assert set(world_table("medium")) == {"photo", "painting", "sketch", "cartoon"}


def test_words_of_the_demo_world_stay_out_of_the_rules_for_real_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real families never look into the world's table; the world looks into no table of antonyms or anatomy."""
    prompts = ["a photo of a man at night", "sketch of a ring and a ball", "a star, a heart, sunset"]
    policies = [RulesPolicy(rules_card(name)) for name in families() if name != WORLD]
    monkeypatch.setattr("negopt_core.policy.world_rules.world_table", lambda _: pytest.fail("looked up"))
    for policy in policies:
        for pair in policy.suggest(prompts, seed=0):
            assert "pixelated" not in pair.negative.text and "faded" not in pair.negative.text


def test_a_missing_or_damaged_table_is_one_error_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_tables, "FOLDER", tmp_path)
    with pytest.raises(PolicyError, match=r"cannot read .*gone.txt: .*; install negopt again"):
        read_rows("gone.txt")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyError, match="not UTF-8"):
        read_rows("bytes.txt")
    with pytest.raises(PolicyError, match="install negopt again"):
        pairs("men=man, women")
    with pytest.raises(PolicyError, match="no kind of phrase 'weight'"):
        read_terms("heavy=weight")
