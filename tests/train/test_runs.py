"""Supervised training learns, runs stop and go on to the same weights, run folders keep what they say."""

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from toys import actors, language_policy, phrases

from negopt_core.errors import Cancelled, TrainingError
from negopt_core.lab.data.pairs import Pair, read_pairs, write_pair
from negopt_core.lab.jobs.run import CHECKPOINT, METRICS, Loop, RunFolder, gentle_stop, run_steps
from negopt_core.lab.train.ppo import PPO
from negopt_core.lab.train.settings import PPOSettings, SFTSettings
from negopt_core.lab.train.sft import SFT, encode_pairs
from negopt_core.policy.language import Sampling
from negopt_core.policy.language.render import read_spans
from negopt_core.text.prompt import Span, Window

pytestmark = pytest.mark.slow

LATE, ALL = Window(0.5, 1.0), Window(0.0, 1.0)
PAIRS = [
    Pair("a photo of a ball", (Span("blurry", 0.5, LATE), Span("noisy", 1.0, ALL))),
    Pair("a sketch of a star", (Span("too dark", 1.5, ALL),)),
    Pair("a cartoon of a cube at night", (Span("out of focus", 1.0, LATE), Span("text", 1.0, LATE))),
    Pair("a painting", ()),
]


@pytest.mark.parametrize("kind", ["seq2seq", "df"])
def test_a_handful_of_pairs_is_learned_by_heart(kind: str) -> None:
    """N3, P11: words, windows and weights, from the answer only."""
    policy = language_policy(kind)
    sft = SFT(policy, PAIRS, SFTSettings(150, 8, learning_rate=1e-2, warmup_steps=5, learns_schedule=True))
    losses = [sft.step()["loss"] for _ in range(150)]
    assert losses[-1] < 0.1 * losses[0]
    prompts = [pair.prompt for pair in PAIRS]
    written = policy.eval().respond(prompts, [0] * 4, Sampling(is_greedy=True))
    assert read_spans(written, policy.tokenizer, policy.card) == [list(pair.spans) for pair in PAIRS]
    assert sft.evaluate(PAIRS)["eval/words"] < 0.2


def test_figures_do_not_depend_on_how_pairs_fall_into_batches() -> None:
    sft = SFT(language_policy("df"), PAIRS, SFTSettings())
    whole = sft.evaluate(PAIRS, batch_size=4)
    assert sft.evaluate(PAIRS, batch_size=3) == pytest.approx(whole, rel=1e-4)
    assert sft.evaluate(PAIRS, "train").keys() == {f"train/{name.removeprefix('eval/')}" for name in whole}


def test_windows_and_weights_can_be_left_alone() -> None:
    policy = language_policy("df")
    before = {name: value.clone() for name, value in policy.heads.state_dict().items()}
    sft = SFT(policy, PAIRS, SFTSettings(steps=3, batch_size=4, weight_decay=0.0))
    assert "loss/windows" not in sft.step()
    assert all(torch.equal(before[name], value) for name, value in policy.heads.state_dict().items())


def test_an_example_of_weight_zero_teaches_nothing() -> None:
    policy = language_policy("df")
    sft = SFT(policy, PAIRS, SFTSettings())
    alone = sft.losses([PAIRS[0]])
    mixed = sft.losses([PAIRS[0], replace(PAIRS[2], weight=0.0)])
    torch.testing.assert_close(alone["words"], mixed["words"])


def test_phrases_that_the_policy_cannot_write_are_counted() -> None:
    policy = language_policy("seq2seq")
    _, skipped = encode_pairs(policy, [Pair("a red ball", (Span("red"), Span("a castle"), Span("text")))])
    assert skipped == [2]


