"""Windows and weights on a pretrained model that has none; what its card says of them, and of where it comes from."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from negopt_core.cli import main
from negopt_core.commands.suggest import describe
from negopt_core.lab.train.card import ppo_card
from negopt_core.lab.train.settings import PPORun
from negopt_core.lab.train.setup import PAE_WEIGHT_PRIOR, PAE_WINDOW_PRIOR
from negopt_core.policy import load_policy, suggest
from negopt_core.policy.card import PolicyCard
from negopt_core.policy.language.folder import open_policy
from negopt_core.policy.language.pae_weights import PAE_WEIGHTS, PAE_WINDOWS
from negopt_core.policy.phrase_kinds import PRIOR_CAVEAT, usual_time
from negopt_core.text.prompt import FULL, Window
from tests.fakes.clip import save_clip
from tests.paint.tiny import sd1
from tests.published.language_models import BUILDERS

ANSWERS = {"negative": "watermark, text, low quality", "modifiers": "sharp focus, low light"}


def taught(home: Path, name: str, *more: str, answer: str = "", polarity: str = "") -> Path:
    """Four pairs, two steps from a published folder; the policy folder."""
    side = polarity or ("negative" if BUILDERS[name][1] == "seq2seq" else "modifiers")
    if not (home / name).exists():
        BUILDERS[name][0](home / name)
    pairs = home / "pairs.jsonl"
    pairs.write_text(f"{json.dumps({'prompt': 'a cat', side: answer or ANSWERS[side]})}\n" * 4)
    line = ["train", "sft", "--policy", str(home / name), "--pairs", str(pairs), "--steps", "2", "--batch", "2", *more]
    assert main([*line, "--run", str(home / "run"), "-o", str(home / "taught")]) == 0
    return home / "taught"


@pytest.mark.parametrize("name", ["t5-small", "gpt2", "SmolLM2-135M"])
def test_a_pretrained_model_gets_windows_and_weights(name: str, tmp_path: Path) -> None:
    policy = open_policy(taught(tmp_path, name, "--scheduled"))
    card = policy.card
    assert len(card.windows) > 1 and len(card.weights) > 1 and FULL in card.windows
    assert card.caveats == (PRIOR_CAVEAT,) and card.provenance["times"] == "priors"
    assert card.provenance["stages"][0]["settings"]["scheduled"] is True
    found = {channel: policy.heads[channel].bias.softmax(-1).detach() for channel in ("windows", "weights")}
    if card.polarity == "modifiers":
        assert (card.windows, card.weights) == (PAE_WINDOWS, PAE_WEIGHTS)
        torch.testing.assert_close(found["windows"], torch.tensor(PAE_WINDOW_PRIOR), atol=0.01, rtol=0)
        torch.testing.assert_close(found["weights"], torch.tensor(PAE_WEIGHT_PRIOR), atol=0.01, rtol=0)
    else:  # what the published findings say of the phrases in the pairs
        likeliest = {card.windows[int(found["windows"].argmax())], card.weights[int(found["weights"].argmax())]}
        usual = [usual_time(phrase, "negative") for phrase in ANSWERS["negative"].split(", ")]
        assert likeliest <= {part for time in usual for part in time}
        assert float(found["windows"].sum()) == pytest.approx(1.0)
    loaded = load_policy(str(tmp_path / "taught"))
    (said,) = suggest(loaded, ["a ship"])
    assert "are priors" in describe(said, loaded) and "are priors" not in " ".join(said.warnings)


def test_a_published_model_is_taught_at_paes_rate_unless_told(tmp_path: Path) -> None:
    for name, more, rate in (("usual", (), 5e-5), ("told", ("--rate", "0.002"), 0.002)):
        card = open_policy(taught(tmp_path / name, "gpt2", *more)).card
        assert card.provenance["stages"][0]["settings"]["rate"] == rate
        kept = json.loads((tmp_path / name / "run" / "config.json").read_text())["settings"]
        assert kept["rate"] == str(rate) and "device" not in kept and "minibatch" not in kept and "lora" not in kept
    pairs, again = str(tmp_path / "usual" / "pairs.jsonl"), tmp_path / "again"
    line = ["train", "sft", "--policy", str(tmp_path / "usual" / "taught"), "--pairs", pairs, "--steps", "1"]
    assert main([*line, "--run", str(again)]) == 0  # a policy of ours goes on at the rate that it always had
    assert json.loads((again / "config.json").read_text())["settings"]["rate"] == "0.001"


def test_windows_that_pairs_taught_are_no_priors(tmp_path: Path) -> None:
    folder = taught(
        tmp_path,
        "t5-small",
        "--scheduled",
        "--learn-schedule",
        "--rate",
        "0.5",
        answer="[text:0.5-1:0.5], [low:0.5-1:0.5]",
    )
    policy = load_policy(str(folder))
    assert policy.card.caveats == () and policy.card.provenance["times"] == "learned from pairs"
    (said,) = suggest(policy, ["a ship"])
    assert "priors" not in describe(said, policy)


def test_a_policy_that_has_windows_gets_no_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = taught(tmp_path, "gpt2", "--scheduled")
    line = ["train", "sft", "--policy", str(folder), "--pairs", str(tmp_path / "pairs.jsonl"), "--scheduled"]
    assert main([*line, "--run", str(tmp_path / "again")]) == 1
    assert "chooses windows and weights already; leave it out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "base", "family"),
    [
        ("/models/v1-5-pruned-emaonly.safetensors", "v1-5-pruned-emaonly.safetensors", ("sd15",)),
        ("hf:stabilityai/stable-diffusion-xl-base-1.0@main", "stabilityai/stable-diffusion-xl-base-1.0", ("sdxl",)),
        ("comfy:ponyDiffusionV6XL.safetensors@http://10.0.0.2:8188", "ponyDiffusionV6XL.safetensors", ("pony",)),
        ("/models/mine.safetensors", "mine.safetensors", ()),
    ],
)
def test_training_on_pictures_says_of_which_model(model: str, base: str, family: tuple[str, ...]) -> None:
    start = PolicyCard(
        kind="df", name="a", windows=(FULL, Window(0.5, 1.0)), caveats=("else", PRIOR_CAVEAT), families=("world",)
    )
    run = PPORun(folder=Path("run"), policy=Path("a"), prompts="p", model=model)
    card = ppo_card(start, run, "StableDiffusionXLPipeline" if "xl-base" in model else "StableDiffusionPipeline")
    assert (card.base_model, card.families) == (base, family)
    assert card.caveats == ("else",) and card.provenance["times"] == "learned from pictures"
    assert ppo_card(start, replace(run, model="world")).base_model == ""
    assert "times" not in ppo_card(replace(start, windows=(FULL,)), run).provenance
    assert "10.0.0.2" not in json.dumps(card.to_json())


@pytest.mark.parametrize("key", ["negative_prompt", "negative"])
def test_a_plain_decoder_takes_the_side_that_its_pairs_have(key: str, tmp_path: Path) -> None:
    policy = open_policy(taught(tmp_path, "SmolLM2-135M", polarity=key, answer="blurry, low quality"))
    assert policy.card.polarity == "negative"


def test_rows_of_another_form_are_named_with_what_is_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    BUILDERS["gpt2"][0](tmp_path / "gpt2")
    line = ["train", "sft", "--policy", str(tmp_path / "gpt2"), "--run", str(tmp_path / "run"), "--pairs"]
    for row, told in (
        ({"text": "a cat", "label": 1}, ("its first row has text, label", '"modifiers": [', "`data pairs`")),
        ({"prompt": "a cat"}, ("its first row has prompt", "`data pairs`")),
    ):
        (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
        assert main([*line, str(tmp_path / "rows.jsonl")]) == 1
        error = capsys.readouterr().err
        assert all(part in error for part in told) and error.count("\n") == 1
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a cat", "negative": "dull"}\n')
    assert main([*line, str(tmp_path / "rows.jsonl"), "--polarity", "modifiers"]) == 1
    assert "--polarity negative" in capsys.readouterr().err


def test_pae_starts_from_gpt2_and_its_card_tells_the_road(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Blockers 4 and 8 in one road: GPT-2, heads, pictures of another model than the demo world, the exported card."""
    sd1(tmp_path / "words").save_pretrained(str(tmp_path / "v1-5-pruned"))
    save_clip(tmp_path / "clip")
    folder = taught(tmp_path, "gpt2", "--scheduled", "--minibatch", "1", "--device", "cpu")
    (tmp_path / "prompts.txt").write_text("a cat\na dog\n")
    line = ["train", "ppo", "--policy", str(folder), "--prompts", str(tmp_path / "prompts.txt"), "--steps", "1"]
    line += ["--model", str(tmp_path / "v1-5-pruned"), "--paint-steps", "1", "--reward", "clip:1", "--batch", "1"]
    line += ["--source", f"clip={tmp_path / 'clip'}", "--epochs", "1", "--minibatch", "1", "--precision", "bfloat16"]
    assert main([*line, "--checkpointing", "--run", str(tmp_path / "ppo"), "-o", str(tmp_path / "pae")]) == 0
    policy = load_policy(str(tmp_path / "pae"))
    card, stage = policy.card, policy.card.provenance["stages"][-1]
    assert card.base_model == "v1-5-pruned" and card.families == ("sd15",)
    assert stage["settings"]["reward"] == "clip:1" and stage["pictures"] == 4 and len(stage["painter"]) == 16
    assert stage["precision"] == "bfloat16" and card.provenance["stages"][0]["settings"]["policy"] == "gpt2"
    assert len(card.provenance["stages"][0]["start_sha256"]) == 64
    assert card.provenance["times"] == "learned from pictures" and card.caveats == ()
    capsys.readouterr()
    assert main(["suggest", "a ship", "--policy", str(tmp_path / "pae")]) == 0
    assert "priors" not in capsys.readouterr().out
