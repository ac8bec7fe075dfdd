"""Rewards from a line of text, prompts from files, models from nothing, and what the demo world's people write."""

import gzip
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "policy"))

from languages import tokenizer

from negopt_core.errors import NegOptError, TrainingError
from negopt_core.lab.data.world_people import draw_modifiers, draw_negatives, modifier_stock, negative_stock
from negopt_core.lab.train.setup import (
    PAE_WEIGHT_PRIOR,
    PAE_WEIGHTS,
    PAE_WINDOW_PRIOR,
    PAE_WINDOWS,
    Size,
    build_reward,
    load_tokenizer,
    new_policy,
    read_prompts,
)
from negopt_core.policy.card import PolicyCard
from negopt_core.policy.contradiction import is_contradicted, read_asked
from negopt_core.policy.language import Sampling
from negopt_core.text.prompt import FULL


class Constant:
    """Scores every picture with the number in its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, images: torch.Tensor, prompts: object) -> torch.Tensor:
        return torch.full((len(images),), float(self.name))


def test_the_papers_rewards_as_lines() -> None:
    """N5 and P15: NegOpt's 5 : 1 : 1, and PAE's hinges with papers.md's test vectors."""
    image = torch.zeros(1, 3, 1, 1)
    assert float(build_reward("6:5,0.3:1,0.5:1", Constant)(image, ["p"]).total) == pytest.approx(30.8)
    assert float(build_reward("6,0.25:20:0.28,17.5:1:18", Constant)(image, ["p"]).total) == pytest.approx(4.9)
    assert float(build_reward("6,0.30:20:0.28,20:1:18", Constant)(image, ["p"]).total) == pytest.approx(6.0)


@pytest.mark.parametrize(
    ("line", "weight", "floor", "baseline"),
    [
        ("6", 1.0, None, 0.0),
        ("6:plain", 1.0, None, 1.0),
        ("6:2:plain", 2.0, None, 1.0),
        ("6:2:plain=0.5", 2.0, None, 0.5),
        (" 6:20:-0.01:plain ", 20.0, -0.01, 1.0),
        ("6:20:0.28", 20.0, 0.28, 0.0),
    ],
)
def test_a_term_can_be_measured_from_the_plain_picture(
    line: str, weight: float, floor: float | None, baseline: float
) -> None:
    (term,) = build_reward(line, Constant).terms
    assert (term.weight, term.floor, term.baseline) == (weight, floor, baseline)


@pytest.mark.parametrize(
    "line",
    ["1:x", "1:2:3:4", "1,1", "1:nan", "1:2:3:4:plain", "1:plain:2", "1:plain=x", "1:plain=-1", "1:plain="],
)
def test_a_reward_that_means_nothing_is_refused(line: str) -> None:
    with pytest.raises(NegOptError):
        build_reward(line, Constant)


def test_prompts_are_read_from_lines_and_json(tmp_path: Path) -> None:
    plain, rows, packed = tmp_path / "a.txt", tmp_path / "b.jsonl", tmp_path / "c.jsonl.gz"
    plain.write_text("a cat\n\n  a dog \n")
    rows.write_text(
        '{"prompt": "a cat, 8k", "subject": "a cat", "modifiers": ["8k"]}\n'
        '{"prompt": "a dog", "subject": "animal", "negative_prompt": "blurry"}\n'
    )
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + rows.read_bytes()))
    assert read_prompts(plain) == read_prompts(rows) == read_prompts(packed) == ["a cat", "a dog"]
    plain.write_bytes(b"\xef\xbb\xbf" + plain.read_bytes())  # as Windows programs do
    assert read_prompts(plain) == ["a cat", "a dog"]
    for path, text in ((tmp_path / "missing.txt", None), (tmp_path / "d.jsonl", "[1]\n"), (tmp_path / "e.jsonl", "{")):
        if text:
            path.write_text(text)
        with pytest.raises(TrainingError, match=path.name):
            read_prompts(path)


@pytest.mark.parametrize("kind", ["seq2seq", "df"])
def test_a_new_policy_starts_at_paes_prior(kind: str) -> None:
    """P12: the initial distribution of both heads."""
    card = PolicyCard(kind=kind, name="new", polarity="negative", windows=PAE_WINDOWS, weights=PAE_WEIGHTS)
    policy = new_policy(card, tokenizer(), ["blurry", "noisy"], Size(32, 1, 4), seed=1).eval()
    drawn = policy.respond(["a ball"] * 50, list(range(50)), Sampling())
    found, ends = policy.analyze(["a ball"] * 50, drawn, Sampling()).logprobs, drawn.is_phrase_end
    for channel, bins, prior in (
        ("windows", drawn.windows, PAE_WINDOW_PRIOR),
        ("weights", drawn.weights, PAE_WEIGHT_PRIOR),
    ):
        chosen = bins[ends]
        torch.testing.assert_close(found[channel][ends].exp(), torch.tensor(prior)[chosen], atol=1e-4, rtol=0)
        assert len(chosen.unique()) > 1


def test_the_same_seed_makes_the_same_policy_and_another_kind_is_refused() -> None:
    card = PolicyCard(kind="df", name="new", windows=(FULL,))
    one, two = (new_policy(card, tokenizer(), ["blurry"], Size(32, 1, 4), seed=5) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    with pytest.raises(TrainingError, match="seq2seq or df"):
        new_policy(PolicyCard(kind="rules", name="new"), tokenizer(), ["blurry"], Size(), seed=5)
    with pytest.raises(TrainingError, match="cannot read a tokenizer"):
        load_tokenizer("/nowhere")


def test_people_write_what_the_stock_holds_and_never_against_their_prompt() -> None:
    for draw, stock in ((draw_negatives, negative_stock()), (draw_modifiers, modifier_stock())):
        pairs = draw(300, 4)
        assert pairs == draw(300, 4) and pairs != draw(300, 5)
        assert {span.text for pair in pairs for span in pair.spans} <= set(stock)
        assert all(len({span.text for span in pair.spans}) == len(pair.spans) for pair in pairs)
    for pair in draw_negatives(300, 6):
        asked = read_asked(pair.prompt)
        assert not any(is_contradicted(span.text, asked) for span in pair.spans if span.text in pair.prompt)


def test_people_know_a_little_about_what_goes_wrong() -> None:
    pairs = draw_negatives(2000, 7)
    media = "photo", "sketch", "cartoon"
    photo, sketch, cartoon = ([pair for pair in pairs if medium in pair.prompt] for medium in media)

    def share(group: list[object], *texts: str) -> float:
        return sum(any(span.text in texts for span in pair.spans) for pair in group) / len(group)  # type: ignore[attr-defined]

    assert share(photo, "out of focus") > 1.5 * share(cartoon, "out of focus")
    squares = "pixelated", "jpeg artifacts"
    assert share(sketch, *squares) > 1.5 * share(cartoon, *squares)  # as frequent there, but it becomes a cartoon
