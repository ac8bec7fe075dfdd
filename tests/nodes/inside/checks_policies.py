"""Policies that are language models, in ComfyUI's own environment: loaded from the models folder, writing."""

from __future__ import annotations

import importlib
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import stage
from checks_writing import ASK, fault, models_folder
from stage import node

NAMES = {"negative": "people-negatives", "modifiers": "people-modifiers"}


def library(name: str) -> Any:
    return importlib.import_module(f"{stage.pack()[0]}.negopt_core.{name}")


def save(folder: Path, polarity: str) -> None:
    """A small policy with random weights, written as training exports it."""
    card, setup, kept = (library(name) for name in ("policy.card", "lab.train.setup", "policy.language.folder"))
    kind = {"negative": "df", "modifiers": "seq2seq"}[polarity]
    made = card.PolicyCard(
        kind=kind,
        name=NAMES[polarity],
        polarity=polarity,
        windows=setup.PAE_WINDOWS,
        weights=setup.PAE_WEIGHTS,
        licence="Apache-2.0",
    )
    stock = ["blurry", "noisy", "too dark", "vivid", "detailed"]
    policy = setup.new_policy(made, setup.load_tokenizer("world"), stock, setup.Size(32, 1, 4), seed=2)
    kept.save_policy(policy, folder / NAMES[polarity])


@contextmanager
def policies() -> Any:
    """Both in a `models/negopt` of our own."""
    with models_folder() as folder:
        for polarity in NAMES:
            save(folder, polarity)
        yield folder


def load(name: str) -> Any:
    return node("NegOptLoadPolicy").execute(policy=name).result[0]


def written(policy: Any, **changed: Any) -> tuple[str, str]:
    """Both texts that NegOptSuggest writes."""
    return node("NegOptSuggest").execute(**{**ASK, "policy": policy, **changed}).result[:2]


def check_a_click_on_the_gpu_leaves_nothing_there() -> None:
    import torch

    answers, reading = stage.module("nodes.api_answers"), stage.module("nodes.api_read")
    told: list[str] = []

    class Weights(torch.nn.Module):
        def to(self, device: Any) -> Any:
            told.append(str(device))
            return self

    def suggest(*_: Any) -> Any:
        told.append("writes")
        raise ZeroDivisionError

    page, kept = answers.PageSuggestions(), (answers.suggest, answers._idle_device)
    page.policy = lambda name: SimpleNamespace(policy=Weights())
    answers.suggest, answers._idle_device = suggest, lambda: "cuda:0"
    try:
        page.suggest(reading.read_suggest({"prompt": "a cat", "on_gpu": True, "policy": "rules"}))
    except ZeroDivisionError:
        assert told == ["cuda:0", "writes", "cpu"]
    else:
        raise AssertionError("it did not fail")
    finally:
        answers.suggest, answers._idle_device = kept


def check_a_trained_policy_is_offered_and_writes_the_same_text_every_time() -> None:
    with policies():
        assert set(NAMES.values()) <= set(stage.module("nodes.policy").policy_menu().names())
        policy = load(NAMES["negative"])
        assert policy.card.kind == "df"
        drawn = [written(policy, seed=seed) for seed in range(6)]
        assert drawn == [written(policy, seed=seed) for seed in range(6)]
        assert len(set(drawn)) > 1 and all(negative for _, negative in drawn[1:])


def check_a_trained_policy_says_nothing_on_the_terminal() -> None:
    """Nor do the libraries that load it, whichever way they write."""
    with tempfile.TemporaryFile("w+b") as said:
        kept = [os.dup(number) for number in (1, 2)]
        for number in (1, 2):
            os.dup2(said.fileno(), number)
        try:
            for name in ("negopt-mini", "pae-mini"):
                written(load(name), prompt="a photo of a cat " * 60)
        finally:
            for number, copy in zip((1, 2), kept, strict=True):
                os.dup2(copy, number)
                os.close(copy)
        said.seek(0)
        assert said.read() == b""


def check_two_policies_write_one_side_each() -> None:
    with policies():
        both, alone = load("+".join(NAMES.values())), [load(name) for name in NAMES.values()]
        for seed in range(4):
            positive, negative = written(both, seed=seed)
            assert negative == written(alone[0], seed=seed)[1] and positive == written(alone[1], seed=seed)[0]
        state = node("NegOptLoadPolicy").fingerprint_inputs
        assert state("+".join(NAMES.values())) != state(NAMES["negative"])
        fault(lambda: load("rules+gone"), "'gone' is not here")


def check_damaged_weights_are_said_in_words() -> None:
    with policies() as folder:
        path = folder / NAMES["modifiers"] / "model.safetensors"
        path.write_bytes(path.read_bytes()[:500])
        fault(lambda: load(NAMES["modifiers"]), "no whole safetensors file", NAMES["modifiers"])
