"""A tokenizer made from texts: phrases are one token, any text survives, old readers can read it."""

import json
from pathlib import Path

from transformers import AutoTokenizer, PreTrainedTokenizerFast

from negopt_core.lab.train.tokenizer import fit_tokenizer
from negopt_core.policy.language.spelling import Spelling, read_phrase, spell_phrase
from negopt_core.policy.language.tokenizer import SETTINGS_FILE, TOKENIZER_FILE, rewrite_for_older_versions

TEXTS = ["a photo of a red fox, highly detailed", "portrait of a knight, sharp focus, texture"] * 20
PHRASES = ("blurry", "low quality", "text", "bad hands", "out of focus")


def save_tokenizer(tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    tokenizer.save_pretrained(str(folder))
    rewrite_for_older_versions(folder)


def test_every_phrase_is_one_token_wherever_it_stands(tmp_path: Path) -> None:
    tokenizer = fit_tokenizer(TEXTS, PHRASES, size=400)
    save_tokenizer(tokenizer, tmp_path)
    for reader in (tokenizer, AutoTokenizer.from_pretrained(str(tmp_path))):
        assert Spelling.of(reader).end == reader.eos_token_id
        for phrase in PHRASES:
            (token,) = spell_phrase(reader, phrase)
            assert read_phrase(reader, [token]) == phrase


def test_a_phrase_is_not_found_inside_a_word() -> None:
    tokenizer = fit_tokenizer(TEXTS, PHRASES, size=400)
    text = tokenizer.convert_tokens_to_ids("text")
    assert text not in tokenizer("texture of a context").input_ids and text in tokenizer("a text").input_ids


def test_any_text_can_be_written() -> None:
    tokenizer = fit_tokenizer(TEXTS, PHRASES, size=400)
    for text in ("ein alter fischer 🐟", "日本語", "a,b;(c:1.2) <lora:x:0.8>", ""):
        assert tokenizer.decode(tokenizer(text).input_ids).strip() == text
    assert tokenizer("RED Fox").input_ids == tokenizer("red fox").input_ids


def test_merges_are_written_rewrite_for_older_versions(tmp_path: Path) -> None:
    save_tokenizer(fit_tokenizer(TEXTS, PHRASES, size=400), tmp_path)
    merges = json.loads((tmp_path / TOKENIZER_FILE).read_text(encoding="utf-8"))["model"]["merges"]
    assert merges and all(isinstance(merge, str) and merge.count(" ") == 1 for merge in merges)
    settings = json.loads((tmp_path / SETTINGS_FILE).read_text(encoding="utf-8"))
    assert settings["tokenizer_class"] == "PreTrainedTokenizerFast"
