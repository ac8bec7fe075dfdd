"""A tokenizer reads the same under every transformers: what two of them do to it is undone.

`make compat` asks the real ones.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from negopt_core.policy.language.tokenizer import read_tokenizer
from negopt_core.policy.store import SHIPPED

MINI = SHIPPED / "negopt-mini"
TEXTS = ["a photo of a cat", "portrait of an old fisherman", "Detailed art of gold", "old", ""]


def loads(monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]) -> Any:
    """Make transformers open any folder as a tokenizer with these settings; returns that tokenizer."""
    opened = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(settings)))
    monkeypatch.setattr(AutoTokenizer, "from_pretrained", lambda *_, **__: opened)
    return opened


@pytest.fixture
def settings() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((MINI / "tokenizer.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def expected() -> list[list[int]]:
    return [Tokenizer.from_file(str(MINI / "tokenizer.json")).encode(text).ids for text in TEXTS]


def test_the_file_is_read_as_it_is(expected: list[list[int]]) -> None:
    assert read_tokenizer(MINI)(TEXTS)["input_ids"] == expected


def test_a_space_before_the_first_word_that_was_taken_away_comes_back(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], expected: list[list[int]]
) -> None:
    settings["pre_tokenizer"]["add_prefix_space"] = False
    assert loads(monkeypatch, settings)(TEXTS)["input_ids"] != expected
    assert read_tokenizer(MINI)(TEXTS)["input_ids"] == expected


def test_phrases_that_were_forgotten_are_found_again(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], expected: list[list[int]]
) -> None:
    vocabulary = settings["model"]["vocab"]
    settings["added_tokens"] = [
        token for token in settings["added_tokens"] if token["special"] or token["content"] not in vocabulary
    ]
    assert loads(monkeypatch, settings)(TEXTS)["input_ids"] != expected
    assert read_tokenizer(MINI)(TEXTS)["input_ids"] == expected


def test_a_tokenizer_with_a_class_of_its_own_is_left_alone(tmp_path: Path) -> None:
    world = SHIPPED / "world-negative"
    assert read_tokenizer(world)(TEXTS)["input_ids"] == AutoTokenizer.from_pretrained(str(world))(TEXTS)["input_ids"]