def sft_run(folder: Path, steps: int, stop_at: int = 0, augment: float = 0.0) -> SFT:
    settings = SFTSettings(steps=6, batch_size=4, learns_schedule=True, augment=augment)
    sft = SFT(language_policy("df"), PAIRS, settings)
    count = 0

    def step() -> Mapping[str, float]:
        nonlocal count
        count += 1
        if count == stop_at:
            os.kill(os.getpid(), signal.SIGINT)
        return sft.step()

    run_steps(RunFolder.open(folder, {"steps": 6}), sft, step, Loop(steps, save_every=2), "test")
    return sft


@pytest.mark.parametrize("augment", [0.0, 0.5])
def test_a_run_that_was_stopped_goes_on_to_the_same_weights(augment: float, tmp_path: Path) -> None:
    whole = sft_run(tmp_path / "whole", 6, augment=augment)
    with pytest.raises(Cancelled, match="step 3 of 6"):
        sft_run(tmp_path / "parts", 6, stop_at=3, augment=augment)
    parts = sft_run(tmp_path / "parts", 6, augment=augment)
    assert all(torch.equal(a, b) for a, b in zip(whole.policy.parameters(), parts.policy.parameters(), strict=True))
    lines = [(tmp_path / name / METRICS).read_text() for name in ("whole", "parts")]
    assert lines[0] == lines[1] and len(lines[0].splitlines()) == 6


def test_noise_on_prompts_is_new_in_each_epoch_and_the_same_after_a_restart() -> None:
    """P10: what the policy reads at each step, taken from the trainer itself."""
    pairs = [Pair(f"A ball, red, at Number{index}", (Span("blurry"),)) for index in range(3)]
    read: list[list[str]] = []

    class Listening(SFT):
        def _encoded(self, pairs: Sequence[Pair]) -> object:
            read.append([pair.prompt for pair in pairs])
            return super()._encoded(pairs)

    def trainer(augment: float = 0.5, seed: int = 1) -> SFT:
        return Listening(language_policy("df"), pairs, SFTSettings(8, 3, augment=augment, seed=seed))

    sft = trainer()
    for _ in range(8):  # a batch is an epoch here
        sft.step()
    whole = list(read)
    for number, pair in enumerate(pairs):
        epochs = [{text for text in batch if text.lower().endswith(f"number{number}")} for batch in whole]
        assert all(len(seen) <= 1 for seen in epochs) and len(set().union(*epochs)) > 1, pair
    begun, resumed = trainer(), trainer()
    for _ in range(3):
        begun.step()
    resumed.rng.set_state(begun.rng.get_state())
    resumed.restore(begun.numbers())
    for done in range(3, 8):
        read.clear()
        resumed.step()
        assert read == [whole[done]]
    read.clear()
    trainer(augment=0.0).step()
    assert set(read[0]) <= {pair.prompt for pair in pairs}
    with pytest.raises(TrainingError, match="probability"):
        SFTSettings(augment=1.5)


def test_a_run_that_was_killed_goes_back_to_its_checkpoint(tmp_path: Path) -> None:
    whole = sft_run(tmp_path / "whole", 6)
    sft_run(tmp_path / "parts", 4)
    with (tmp_path / "parts" / METRICS).open("a") as file:
        file.write(json.dumps({"step": 5, "loss": 9.9}) + '\n{"step": 6, "lo')
    parts = sft_run(tmp_path / "parts", 6)
    assert all(torch.equal(a, b) for a, b in zip(whole.policy.parameters(), parts.policy.parameters(), strict=True))
    assert [row["step"] for row in RunFolder(tmp_path / "parts").metrics()] == [1, 2, 3, 4, 5, 6]


def test_ppo_resumes_to_the_same_next_step(tmp_path: Path) -> None:
    """P20: policy, optimiser, random state and the price of divergence."""
    settings = PPOSettings(prompts=4, epochs=2, minibatch=4, learning_rate=1e-3, kl=0.1, kl_target=0.5)

    def run(folder: str, steps: int) -> list[dict[str, float]]:
        ppo = PPO(actors("df", lambda pair: float(len(phrases(pair)))), ["a ball", "a star"], settings)
        opened = RunFolder.open(tmp_path / folder, {})
        run_steps(opened, ppo, lambda: ppo.step()[0], Loop(steps, save_every=1), "test")
        return opened.metrics()

    whole = run("whole", 4)
    run("parts", 2)
    assert run("parts", 4) == whole
    assert (tmp_path / "parts" / CHECKPOINT).exists()


