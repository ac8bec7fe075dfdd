"""Language models as they are published open, train and answer; what does not belong together is refused in a line."""

import json
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

from negopt_core.cli import main
from negopt_core.errors import PolicyError
from negopt_core.lab.data.pairs import Pair
from negopt_core.lab.train.sft import encode_pairs
from negopt_core.policy import load_policy, suggest
from negopt_core.policy.language.actions import Sampling
from negopt_core.policy.language.folder import open_policy
from negopt_core.policy.language.grammar import Allowed
from negopt_core.text.prompt import Span
from tests.published.language_models import BUILDERS, VOCABULARY

PROMPTS = ["a photo of a cat", "a ship by the sea, low light"]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("published")
    for name, (build, _) in BUILDERS.items():
        build(home / name)
    return home


@pytest.mark.parametrize("name", BUILDERS)
def test_it_opens_with_the_numbers_that_transformers_reads(name: str, published: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kind = AutoModelForSeq2SeqLM if BUILDERS[name][1] == "seq2seq" else AutoModelForCausalLM
        theirs = kind.from_pretrained(str(published / name), local_files_only=True).float()
    policy = open_policy(published / name)
    assert policy.card.kind == BUILDERS[name][1]
    ours = policy.model.state_dict()
    assert all(torch.equal(value, ours[key]) for key, value in theirs.state_dict().items())
    assert ours.keys() == theirs.state_dict().keys()


@pytest.mark.parametrize("name", BUILDERS)
def test_it_answers_and_scores_what_it_said_alike(name: str, published: Path) -> None:
    policy = open_policy(published / name)
    answers = policy.respond(PROMPTS, [1, 2], Sampling())
    assert answers.allowed.shape[-1] == VOCABULARY
    analysis = policy.analyze(PROMPTS, answers, Sampling())
    assert torch.isfinite(analysis.logprobs["words"]).all()
    again = policy.respond(PROMPTS, [1, 2], Sampling())
    assert torch.equal(answers.words, again.words)
    (said, _) = suggest(load_policy(str(published / name)), PROMPTS)
    assert said.positive.startswith(PROMPTS[0])


@pytest.mark.parametrize("name", ["t5-small", "gpt2", "SmolLM2-135M"])
def test_it_is_where_training_starts(name: str, published: Path, tmp_path: Path) -> None:
    side = "negative" if BUILDERS[name][1] == "seq2seq" else "modifiers"
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text("".join(json.dumps({"prompt": prompt, side: "low, a cat"}) + "\n" for prompt in PROMPTS * 4))
    line = ["train", "sft", "--policy", str(published / name), "--pairs", str(pairs), "--steps", "2", "--batch", "4"]
    assert main([*line, "--run", str(tmp_path / "run"), "-o", str(tmp_path / "taught")]) == 0
    taught = open_policy(tmp_path / "taught")
    assert taught.card.polarity == side
    before = open_policy(published / name).model.state_dict()
    assert any(not torch.equal(value, before[key]) for key, value in taught.model.state_dict().items())


@pytest.mark.parametrize("name", ["t5-small", "gpt2"])
def test_what_may_come_next_is_marked_once_for_a_whole_batch(
    name: str, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With T5's 32,100 words and 75 places a batch of 32 would fill 77 million places one row at a time."""
    marked: list[Allowed] = []
    mark = Allowed.mark
    monkeypatch.setattr(Allowed, "mark", lambda self, row: (marked.append(self), mark(self, row)))
    policy = open_policy(published / name)
    pairs = [Pair(prompt, (Span("low, a cat"), Span(f"sharp {word}"))) for prompt in PROMPTS for word in ("x", "yes")]
    responses, _ = encode_pairs(policy, pairs)
    assert len(marked) <= 5 < int(responses.is_action.sum())
    for row, walk in enumerate(policy.walks([pair.prompt for pair in pairs])):
        for place in range(int(responses.is_action[row].sum())):
            expected = torch.zeros(VOCABULARY, dtype=torch.bool)
            mark(walk.allowed(), expected)
            assert torch.equal(responses.allowed[row, place], expected)
            walk.advance(int(responses.words[row, place]))
        behind = responses.allowed[row, ~responses.is_action[row]]
        assert behind[:, policy.spelling.pad].all() and int(behind.sum()) == len(behind)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("a stranger", "surplus"),
        ("a hole", "missing"),
        ("another width", "do not fit the configuration"),
        ("half a file", "no whole safetensors file"),
        ("another architecture", "bert"),
        ("no shard", "is not there"),
    ],
)
def test_what_does_not_belong_together_is_refused(damage: str, told: str, tmp_path: Path) -> None:
    BUILDERS["SmolLM2-135M" if damage == "no shard" else "gpt2"][0](tmp_path)
    file = tmp_path / "model.safetensors"
    if damage == "no shard":
        (tmp_path / "model-00002-of-00002.safetensors").unlink()
    elif damage == "half a file":
        file.write_bytes(file.read_bytes()[:5000])
    elif damage in ("another width", "another architecture"):
        config = json.loads((tmp_path / "config.json").read_text())
        change = {"n_embd": 48} if damage == "another width" else {"model_type": "bert"}
        (tmp_path / "config.json").write_text(json.dumps(config | change))
    else:
        weights = load_file(file)
        if damage == "a stranger":
            weights["h.0.attn.rotation"] = torch.zeros(2)
        else:
            del weights["h.0.mlp.c_fc.weight"]
        save_file(weights, file)
    with pytest.raises(PolicyError, match=told) as refused:
        open_policy(tmp_path)
    assert "\n" not in str(refused.value)
