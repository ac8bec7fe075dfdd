"""The corpus of real prompts: what is read and what is not, how much counts, templates; its commands."""

import json
from pathlib import Path

import pytest

from negopt_core.cli import main
from negopt_core.errors import TrainingError
from negopt_core.lab.data.corpus import Row, Weights, fill_templates, pairs_of, read_rows
from negopt_core.lab.data.pairs import Pair
from negopt_core.lab.train.index import fit_index, save_retrieval
from negopt_core.policy import load_policy
from negopt_core.policy.card import PolicyCard
from negopt_core.text.prompt import Span


def line(prompt: str, negative: str, family: str = "user", source: str = "me/mine", **more: object) -> str:
    row = {"prompt": prompt, "negative_prompt": negative, "family": family, "source_repo": source, "license": "MIT"}
    return json.dumps({**row, **more}) + "\n"


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    path.write_text(
        line("a photo of a fox", "painting, blurry")
        + line("a photo of a castle", "painting, people", "style", template="a photo of {prompt}")
        + line("a neon castle", "dull, digital design", "style", boilerplate=True)
        + line("anime knight", "photo", source="dflip3k/DFLIP-3K")
    )
    return path


def test_rows_with_contradictory_licences_are_left_out(pairs: Path) -> None:
    assert [row.prompt for row in read_rows(pairs)] == ["a photo of a fox", "a photo of a castle", "a neon castle"]
    assert len(read_rows(pairs, skipped_sources=())) == 4


def test_families_and_boilerplate_count_differently(pairs: Path) -> None:
    found = pairs_of(read_rows(pairs), Weights(user=3.0, style=1.0, boilerplate=0.25))
    assert [pair.weight for pair in found] == [3.0, 1.0, 0.25]
    assert [span.text for span in found[0].spans] == ["painting", "blurry"]


def test_templates_are_filled_and_keep_their_negative(pairs: Path) -> None:
    rows = read_rows(pairs)
    filled = fill_templates(rows, ["a dog", "a ship"], copies=3, seed=1)
    assert len(filled) == 3 and {row.negative for row in filled} == {"painting, people"}
    assert {row.prompt for row in filled} <= {"a photo of a dog", "a photo of a ship"}
    assert filled == fill_templates(rows, ["a dog", "a ship"], copies=3, seed=1)
    with pytest.raises(TrainingError, match="subject"):
        fill_templates(rows, [], copies=1, seed=1)


def test_subjects_are_read_where_there_are_some(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text('{"prompt": "a, b, c", "subject": "a"}\n{"prompt": "x"}\n')


def test_what_is_wrong_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(line("a", "b") + '{"prompt": "x"}\n')
    with pytest.raises(TrainingError, match=r"line 2: negative_prompt, family"):
        read_rows(path)
    for text, says in (
        ("\n{", "line 3: not JSON"),
        (line("a", "b", "people"), "line 2: family is user, style, probe, not 'people'"),
        (line("a", "b").replace('"a"', "null"), "line 2: prompt is missing"),
        ("[1]", "line 2: no object"),
    ):
        path.write_text(line("a", "b") + text)
        with pytest.raises(TrainingError, match=says):
            read_rows(path)
    path.write_text("\ufeff" + line("a", "b", style=None, group=None, template=None), encoding="utf-8")
    assert [(row.style, row.template) for row in read_rows(path)] == [("other", "")]
    with pytest.raises(TrainingError, match="cannot read"):
        read_rows(tmp_path / "nowhere.jsonl")


def test_a_policy_is_indexed_and_compared(pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "near")
    assert main(["train", "retrieval", "--pairs", str(pairs), "-o", folder, "--least-examples", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["examples"] == 3
    assert main(["policies", "info", folder]) == 0
    assert "me/mine (MIT): 3" in capsys.readouterr().out
    assert main(["policies", "compare", folder, "static", "--pairs", str(pairs), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores[folder]["user"]["phrase_f1"] > scores["static"]["user"]["phrase_f1"]
    assert set(scores["static"]) == {"user", "style", "balanced"}


def test_a_row_has_phrases() -> None:
    assert [span.text for span in Row("p", "a, ,b", "user", "", "", "", "").spans] == ["a", "b"]


def test_phrases_end_at_line_ends_and_hold_none(tmp_path: Path) -> None:
    row = Row("p", "a b,\n c  d\ne\u2028f\x85g", "user", "", "", "", "")
    assert [span.text for span in row.spans] == ["a b", "c d", "e f g"]
    path, folder = tmp_path / "pairs.jsonl", tmp_path / "near"
    path.write_text(line("a photo of a fox", "painting\nblurry\u2028grain, dull"), encoding="utf-8")
    assert main(["train", "retrieval", "--pairs", str(path), "-o", str(folder), "--least-examples", "1"]) == 0
    assert main(["suggest", "a photo of a fox", "--policy", str(folder)]) == 0


def test_a_stock_of_an_older_export_is_read_as_it_was_written(tmp_path: Path) -> None:
    spans = (Span("dull\u2028grain"), Span("noisy"))
    index, terms, stock = fit_index([Pair("a fox", spans)], [Pair("a fox", spans)])
    save_retrieval(tmp_path, PolicyCard(kind="retrieval", name="old", polarity="negative"), index, terms, stock)
    assert load_policy(str(tmp_path)).suggest(["a fox"], 0)[0].negative.text == "dull\u2028grain, noisy"


def test_rows_without_a_group_are_near_duplicates_only_of_the_same_words(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    prompts = ("a fox", "A fox.", "a castle", "a ship")
    path.write_text("".join(line(prompt, "dull") for prompt in prompts[:3]) + line("a ship", "dull", group="g1"))
    fox, same, castle, ship = (row.group for row in read_rows(path))
    assert fox == same and len({fox, castle, ship}) == 3 and ship == "g1"