def test_a_folder_with_another_run_is_refused(tmp_path: Path) -> None:
    RunFolder.open(tmp_path, {"seed": 1, "steps": 5})
    RunFolder.open(tmp_path, {"seed": 1, "steps": 5})
    with pytest.raises(TrainingError, match=r"other settings \(seed\)"):
        RunFolder.open(tmp_path, {"seed": 2, "steps": 5})


def test_a_run_does_not_go_on_with_other_input_behind_the_same_settings(tmp_path: Path) -> None:
    RunFolder.open(tmp_path, {"seed": 1}, {"pairs_sha256": "a", "painter": "b"})
    RunFolder.open(
        tmp_path, {"seed": 1}, {"pairs_sha256": "a", "painter": "b", "start_sha256": "told by later versions"}
    )
    with pytest.raises(TrainingError, match=r"another content of: pairs;.* another --run"):
        RunFolder.open(tmp_path, {"seed": 1}, {"pairs_sha256": "c", "painter": "b"})
    RunFolder.open(tmp_path / "old", {"seed": 1})  # nobody knows what it began with
    RunFolder.open(tmp_path / "old", {"seed": 1}, {"pairs_sha256": "c"})


def test_the_second_interrupt_is_not_gentle() -> None:
    with pytest.raises(KeyboardInterrupt), gentle_stop() as asked:
        os.kill(os.getpid(), signal.SIGINT)
        assert asked == [signal.SIGINT]
        os.kill(os.getpid(), signal.SIGINT)


def test_null_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('\ufeff{"prompt": "a", "negative": null, "negative_prompt": "dull"}\n', encoding="utf-8")
    assert read_pairs(path, "negative") == [Pair("a", (Span("dull"),))]
    path.write_text('{"prompt": "a", "subject": null, "modifiers": ["8k"]}\n')
    assert read_pairs(path, "modifiers") == [Pair("a", (Span("8k"),))]
    path.write_text('{"prompt": null, "negative": "dull"}\n')
    with pytest.raises(TrainingError, match=r"line 1: .*prompt is text, got null"):
        read_pairs(path, "negative")


def test_pairs_are_written_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    weighted = [*PAIRS, replace(PAIRS[0], weight=2.5)]
    for polarity in ("negative", "modifiers"):
        path.write_text("".join(write_pair(pair, polarity) for pair in weighted))
        assert read_pairs(path, polarity) == weighted
    path.write_text('{"prompt": "p", "negative_prompt": "a, b (c), "}\n\n{"prompt": "no answer"}\n')
    assert read_pairs(path, "negative") == [Pair("p", (Span("a"), Span("b (c)")))]
    path.write_text('{"prompt": "a cat, 8k, hdr", "subject": "a cat", "modifiers": ["8k", "hdr", " "]}\n')
    assert read_pairs(path, "modifiers") == [Pair("a cat", (Span("8k"), Span("hdr")))]


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{",
        '{"negative": "x"}',
        '{"prompt": "a", "negative": 3}',
        '{"prompt": "a", "negative": "b", "weight": -1}',
        '{"prompt": "a", "negative": "b", "weight": NaN}',
    ],
)
def test_a_malformed_line_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"prompt": "a", "negative": "b"}\n' + line + "\n")
    with pytest.raises(TrainingError, match="line 2"):
        read_pairs(path, "negative")
    with pytest.raises(TrainingError, match="cannot read"):
        read_pairs(tmp_path / "missing.jsonl", "negative")


def test_nothing_to_learn_from_is_said() -> None:
    with pytest.raises(TrainingError, match="no pairs"):
        SFT(language_policy("df"), [], SFTSettings())
    with pytest.raises(TrainingError):
        SFTSettings(steps=0)
