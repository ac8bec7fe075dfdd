"""The field's sets on a model of the real architecture with CLIP, PickScore and LAION's head as published."""

import json
import re
from pathlib import Path

import pytest

from negopt_core.cli import main
from negopt_core.scorers.aesthetic import convert_head
from tests.paint.tiny import sd1
from tests.published import scorers as published


def test_partiprompts_on_a_real_architecture_beside_negatives_of_a_language_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sd1(tmp_path / "words").save_pretrained(str(tmp_path / "model"))
    published.clip_l14(tmp_path / "clip")
    published.pickscore(tmp_path / "pickscore")
    convert_head(published.aesthetic_head(tmp_path / "head.pth"), tmp_path / "head.safetensors")
    rows = ["a red cat\tAnimals\tBasic\t", "a dog\tAnimals\tBasic\t", "a cat by the sea\tOutdoor Scenes\tBasic\t"]
    (tmp_path / "PartiPrompts.tsv").write_text("\n".join(["Prompt\tCategory\tChallenge\tNote", *rows]))
    written = [{"prompt": row.split("\t")[0], "negative_prompt": ["blurry", "dark"]} for row in rows]
    (tmp_path / "llm.json").write_text(json.dumps(written))
    line = ["eval", "--recipe", "parti", "--model", str(tmp_path / "model"), "--steps", "2", "--device", "cpu"]
    line += ["--prompts", str(tmp_path / "PartiPrompts.tsv"), "-o", str(tmp_path / "out"), "--json"]
    line += ["--arm", "none", "--arm", f"llm=file:{tmp_path / 'llm.json'}"]
    for name, place in (("clip", "clip"), ("pickscore", "pickscore"), ("aesthetic", "head.safetensors")):
        line += ["--source", f"{name}={tmp_path / place}"]
    assert main(line) == 0
    capsys.readouterr()
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert {row["metric"] for row in report["results"]} == {"clip", "aesthetic", "pickscore"}
    assert set(report["absent"]) == {"hps"} and "world-" not in json.dumps(report | {"painter": 0})
    groups = {(row["group"], row["arm"], row["metric"]): row for row in report["groups"]}
    assert groups["Animals", "llm", "clip"]["prompts"] == 2 and groups["Outdoor Scenes", "none", "clip"]["prompts"] == 1
    page = (tmp_path / "out" / "report.html").read_text()
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert json.loads(data)["groups"] == report["groups"] and "...groupTable()" in page
    assert report["arms"][1]["texts"][0]["negative"] == "blurry, dark"
    assert main([part for part in line if part not in ("--model", str(tmp_path / "model"))]) == 2
    assert "name yours with --model" in capsys.readouterr().err
