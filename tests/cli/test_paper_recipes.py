"""The papers' settings end to end at tiny size: real classes of diffusers and transformers, random weights."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from negopt_core.cli import main
from negopt_core.lab.make_world.tokenizer import world_words, write_tokenizer
from negopt_core.lab.train.settings import Size
from negopt_core.lab.train.setup import new_policy
from negopt_core.policy.card import PolicyCard
from negopt_core.policy.language.folder import save_policy
from negopt_core.policy.language.pae_weights import PAE_WEIGHTS, PAE_WINDOWS
from negopt_core.scorers.aesthetic import convert_head
from negopt_core.text.prompt import FULL
from tests.fakes.clip import published_layers, save_clip
from tests.paint.tiny import sd1

ROWS = [("a red cat", "blurry, dog"), ("a dog by the sea", "watermark"), ("a cat and a dog", "")]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that a person with a GPU would have: a model, scorers, prompts, two policies."""
    place = tmp_path_factory.mktemp("recipes")
    sd1(place / "words").save_pretrained(str(place / "model"))
    save_clip(place / "clip")
    torch.save(published_layers(), place / "head.pth")
    convert_head(place / "head.pth", place / "head.safetensors")
    lines = [json.dumps({"prompt": prompt, "negative": negative}) for prompt, negative in ROWS]
    (place / "prompts.jsonl").write_text("\n".join(lines) + "\n")
    words = write_tokenizer(place / "tokenizer", world_words())
    t5 = PolicyCard(kind="seq2seq", name="negopt", polarity="negative", windows=(FULL,))
    gpt2 = PolicyCard(kind="df", name="pae", polarity="modifiers", windows=PAE_WINDOWS, weights=PAE_WEIGHTS)
    for card in (t5, gpt2):
        save_policy(new_policy(card, words, ["blurry", "noisy", "vivid"], Size(32, 1, 4), seed=1), place / card.name)
    return place


def run(home: Path, recipe: str, capsys: pytest.CaptureFixture[str], *arms: str) -> dict[str, Any]:
    line = ["eval", "--recipe", recipe, "--model", str(home / "model"), "--prompts", str(home / "prompts.jsonl")]
    line += [part for arm in arms for part in ("--arm", arm)]
    sources = {"clip": home / "clip", "pickscore": home / "clip", "aesthetic": home / "head.safetensors"}
    line += [part for name, path in sources.items() for part in ("--source", f"{name}={path}")]
    assert main([*line, "--splits", "3", "--device", "cpu", "-o", str(home / recipe), "--json"]) == 0
    capsys.readouterr()
    report: dict[str, Any] = json.loads((home / recipe / "report.json").read_text())
    assert "world-" not in json.dumps([report["results"], report["sets"], report["absent"]])  # another model's judges
    return report


def test_negopts_setting_runs_with_a_t5_policy_beside_peoples_negatives(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run(home, "negopt-paper", capsys, "none", "people=own", f"negopt=policy-negative:{home / 'negopt'}")
    painted = report["paint"] if "paint" in report else report["settings"]
    assert (painted["steps"], painted["cfg"]) == (25, 7.5)
    assert [arm["name"] for arm in report["arms"]] == ["none", "people", "negopt"]
    assert {"aesthetic", "clip", "pickscore"} <= {row["metric"] for row in report["results"]}
    assert len(report["pictures"]) == 9
    files = {one["file"] for one in report["pictures"]}
    assert all((home / "negopt-paper" / "cache" / file).is_file() for file in files)


def test_paes_setting_runs_with_a_gpt2_policy_and_one_noise(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = run(home, "pae-paper", capsys, "plain=none", f"pae=policy-modifiers:{home / 'pae'}")
    painted = report["paint"] if "paint" in report else report["settings"]
    assert (painted["steps"], painted["cfg"], painted["sampler"]) == (10, 7.5, "unipc")
    assert {one["seed"] for one in report["pictures"]} == {42}
    assert {"aesthetic", "clip", "pickscore"} <= {row["metric"] for row in report["results"]}
    assert {"fid", "cmmd"} <= set(report["absent"])  # each with its reason: no Inception, no reference pictures


def test_more_splits_than_pictures_are_refused_before_anything_is_painted(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["eval", "--recipe", "negopt-paper", "--prompts", str(home / "prompts.jsonl"), "-o", str(home / "splits")]
    assert main(line) == 2
    assert "over 3 pictures an arm cannot have 10 splits" in capsys.readouterr().err
    assert not (home / "splits" / "cache").exists()
