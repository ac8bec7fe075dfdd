"""`train sft` and `train ppo` from the command line, end to end on the demo world, in a few steps."""

import json
from pathlib import Path

import pytest

from negopt_core.cli import main
from negopt_core.lab.make_world.measure import is_held_out
from negopt_core.lab.train.card import shown
from negopt_core.lab.train.setup import start_folder
from negopt_core.policy.folder_check import folder_hash
from negopt_core.policy.store import read_card

pytestmark = pytest.mark.slow

SMALL = ("--width", "32", "--layers", "1", "--batch", "4", "--threads", "1", "--json")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert main(["train", *arguments]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_from_pairs_to_rewards_to_suggestions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The CI smoke run: SFT, PPO with real pictures and judges, export, suggest."""
    taught = str(tmp_path / "taught")
    told = run(
        capsys, "sft", "--pairs", "world", "--stock", "world", "--scheduled", "--steps", "4", "--augment",
        "--run", str(tmp_path / "sft"), "-o", taught, *SMALL,
    )  # fmt: skip
    assert told["folder"] == taught and isinstance(told["train/words"], float)
    assert json.loads((tmp_path / "sft" / "config.json").read_text())["settings"]["augment"] == "0.5"
    ppo = (
        "ppo", "--policy", taught, "--prompts", "world", "--run", str(tmp_path / "ppo"),
        "-o", str(tmp_path / "trained"), "--paint-steps", "2", "--batch", "2", "--epochs", "1",
        "--reward", "world-quality:1:plain,world-alignment:3",
        "--threads", "1", "--json",
    )  # fmt: skip
    told = run(capsys, *ppo, "--steps", "2")
    rows = [json.loads(line) for line in (tmp_path / "ppo" / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2] and {"reward/world-quality", "kl", "entropy/words"} <= rows[0].keys()
    assert [path.name for path in (tmp_path / "ppo" / "samples").iterdir()] == ["step-000002.jpg"]
    assert "a photo" in (tmp_path / "sft" / "samples" / "step-000004.txt").read_text()
    run(capsys, *ppo, "--steps", "2", "--tensorboard", "--save-every", "1")  # the same run: these decide nothing
    assert main(["suggest", "a photo of a red ball", "--policy", str(tmp_path / "trained"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["policy"] == "trained"
    card = json.loads((tmp_path / "trained" / "policy.json").read_text())
    assert len(card["provenance"]["history"]) == 2 and "reward" in card["metrics"]
    sft, learned = card["provenance"]["stages"]
    assert sft["pairs"] == 4000 and sft["settings"]["seed"] == 0 and len(sft["pairs_sha256"]) == 64
    assert learned["start_sha256"] == folder_hash(Path(taught)) and len(learned["painter"]) == 16
    assert learned["pictures"] == 2 * 2 * 4 and str(tmp_path) not in json.dumps(card)  # no folders of this machine
    assert main(["train", *ppo, "--steps", "3"]) == 1  # another length is another run
    assert "other settings (steps)" in capsys.readouterr().err


def test_the_precision_of_the_painter_is_chosen_and_remembered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def rewarded(dtype: str) -> float:
        home = tmp_path / dtype
        run(
            capsys, "ppo", "--policy", "world-negative", "--prompts", "world", "--paint-steps", "2", "--batch", "2",
            "--epochs", "1", "--steps", "1", "--paint-dtype", dtype, "--run", str(home), "--threads", "1", "--json",
        )  # fmt: skip
        assert json.loads((home / "config.json").read_text())["settings"]["paint_dtype"] == dtype
        return float(json.loads((home / "metrics.jsonl").read_text().splitlines()[0])["reward"])

    precise, rounded = rewarded("float32"), rewarded("bfloat16")
    assert precise != rounded and abs(precise - rounded) < 0.3  # the same pictures, but for rounding


def test_a_device_that_is_not_here_is_said_before_anything_is_painted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = (
        "ppo",
        "--policy",
        "world-negative",
        "--prompts",
        "world",
        "--run",
        str(tmp_path / "run"),
        "--steps",
        "1",
    )
    for device in ("cuda:77", "abacus"):
        assert main(["train", *command, "--policy-device", device]) == 1
        error = capsys.readouterr().err
        assert f"nothing can be put on '{device}'" in error and "Traceback" not in error
    assert main(["train", *command, "--paint-dtype", "half"]) == 1
    assert "no precision is called 'half'; use one of float32" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_figures_of_training_pairs_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("sft", "--pairs", "world:20", "--steps", "1", *SMALL)
    assert "train/words" in run(capsys, *command, "--run", str(tmp_path / "a"))
    assert "eval/words" in run(capsys, *command, "--held-out", "world:20", "--run", str(tmp_path / "b"))
    people = (tmp_path / "b" / "samples" / "step-000001.txt").read_text().split("\n\n")[1:]
    assert people and all(is_held_out(block.splitlines()[0]) for block in people)
    (tmp_path / "none.jsonl").write_text('{"prompt": "a cat"}\n')
    assert main(["train", *command, "--held-out", str(tmp_path / "none.jsonl"), "--run", str(tmp_path / "c")]) == 1
    assert "no pairs of negative to measure on" in capsys.readouterr().err


def test_phrases_that_cannot_be_learned_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    pairs, folder = tmp_path / "pairs.jsonl", tmp_path / "run"
    pairs.write_text('{"prompt": "a cat", "negative": "blurry, too dark, chromatic aberration"}\n')
    (tmp_path / "stock.txt").write_text("blurry\ntoo dark\n")
    command = (
        "sft",
        "--pairs",
        str(pairs),
        "--stock",
        str(tmp_path / "stock.txt"),
        "--steps",
        "1",
        "--run",
        str(folder),
    )
    with caplog.at_level("WARNING", "negopt"):
        run(capsys, *command, *SMALL)
    assert "33% of the phrases do not fit the policy" in caplog.text
    card = json.loads((folder / "export" / "policy.json").read_text())
    assert card["provenance"]["stages"][0]["phrases_left_out"] == 0.3333


def test_a_run_whose_pairs_were_edited_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs, folder = tmp_path / "pairs.jsonl", tmp_path / "run"
    pairs.write_text('{"prompt": "a cat", "negative": "blurry"}\n')
    command = ("sft", "--pairs", str(pairs), "--steps", "1", "--run", str(folder), *SMALL)
    run(capsys, *command)
    pairs.write_text('{"prompt": "a cat", "negative": "noisy"}\n')
    assert main(["train", *command]) == 1
    assert "another content of: pairs" in capsys.readouterr().err
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({key: config[key] for key in config if key != "inputs"}))
    run(capsys, *command)  # a run of an older version


def test_a_policy_to_start_from_says_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, folder = tmp_path / "first", str(tmp_path / "second")
    command = ("sft", "--pairs", "world:20", "--steps", "1", "--batch", "4", "--threads", "1", "--json")
    small = ("--width", "32", "--layers", "1", "--polarity", "modifiers")
    run(capsys, *command, *small, "--run", str(tmp_path / "run"), "-o", str(first))
    more = ("train", *command, "--policy", str(first), "--run", folder)
    for given, says in (
        (("--polarity", "negative"), "--polarity is negative, and the policy in"),
        (("--kind", "seq2seq"), "has df; leave it out"),
        (("--width", "96", "--scheduled", "--stock", "world"), "--stock, --width: only for a new policy"),
    ):
        assert main([*more, *given]) == 1
        assert says in capsys.readouterr().err
    assert main([*more, "--kind", "df"]) == 0
    stage = json.loads((tmp_path / "second" / "export" / "policy.json").read_text())["provenance"]["stages"][-1]
    assert stage["settings"]["polarity"] == "modifiers" and stage["pairs"] == 20
    assert not {"width", "layers", "tokenizer", "scheduled", "kind"} & stage["settings"].keys()
    kept = json.loads((tmp_path / "second" / "config.json").read_text())["settings"]
    assert (kept["width"], kept["tokenizer"], kept["stock"]) == ("96", "world", "None")  # as runs always kept them


def test_one_process_does_what_a_launcher_started_too_often(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["train", "sft", "--pairs", "world", "--run", str(tmp_path / "r")]) == 1
    assert "train sft is work for one process, this is one of 2" in capsys.readouterr().err
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    assert main(["train", "ppo", "--policy", str(tmp_path), "--prompts", "world", "--run", str(tmp_path / "r")]) == 1
    assert "cannot join the others" in capsys.readouterr().err and not (tmp_path / "r").exists()


def test_what_cannot_be_trained_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    assert main(["train", "sft", "--pairs", str(tmp_path / "empty.jsonl"), "--run", str(tmp_path / "r")]) == 1
    assert "holds no pairs of polarity negative" in capsys.readouterr().err
    sft = ("train", "sft", "--pairs", "world:9", "--steps", "1", *SMALL)
    for wrong, says in (
        (("--stock", "nowhere.txt"), "a stock is a text file"),
        (("--save-every", "0"), "at least 1, got 0"),
    ):
        assert main([*sft, *wrong, "--run", str(tmp_path / "s")]) == 1
        assert says in capsys.readouterr().err
    assert main(["train", "ppo", "--policy", str(tmp_path), "--prompts", "world", "--run", str(tmp_path / "r")]) == 2
    assert "cannot read the language model" in capsys.readouterr().err
    for name, says in (("nearest", "cannot train on from nearest: of kind retrieval"), ("rules", "no such name; give")):
        assert main(["train", "ppo", "--policy", name, "--prompts", "world", "--run", str(tmp_path / "r")]) == 1
        assert says in capsys.readouterr().err


def test_a_policy_that_comes_with_negopt_is_named() -> None:
    assert read_card(start_folder(Path("world-negative"))).name == "world-negative"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("pairs", "/home/anna/lr=1e-3/pairs.jsonl", "pairs.jsonl"),
        ("prompts", "clients/acme/prompts.txt", "prompts.txt"),
        ("prompts", "world", "world"),
        ("policy", Path("../acme/first"), "first"),
        ("model", "hf:owner/name@main", "hf:owner/name@main"),
        ("model", "comfy:sd15.safetensors@http://10.0.0.7:8188", "comfy:sd15.safetensors"),
        ("model", "comfy:http://me:secret@10.0.0.7:8188", "comfy"),
        ("source", ["clip=/models/clip", "hps=C:\\models\\hps"], ["clip=clip", "hps=hps"]),
        ("reward", "world-quality:1,clip:5", "world-quality:1,clip:5"),
        ("rate", 3e-4, 3e-4),
    ],
)
def test_a_card_tells_no_folders_or_servers(name: str, value: object, told: object) -> None:
    assert shown(name, value) == told
