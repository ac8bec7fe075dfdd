"""N1: the Negative Prompts DB, written and read as real parquet; and prompts as people write them for a host."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from negopt_core.errors import TrainingError
from negopt_core.lab.data.negative_db import Post, read_posts
from negopt_core.lab.data.pairs import Found, Pair
from negopt_core.lab.data.sources import Gathering, SourceSettings
from negopt_core.lab.data.written import pair_of_sides, whole_phrases
from negopt_core.provenance.host_text import read_written
from negopt_core.text.prompt import DFPrompt, Span, Window

arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed; `pip install pyarrow`")
parquet = pytest.importorskip("pyarrow.parquet")

ROW: dict[str, Any] = {
    "id": "a1",
    "created_at": "2023-01-02T03:04:05Z",
    "prompt": "a castle,\n misty morning",
    "negative_prompt": "Blurry, ((deformed)), <lora:add:0.5>, blurry., easynegative, (bad hands:1.4)",
    "likes": 3,
    "height": 512,
    "width": 768,
    "steps": 25,
    "cursor": 7,
    "sampler": "k_lms",
    "url": "https://example.invalid/a1",
    "model": "stable-diffusion-1.5",
    "cfg_scale": 7.5,
}


def gather(path: Path, settings: SourceSettings) -> Found:
    gathering = Gathering(path, settings)
    return Found(tuple(gathering), gathering.counts)


def write(path: Path, rows: list[dict[str, Any]], drop: tuple[str, ...] = (), **columns: Any) -> Path:
    table = {name: [row[name] for row in rows] for name in rows[0] if name not in drop}
    parquet.write_table(arrow.table({**table, **columns}), path)
    return path


def test_rows_are_typed_and_come_in_order(tmp_path: Path) -> None:
    rows = [ROW, {**ROW, "id": "a2", "likes": None, "prompt": None, "cfg_scale": None}]
    path = write(tmp_path / "db.parquet", rows, surplus=[1, 2])
    first, second = read_posts(path)
    assert first == Post(**ROW)
    assert (second.id, second.likes, second.prompt, second.cfg_scale) == ("a2", 0, "", 0.0)


def test_liked_posts_with_both_prompts_become_pairs_and_every_filter_is_counted(tmp_path: Path) -> None:
    rows = [
        ROW,
        {**ROW, "likes": 0},
        {**ROW, "prompt": "  "},
        {**ROW, "negative_prompt": " , <lora:x:1>"},
        {**ROW, "negative_prompt": None},
        {**ROW, "likes": 1, "negative_prompt": "text"},
    ]
    path = write(tmp_path / "db.parquet", rows)
    found = gather(path, SourceSettings())
    plain = (Span("Blurry"), Span("deformed"), Span("bad hands"))
    assert found.pairs == (Pair("a castle, misty morning", plain), Pair("a castle, misty morning", (Span("text"),)))
    assert found.counts == {"rows": 6, "liked": 5, "with a prompt": 4, "with an answer": 2, "distinct": 2}
    assert len(gather(path, SourceSettings(min_likes=2)).pairs) == 1
    modifiers = gather(path, SourceSettings(polarity="modifiers"))
    assert modifiers.pairs == (Pair("a castle", (Span("misty morning"),)),)


def test_of_words_that_replace_each_other_a_post_gives_the_first(tmp_path: Path) -> None:
    row = {**ROW, "prompt": "a [cat:dog:0.5] in a hat", "negative_prompt": "[bad|good] hat, [red:blue:9] shoe"}
    found = gather(write(tmp_path / "db.parquet", [row]), SourceSettings())
    assert found.pairs == (Pair("a cat in a hat", (Span("bad hat"), Span("red shoe"))),)


def test_more_rows_than_are_held_in_memory_at_a_time(tmp_path: Path) -> None:
    path = write(tmp_path / "db.parquet", [{**ROW, "cursor": number} for number in range(9000)])
    assert [post.cursor for post in read_posts(path)] == list(range(9000))


def test_a_file_that_is_something_else_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"lacks likes, cfg_scale; .* 13 columns"):
        list(read_posts(write(tmp_path / "short.parquet", [ROW], drop=("likes", "cfg_scale"))))
    with pytest.raises(TrainingError, match="the column likes should hold whole numbers"):
        list(read_posts(write(tmp_path / "kinds.parquet", [{**ROW, "likes": "many"}])))
    (tmp_path / "no.parquet").write_text("no parquet")
    cut = write(tmp_path / "cut.parquet", [ROW])
    cut.write_bytes(cut.read_bytes()[:-40])
    for name in ("no.parquet", "cut.parquet", "missing.parquet"):
        with pytest.raises(TrainingError, match=f"cannot read .*{name}"):
            list(read_posts(tmp_path / name))


def test_without_pyarrow_the_remedy_is_said_and_the_rest_works() -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path\n"
        "from negopt_core.lab.data.negative_db import read_posts\n"
        "list(read_posts(Path('x.parquet')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip().splitlines()[-1].endswith("-m pip install pyarrow")


@pytest.mark.parametrize(
    ("text", "notation", "expected"),
    [
        ("((ugly)), [dull], (bad anatomy, text:1.3)", "a1111",
         [("ugly", 1.21), ("dull", 0.909), ("bad anatomy", 1.3), ("text", 1.3)]),
        ("((ugly)), [dull], (text:1.3)", "comfy", [("ugly", 1.21), ("dull", 1.0), ("text", 1.3)]),
        ("a (very bad:1.4) hand, b", "a1111", [("a very bad hand", 1.4), ("b", 1.0)]),
        ("ugly, (text:1.2), 8k:1.2", "a1111", [("ugly", 1.0), ("text", 1.2), ("8k", 1.0)]),
        ("ratio 16:9, x", "a1111", [("ratio 16:9", 1.0), ("x", 1.0)]),
        ("(ugly, text:1.2", "a1111", [("ugly", 1.0), ("text", 1.0)]),
        (r"hand \(drawn\), ugly \[x\]", "a1111", [("hand (drawn)", 1.0), ("ugly [x]", 1.0)]),
        ("ugly BREAK text AND noise, #1", "a1111", [("ugly", 1.0), ("text", 1.0), ("noise", 1.0), ("1", 1.0)]),
        ("embedding:badhand, (embedding:x/y.pt:1.2), EasyNegative, ugly", "comfy", [("ugly", 1.0)]),
        ("Ugly, ugly., UGLY, ..., ,", "a1111", [("Ugly", 1.0)]),
        ("ugly\ntext", "a1111", [("ugly", 1.0), ("text", 1.0)]),
        ("a [cat|dog], [[red|blue] car|a [x|y]], ugly", "a1111", [("a cat", 1.0), ("red car", 1.0), ("ugly", 1.0)]),
        ("{red|blue} car, [bad:good:0.5] hand, [:text:0.5]", "a1111",
         [("red car", 1.0), ("bad hand", 1.0), ("text", 1.0)]),
        ("a|b, [(x:1.2)::5] hand, (c|d:1.2), [cat|dog", "a1111",
         [("a b", 1.0), ("x hand", 1.0), ("c d", 1.0), ("cat dog", 1.0)]),
    ],
)  # fmt: skip
def test_what_people_write_becomes_phrases(text: str, notation: Any, expected: list[tuple[str, float]]) -> None:
    found = whole_phrases(read_written(text, notation).spans)
    assert [(span.text, span.weight) for span in found] == expected


def test_prompt_editing_becomes_windows_and_replaced_words_are_not_glued() -> None:
    found = whole_phrases(read_written("[ugly::10], [text:0.25], [a:b:10] hand", "a1111", steps=20).spans)
    assert found == [Span("ugly", 1.0, Window(0.0, 0.55)), Span("text", 1.0, Window(0.3, 1.0)), Span("a hand")]
    pair = pair_of_sides(read_written("[a:b:10] cat, 8k", "a1111"), DFPrompt(), "negative")
    assert pair.prompt == "a cat, 8k"


def test_modifiers_follow_what_the_user_wrote_or_the_first_comma() -> None:
    positive = read_written("a (red:1.2) ball, by the sea, (8k:1.3)", "a1111")
    assert pair_of_sides(positive, DFPrompt(), "modifiers") == Pair("a red ball", (Span("by the sea"), Span("8k", 1.3)))
    told = read_written("a ball, red, [8k:0-0.5:0.75]", "df")
    assert pair_of_sides(told, DFPrompt(), "modifiers", "a ball, red") == Pair(
        "a ball, red", (Span("8k", 0.75, Window(0.5, 1.0)),)
    )
    assert pair_of_sides(told, told, "negative", "a ball, red", 2.0).prompt == "a ball, red"
    assert pair_of_sides(DFPrompt.plain(", 8k"), DFPrompt(), "modifiers").prompt == ""
