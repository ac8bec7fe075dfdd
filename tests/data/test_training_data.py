"""Splits that do not leak (N2), PAE's noise on prompts (P10), PAE's confidence filter (P9)."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from negopt_core.errors import TrainingError
from negopt_core.lab.data.confidence import confidence, keep_confident, score_pairs
from negopt_core.lab.data.pairs import Pair
from negopt_core.lab.data.settings import ConfidenceSettings
from negopt_core.lab.data.split import Repeats, Splitting, normalise
from negopt_core.lab.train.sft import vary_prompt
from negopt_core.text.prompt import PromptPair, Span

SHARES = {"sft": 0.6, "rl": 0.3, "test": 0.1}


class Split(NamedTuple):
    parts: dict[str, list[Pair]]
    manifest: dict[str, object]


def pairs(count: int) -> list[Pair]:
    return [Pair(f"prompt number {index}", (Span("blurry"),)) for index in range(count)]


def split_pairs(given: Sequence[Pair], shares: Mapping[str, float], salt: str = "") -> Split:
    parts: dict[str, list[Pair]] = {name: [] for name in shares}
    manifest = Splitting(lambda: given, shares, salt).place(lambda name, pair: parts[name].append(pair))
    return Split(parts, manifest)


def clean_pairs(given: Sequence[Pair]) -> tuple[list[Pair], dict[str, int]]:
    repeats = Repeats(given)
    return list(repeats.distinct(given)), repeats.counts


def test_parts_are_disjoint_by_normalised_prompt_and_near_their_shares() -> None:
    many = pairs(3000)
    echoes = [Pair(f"  Prompt,  NUMBER {index}. ", (Span("noisy"),)) for index in range(3000)]
    split = split_pairs([*many, *echoes], SHARES)
    seen = {name: {normalise(pair.prompt) for pair in part} for name, part in split.parts.items()}
    assert not seen["sft"] & seen["rl"] and not seen["sft"] & seen["test"] and not seen["rl"] & seen["test"]
    for name, share in SHARES.items():
        assert len(seen[name]) == pytest.approx(3000 * share, rel=0.15)
        assert len(split.parts[name]) == 2 * len(seen[name])


def test_a_split_is_the_same_everywhere_and_new_pairs_move_no_old_ones() -> None:
    first, longer = split_pairs(pairs(200), SHARES), split_pairs(pairs(400), SHARES)
    assert first == split_pairs(pairs(200), SHARES)
    assert all(set(first.parts[name]) <= set(longer.parts[name]) for name in SHARES)
    assert split_pairs(pairs(200), SHARES, salt="x").manifest["parts"] != first.manifest["parts"]
    json.dumps(first.manifest)


def test_counts_are_reported_at_each_filter() -> None:
    given = [*pairs(3), Pair("Prompt number, 0", (Span("Blurry"),)), Pair(" ,. ", (Span("x"),)), Pair("no answer", ())]
    kept, counts = clean_pairs(given)
    assert kept == pairs(3)
    assert counts == {"read": 6, "with a prompt": 5, "with an answer": 4, "distinct": 3}
    liked = replace(pairs(1)[0], weight=2.0)
    assert clean_pairs([*pairs(2), liked])[0] == [liked, pairs(2)[1]]
    for wrong in ({}, {"a": 0.5}, {"a": 1.5, "b": -0.5}):
        with pytest.raises(TrainingError, match="add up to 1"):
            split_pairs(pairs(2), wrong)


def test_noise_on_prompts_is_seeded_and_can_be_off() -> None:
    prompt = "A cat, 8k, BY Nobody"
    assert vary_prompt(prompt, random.Random(1), 0.0) == prompt
    drawn = {vary_prompt(prompt, random.Random(seed)) for seed in range(200)}
    assert drawn == {vary_prompt(prompt, random.Random(seed)) for seed in range(200)}
    cases = ("A cat{} 8k{} BY Nobody", "A cat{} 8k{} by nobody")
    assert drawn == {case.format(one, two) for case in cases for one in ",." for two in ",."}
    assert vary_prompt("ALL UPPER", random.Random(0), 1.0) == "all upper"


def test_the_confidence_score_by_hand() -> None:
    """Rows: nicer and as close; nicer but further; not nicer; a tie in beauty; as far as gamma allows, exactly."""
    aes_full = torch.tensor([[6.0, 6.0], [6.0, 6.0], [5.0, 5.0], [5.0, 6.0], [6.0, 6.0]])
    aes_short = torch.full((5, 2), 5.0)
    clip_full = torch.tensor([[0.30, 0.30], [0.20, 0.30], [0.30, 0.30], [0.30, 0.30], [0.25, 0.30]])
    clip_short = torch.tensor([[0.30, 0.30]]).repeat(5, 1)
    clip_short[4, 0] = 0.25 + 0.0625
    found = confidence(aes_full, aes_short, clip_full, clip_short, gamma=0.0625)
    assert found.tolist() == [1.0, 0.5, 0.0, 0.5, 0.5]
    kept = keep_confident(pairs(5), found.tolist(), 0.5)
    assert [pair.prompt[-1] for pair in kept] == ["0", "1", "3", "4"]


class Painter:
    """Paints how many phrases the positive has; counts its work."""

    def __init__(self) -> None:
        self.painted: list[tuple[str, int]] = []

    def paint(self, sides: Sequence[PromptPair], seeds: Sequence[int]) -> torch.Tensor:
        self.painted += [(side.positive.text, seed) for side, seed in zip(sides, seeds, strict=True)]
        return torch.tensor([float(side.positive.text.count(",")) for side in sides])[:, None, None, None]


class First:
    name = "first"

    def __call__(self, images: torch.Tensor, prompts: Sequence[str]) -> torch.Tensor:
        return images[:, 0, 0, 0]


class Length:
    """Further from the prompt, the longer it is; the picture plays no part."""

    name = "length"

    def __call__(self, images: torch.Tensor, prompts: Sequence[str]) -> torch.Tensor:
        return torch.tensor([-float(len(prompt)) for prompt in prompts])


def test_the_job_shares_noise_goes_on_where_it_was_killed_and_starts_afresh_with_other_settings(tmp_path: Path) -> None:
    given, cache, painter = [*pairs(5), Pair("bare", ())], tmp_path / "deep" / "scores.jsonl", Painter()
    settings = ConfidenceSettings(pictures=2, batch=2, polarity="modifiers")
    scores = score_pairs(given, painter, First(), Length(), settings, cache)
    assert scores == [1.0] * 5 + [0.0]  # a phrase more is brighter; nothing added is a tie
    by_seed: dict[int, set[str]] = {}
    for text, seed in painter.painted:
        by_seed.setdefault(seed, set()).add(text)
    assert all(len(texts) == 2 for seed, texts in by_seed.items() if "bare" not in texts)
    lines = cache.read_text().splitlines(keepends=True)
    cache.write_text("".join(lines[:3]) + lines[3][:20])
    again = Painter()
    assert score_pairs(given, again, First(), Length(), settings, cache) == scores
    assert len(again.painted) == 3 * 2 * 2 and "prompt number 0" not in {text for text, _ in again.painted}
    finished = Painter()
    score_pairs(given, finished, First(), Length(), settings, cache)
    assert not finished.painted
    score_pairs(given[:1], finished, First(), Length(), ConfidenceSettings(pictures=3, polarity="modifiers"), cache)
    assert len(finished.painted) == 6
    with pytest.raises(TrainingError):
        ConfidenceSettings(sigma=2.0)
